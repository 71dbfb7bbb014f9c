"""How much of an absent phase may hide: more in noise, more of a weak scatterer."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.physics.structures import structure
from analysis.xrd.absence import hidden_fractions
from analysis.xrd.disposing import Disposed, dispose
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Resolution, pattern, phase_columns
from analysis.xrd.preprocess import FitRange

GRID = np.round(np.arange(20.0, 70.0, 0.05), 6)
NAMES = ("rutile", "corundum", "periclase")
CRYSTALS = [structure(name) for name in NAMES]
COLUMNS = phase_columns(GRID, [PhaseState(c, size=600.0) for c in CRYSTALS]).T


def fitted(height: float) -> Disposed:
    bragg = pattern(GRID, [PhaseState(CRYSTALS[0], size=600.0)])
    counts = np.random.default_rng(0).poisson(100 + height * bragg / bragg.max()).astype(float)
    data = FitRange(GRID, counts, np.sqrt(np.maximum(counts, 1)), sigma_known=False)
    return dispose(data, CRYSTALS, [0], radiation=CU_K_ALPHA, resolution=Resolution(), texture={})


def hidden(disposed: Disposed, probability: np.ndarray) -> np.ndarray:
    fractions = np.array([1.0, 0.0, 0.0])
    return hidden_fractions(disposed, fractions, COLUMNS, probability, step=0.05)


def test_more_hides_in_noise() -> None:
    sure = np.array([1.0, 0.0, 0.0])
    quiet, noisy = hidden(fitted(20_000.0), sure), hidden(fitted(400.0), sure)
    assert np.all(noisy[1:] > 3 * quiet[1:])
    assert np.all(quiet > 0)
    assert np.all(noisy <= 1)


def test_what_would_just_show_is_what_may_hide() -> None:
    """A phase of four times the stated size stands out of the pattern."""
    disposed = fitted(3000.0)
    std = hidden(disposed, np.array([1.0, 0.0, 0.0]))[1]
    share = min(4 * std, 0.9)
    states = [
        PhaseState(CRYSTALS[0], weight_fraction=1 - share, size=600.0),
        PhaseState(CRYSTALS[1], weight_fraction=share, size=600.0),
    ]
    bragg = pattern(GRID, states)
    counts = np.random.default_rng(1).poisson(100 + 3000 * bragg / bragg.max()).astype(float)
    data = FitRange(GRID, counts, np.sqrt(np.maximum(counts, 1)), sigma_known=False)
    found = dispose(
        data, CRYSTALS, [0, 1], radiation=CU_K_ALPHA, resolution=Resolution(), texture={}
    )
    assert 1 in found.kept


@pytest.mark.parametrize("probability", [0.1, 0.4])
def test_a_phase_that_may_be_there_widens_its_own(probability: float) -> None:
    bragg = pattern(
        GRID, [PhaseState(c, weight_fraction=w) for c, w in zip(CRYSTALS, (0.9, 0.1), strict=False)]
    )
    counts = np.random.default_rng(0).poisson(100 + 5000 * bragg / bragg.max()).astype(float)
    data = FitRange(GRID, counts, np.sqrt(np.maximum(counts, 1)), sigma_known=False)
    both = dispose(
        data, CRYSTALS, [0, 1], radiation=CU_K_ALPHA, resolution=Resolution(), texture={}
    )
    with_it = hidden(both, np.array([1.0, probability, 0.0]))[1]
    without = hidden(both, np.array([1.0, 0.0, 0.0]))[1]
    assert np.sqrt((with_it**2 - without**2) / probability) == pytest.approx(0.1, rel=0.25)
