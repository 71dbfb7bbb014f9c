"""Whether a cell is distorted, judged on simulated patterns."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.physics.crystal import Crystal, Site, make_crystal
from analysis.xrd.distortion import Distortion, Tied, distortion
from analysis.xrd.fit import fit_pattern
from analysis.xrd.forward import PhaseState
from analysis.xrd.layout import Layout
from analysis.xrd.preprocess import prepare
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import CU_K_ALPHA
from tests.analysis.xrd.patterns import counted


def brick(c: float) -> Crystal:
    """Return an orthorhombic cell with one metal atom, tetragonal where c is 4 Å."""
    sites = [Site("Ti", (0.0, 0.0, 0.0))]
    return make_crystal("brick", cell=(5.0, 4.0, c, 90, 90, 90), space_group="P m m m", sites=sites)


def judged(c: float) -> Distortion:
    crystal = brick(4.004)
    true = PhaseState(crystal, 1.0, cell=(5.0, 4.0, c, 90.0, 90.0, 90.0), size=500.0)
    measured = counted([true], rng=np.random.default_rng(0))
    data = prepare(measured, radiation=CU_K_ALPHA)
    layout = Layout((crystal,), Resolution(w=0.006))
    fit = fit_pattern(data, layout=layout, radiation=CU_K_ALPHA, background_order=4)
    return distortion(data, fit, tied=(0, "c", "b"))


def test_a_split_cell_is_told_from_one_that_is_not() -> None:
    # 0.02 Å of 4 Å move a peak at 60° by 0.3°, several widths; 3 is odds of twenty to one.
    assert judged(4.02).log_evidence_ratio > 3
    assert judged(4.0).log_evidence_ratio < -1.5


def test_equal_fits_leave_the_penalty_of_one_parameter() -> None:
    even = Distortion(chi2_free=900.0, chi2_tied=900.0, overdispersion=1.0, n_points=1000)
    assert even.log_evidence_ratio == pytest.approx(-0.5 * np.log(1000))


def test_a_tied_vector_describes_the_same_cell_when_freed() -> None:
    layout = Tied((brick(4.01),), Resolution(w=0.006), tied=(0, "c", "b"))
    assert len(layout.slots) == len(layout.free().slots) - 1
    vector = layout.start * 1.001
    cell = layout.phase(0, vector).cell
    assert cell is not None
    assert cell[1] == pytest.approx(cell[2])
    assert layout.free().phase(0, layout.freed(vector)).cell == cell
    np.testing.assert_allclose(layout.bound(layout.freed(vector)), vector)
