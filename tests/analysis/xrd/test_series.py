from pathlib import Path

import numpy as np
import pytest

from analysis import Insight
from analysis.physics.cell import scale_cell
from analysis.physics.structures import structure
from analysis.xrd.agents.quantify import Quantify, make
from analysis.xrd.forward import PhaseState
from analysis.xrd.layout import Layout
from analysis.xrd.preprocess import prepare
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import CU_K_ALPHA
from analysis.xrd.series import Series
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import counted, measurement

RUTILE, ANATASE = structure("rutile"), structure("anatase")
LENGTHENED = [1.0, 1.004, 1.008, 1.012]


def agent() -> Quantify:
    return make({"phases": ["rutile"], "background_order": 4}, Path())


def warming() -> list[Measurement]:
    return [
        counted(
            [PhaseState(RUTILE, 1.0, cell=scale_cell(RUTILE, factor), size=400.0)],
            rng=np.random.default_rng(i),
        )
        for i, factor in enumerate(LENGTHENED)
    ]


def lengths(insights: list[Insight]) -> list[float]:
    return [insight.estimates["xrd.lattice.rutile.a"].value for insight in insights]


def test_a_series_follows_a_cell_that_grows() -> None:
    found = agent().analyze_together(warming(), rng=np.random.default_rng(0))
    for value, factor, insight in zip(lengths(found), LENGTHENED, found, strict=True):
        std = insight.estimates["xrd.lattice.rutile.a"].std
        assert std is not None
        # Four standard deviations: a chance of 1 in 16,000 each.
        assert value == pytest.approx(RUTILE.cell[0] * factor, abs=4 * std)


def test_a_bad_pattern_is_abstained_from_and_the_series_goes_on() -> None:
    good = warming()
    bad = measurement(good[1].x[:50], good[1].y[:50])
    found = agent().analyze_together([good[0], bad, good[2]], rng=np.random.default_rng(0))
    assert [insight.abstained for insight in found] == [False, True, False]
    assert "50 points" in found[1].remarks[0]


def test_a_jump_between_neighbours_is_met_by_the_full_grid() -> None:
    # In the second pattern the sample stands 0.14° off, several peak widths from its neighbour.
    state = [PhaseState(ANATASE, 1.0, size=900.0)]
    first = counted(state, rng=np.random.default_rng(1), displacement=-0.14)
    second = counted(state, rng=np.random.default_rng(2), displacement=0.14)
    layout = Layout((ANATASE,), Resolution(w=0.006))
    series = Series(layout=layout, radiation=CU_K_ALPHA, background_order=4)
    fits = [series.fit(prepare(m, radiation=CU_K_ALPHA)) for m in (first, second)]
    # 0.02°: twice the systematic error of a displacement.
    assert layout.displacement(fits[0].vector) == pytest.approx(-0.14, abs=0.02)
    assert layout.displacement(fits[1].vector) == pytest.approx(0.14, abs=0.02)
    assert fits[1].chi2_reduced < 1.3 * fits[0].chi2_reduced


def test_ticks_stand_where_the_peaks_are() -> None:
    found = agent().analyze(warming()[2:3], rng=np.random.default_rng(0))
    ticks, pattern = found.evidence["reflections.rutile"], found.evidence["pattern"]
    strongest = ticks.x[np.argmax(ticks.columns["strength"])]
    highest = pattern.x[np.argmax(pattern.columns["calculated"])]
    # One step of the scan.
    assert strongest == pytest.approx(highest, abs=0.04)
