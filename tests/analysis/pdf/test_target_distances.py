"""Distances of curves: known values, and slopes that reach where those of R_wp end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from analysis.pdf.aims.distances import (
    FULL_STRETCH,
    SOFTNESS,
    Goal,
    distance,
    peak,
    scaled_to_peak,
)
from analysis.pdf.aims.settings import DistanceName

R = np.arange(1.5, 30.0, 0.05)


def peaks(stretch: float = 1.0, scale: float = 1.0) -> np.ndarray:
    """Return a comb of 12 peaks on a slope, stretched."""
    centres = stretch * 2.8 * np.sqrt(np.arange(1, 13))
    heights = np.exp(-0.5 * ((R[:, None] - centres) / 0.15) ** 2).sum(axis=1)
    return np.asarray(scale * (heights - 0.2 * np.exp(-((R / 15) ** 2))))


@pytest.fixture(scope="module")
def goal() -> Goal:
    return Goal("g_r", R, peaks())


def test_rwp_of_nothing_is_one_and_of_twice_the_target_too(goal: Goal) -> None:
    rwp = distance("rwp", goal)
    found = rwp(np.stack([goal.y, np.zeros_like(R), 2 * goal.y]))
    assert found == pytest.approx([0.0, 1.0, 1.0])


def test_noise_of_a_measured_target_keeps_rwp_from_zero() -> None:
    noisy = Goal("g_r", R, peaks(), noise=0.01)
    power = float(np.mean(peaks() ** 2))
    assert distance("rwp", noisy)(peaks()) == pytest.approx(np.sqrt(0.01 / (power + 0.01)))
    assert distance("rwp", noisy)(np.zeros_like(R)) == pytest.approx(1.0)


@pytest.mark.parametrize("name", sorted(SOFTNESS))
def test_the_target_is_no_distance_from_itself_and_others_are(
    name: DistanceName, goal: Goal
) -> None:
    measure = distance(name, goal)
    # a cosine of one is rounded to eight digits, its sine then to the root
    assert measure(goal.y) == pytest.approx(0.0, abs=1e-7)
    assert measure(peaks(1.03)) > SOFTNESS[name]


@pytest.mark.parametrize("name", sorted(set(SOFTNESS) - {"rwp"}))
@given(scale=st.floats(0.01, 100.0))
@settings(max_examples=20, deadline=None)
def test_all_but_rwp_do_not_see_a_scale(name: DistanceName, scale: float) -> None:
    measure = distance(name, Goal("g_r", R, peaks()))
    plain = measure(peaks(1.01))
    # the mean that `cumulative` takes off cancels to rounding
    assert measure(peaks(1.01, scale)) == pytest.approx(plain, rel=1e-6, abs=1e-7)


def test_a_target_that_keeps_its_height_is_not_scaled() -> None:
    goal = Goal("g_r", R, 0.5 * peaks() / peaks().max(), keeps_height=True)
    assert distance("rwp_scaled_to_peak", goal)(peaks()) == pytest.approx(1.0, abs=0.01)


def test_the_peak_of_a_parabola_is_found_between_points() -> None:
    x = np.arange(-1.0, 1.0, 0.1)
    assert peak(1 - (x - 0.033) ** 2) == pytest.approx(1.0, abs=1e-12)
    assert peak(x) == x[-1]


def test_a_curve_that_nowhere_rises_above_zero_is_scaled_to_nothing() -> None:
    assert np.all(scaled_to_peak(-(peaks() ** 2) - 1.0) == 0.0)


def test_the_best_stretch_costs_its_logarithm(goal: Goal) -> None:
    found = distance("stretched", goal)(peaks(1.05))
    # peaks keep their width when their centres are stretched, so the best stretch is no copy
    assert found == pytest.approx(np.log(1.05) / FULL_STRETCH, abs=0.06)


def test_transport_of_a_stretched_curve_is_the_stretch(goal: Goal) -> None:
    # up to the peaks that leave the range
    assert distance("transport", goal)(peaks(1.02)) == pytest.approx(np.log(1.02), rel=0.25)


def test_a_stretch_has_a_slope_where_rwp_waves(goal: Goal) -> None:
    off = np.arange(-0.15, 0.151, 0.005)
    curves = np.stack([peaks(float(np.exp(s))) for s in off])
    rank = {n: spearmanr(np.abs(off), distance(n, goal)(curves))[0] for n in ("rwp", "stretched")}
    assert rank["stretched"] > 0.95
    assert rank["stretched"] > rank["rwp"]


def test_what_lies_beyond_the_targets_grid_counts_for_the_highest_peak_alone() -> None:
    inside = slice(100, None)
    goal = Goal("g_r", R[inside], peaks()[inside], inside=inside)
    changed = peaks()
    changed[:50] = 0.3 * changed[:50]
    assert distance("rwp", goal)(changed) == pytest.approx(0.0)
    changed[20] = 10.0
    assert distance("rwp", goal)(changed) == pytest.approx(0.0)
    assert distance("rwp_scaled_to_peak", goal)(changed) > 0.5
