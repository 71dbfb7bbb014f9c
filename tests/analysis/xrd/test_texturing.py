"""Texture that nobody named is found along its axis, and not where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.physics.structures import structure
from analysis.xrd.disposing import Disposed, dispose
from analysis.xrd.doubt import novelty
from analysis.xrd.fit import Fit, fit_pattern
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Resolution, pattern
from analysis.xrd.layout import Layout
from analysis.xrd.misfit import assess
from analysis.xrd.preprocess import FitRange
from analysis.xrd.texturing import axes_of, find_textures

GRID = np.round(np.arange(20.0, 75.0, 0.05), 6)
NAMES = ("brookite", "corundum")
CRYSTALS = [structure(name) for name in NAMES]


def scan(r: float, axis: tuple[int, int, int]) -> FitRange:
    """Return counts of a mixture whose first phase is textured."""
    states = [
        PhaseState(CRYSTALS[0], weight_fraction=0.6, texture_r=r, texture_axis=axis),
        PhaseState(CRYSTALS[1], weight_fraction=0.4),
    ]
    bragg = pattern(GRID, states)
    counts = np.random.default_rng(0).poisson(100 + 8000 * bragg / bragg.max()).astype(float)
    return FitRange(GRID, counts, np.sqrt(np.maximum(counts, 1)), sigma_known=False)


def random_fit(data: FitRange) -> Fit:
    layout = Layout(tuple(CRYSTALS), Resolution())
    return fit_pattern(data, layout=layout, radiation=CU_K_ALPHA, background_order=4)


def disposed(data: FitRange) -> Disposed:
    return dispose(
        data, CRYSTALS, [0, 1], radiation=CU_K_ALPHA, resolution=Resolution(), texture={}
    )


@pytest.mark.parametrize(("r", "axis"), [(0.5, (0, 0, 1)), (0.6, (1, 0, 0)), (1.8, (0, 0, 1))])
def test_the_axis_and_the_sense_of_a_texture_are_found(
    r: float, axis: tuple[int, int, int]
) -> None:
    fit = random_fit(scan(r, axis))
    found = find_textures(fit, assess(fit), known={})
    assert set(found) == {"brookite"}
    assert found["brookite"][0] == axis
    assert (found["brookite"][1] > 1) == (r > 1)


def test_a_random_powder_has_none() -> None:
    fit = random_fit(scan(1.0, (0, 0, 1)))
    assert find_textures(fit, assess(fit), known={}) == {}


def test_a_known_texture_is_not_looked_for() -> None:
    fit = random_fit(scan(0.5, (0, 0, 1)))
    assert find_textures(fit, assess(fit), known={"brookite": (1, 0, 0)}).keys() <= {"corundum"}


def test_axes_that_are_alike_by_symmetry_are_looked_at_once() -> None:
    assert axes_of(structure("halite")) == [(0, 0, 1), (1, 1, 0), (1, 1, 1)]
    assert len(axes_of(structure("brookite"))) == 7
    assert {(0, 0, 1), (1, 0, 0)} <= set(axes_of(structure("corundum")))


def test_a_textured_phase_is_no_stranger() -> None:
    """Refined along the axis that was found, r and the mass come back, and nothing is novel."""
    found = disposed(scan(0.5, (0, 0, 1)))
    assert found.fit is not None
    assert found.misfit is not None
    layout = found.fit.problem.layout
    r = np.exp(found.fit.vector[layout.index("texture", phase=0)])
    assert r == pytest.approx(0.5, abs=0.03)
    assert found.fit.weights[0] == pytest.approx(0.6, abs=0.02)
    assert novelty(found.misfit) < 0.1
    alone = random_fit(scan(0.5, (0, 0, 1)))
    assert novelty(assess(alone)) > 3 * novelty(found.misfit)
