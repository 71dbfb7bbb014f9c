"""What networks see: peaks without background, nothing where nothing was measured, or distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.xrd.artefacts import Ranges, shortened, wider
from analysis.xrd.network_input import DISTANCES, View, network_input

GRID = np.round(np.arange(10.0, 80.025, 0.05), 6)
STEP = 0.05


def peak(at: float, *, height: float = 500.0, floor: float = 100.0) -> np.ndarray:
    return np.asarray(floor + height * np.exp(-0.5 * ((GRID - at) / 0.08) ** 2))


def test_the_background_is_gone_and_the_highest_peak_is_one() -> None:
    seen = network_input(peak(35.0)[None], step=STEP)[0]
    assert seen.max() == pytest.approx(1.0)
    assert seen[np.abs(GRID - 35) > 2].max() < 0.1


@given(st.floats(12, 25), st.floats(60, 78))
@settings(max_examples=20, deadline=None)
def test_a_missing_end_makes_no_edge(start: float, end: float) -> None:
    whole = peak(40.0)
    inside = np.logical_and(np.greater_equal(GRID, start), np.less_equal(GRID, end))
    part = np.where(inside, whole, np.nan)
    seen, full = network_input(np.stack([part, whole]), step=STEP)
    assert np.all(seen[np.isnan(part)] == 0)
    assert np.abs(seen - full)[np.isfinite(part)].max() < 0.05


def test_a_single_peak_is_a_sine_of_distance() -> None:
    at, wavelength = 45.0, 1.5406
    view = View(GRID, wavelength, pair_distances=True)
    seen = view(peak(at)[None])[0]
    assert len(seen) == view.n_points == len(DISTANCES)
    q = 4 * np.pi * np.sin(np.radians(at / 2)) / wavelength
    assert np.corrcoef(seen, np.sin(q * DISTANCES))[0, 1] > 0.98


def test_patterns_are_shortened_within_the_ranges() -> None:
    ranges = Ranges(start=(12.0, 20.0), end=(65.0, 70.0), shortened=0.5)
    made = shortened(np.ones((400, len(GRID))), GRID, ranges, np.random.default_rng(0))
    first = np.array([GRID[np.flatnonzero(np.isfinite(row))[0]] for row in made])
    cut = first > GRID[0]
    assert 0.4 < cut.mean() < 0.6
    assert first[cut].min() >= 12.0
    assert first[cut].max() <= 20.05


def test_wider_ranges_hold_both() -> None:
    one, other = Ranges(counts=(10.0, 100.0), order=3), Ranges(counts=(50.0, 1e4), order=7)
    both = wider(one, other)
    assert both.counts == (10.0, 1e4)
    assert both.order == 7
    assert wider(one, one) == one
