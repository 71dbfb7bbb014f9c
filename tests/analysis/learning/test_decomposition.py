"""Demixing without labels: known answers, invariances, bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.learning.decomposition.choosing import candidates
from analysis.learning.decomposition.consensus import demix
from analysis.learning.decomposition.doubts import doubts
from analysis.learning.decomposition.grouping import (
    Grouping,
    Merging,
    matched_columns,
    most_agreed,
)
from analysis.learning.decomposition.merging import absorb_fragments, merge_alike
from analysis.learning.decomposition.nmf import Factors, factorise, unlike_curves
from analysis.learning.decomposition.shifts import (
    best_shifts,
    logarithmic_axis,
    resample,
    shifted,
    shifted_back,
)
from analysis.learning.decomposition.smoothness import without_islands
from analysis.learning.decomposition.streaming import calls_for_demixing, explain, place
from analysis.learning.decomposition.stretched import Stretched, refine

FloatArray = NDArray[np.float64]

X = np.linspace(1.5, 6.0, 400)
PEAKS = ((1.9, 2.7, 3.3), (2.2, 3.0, 4.6), (2.4, 3.9, 5.2))

QUICK = Merging(n_starts=2, n_factors=(8,), unlikeness=(0.1,), least_dominance=(0.65,))
"""One way of merging, so that a test takes a second."""


def curve(peaks: tuple[float, ...], stretch: float = 1.0) -> FloatArray:
    heights = 1.0 / np.arange(1, len(peaks) + 1)
    return sum(
        h * np.exp(-0.5 * ((X - stretch * p) / 0.03) ** 2)
        for h, p in zip(heights, peaks, strict=True)
    )


def mixtures(n: int = 60, strain: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Three phases along a closed path of compositions, two at a time; the first is strained."""
    turn = np.linspace(0, 3, n, endpoint=False)
    shares = np.column_stack([np.maximum(1 - abs((turn - k + 1.5) % 3 - 1.5), 0) for k in range(3)])
    stretch = 1 + strain * np.sin(2 * np.pi * turn / 3)
    parts = np.array(
        [[curve(p, s if k == 0 else 1.0) for k, p in enumerate(PEAKS)] for s in stretch]
    )
    return shares, np.einsum("nk,nkp->np", shares, parts)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("kullback_leibler", [True, False])
def test_factors_of_three_pure_patterns_are_those_patterns(kullback_leibler: bool) -> None:
    _, curves = mixtures()
    factors = factorise(curves, 3, rng=rng(), kullback_leibler=kullback_leibler, n_iterations=800)
    likeness = factors.patterns @ np.array([curve(p) for p in PEAKS]).T
    likeness /= np.linalg.norm(factors.patterns, axis=1)[:, None]
    likeness /= [np.linalg.norm(curve(p)) for p in PEAKS]
    assert sorted(likeness.argmax(axis=1)) == [0, 1, 2]
    assert likeness.max(axis=1).min() > 0.99


def test_more_factors_than_curves_are_refused() -> None:
    with pytest.raises(ValueError, match="5 factors of 4 curves"):
        factorise(np.ones((4, 10)), 5, rng=rng())


def test_negative_curves_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        factorise(-np.ones((4, 10)), 2, rng=rng())


def test_unlike_curves_are_one_of_each_kind() -> None:
    pure = np.array([curve(p) for p in PEAKS])
    chosen = unlike_curves(np.repeat(pure, 5, axis=0), 3, rng=rng())
    assert sorted(chosen // 5) == [0, 1, 2]


def test_a_stretched_pattern_is_found_at_its_shift_on_the_logarithmic_axis() -> None:
    axis = logarithmic_axis(X, step=0.001)
    pair = resample(np.array([curve(PEAKS[0]), curve(PEAKS[0], 1.03)]), X, axis)
    likeness, shift = best_shifts(pair, largest=60)
    assert likeness[0, 1] > 0.95
    assert shift[0, 1] == pytest.approx(np.log(1.03) / 0.001, abs=1.5)
    assert shift[1, 0] == -shift[0, 1]


def test_a_logarithmic_axis_needs_positive_values() -> None:
    with pytest.raises(ValueError, match="above 0"):
        logarithmic_axis(np.array([0.0, 1.0]))


def test_two_shifted_copies_are_one_phase_unless_they_stand_side_by_side() -> None:
    axis = logarithmic_axis(X, step=0.001)
    pair = resample(np.array([curve(PEAKS[0]), curve(PEAKS[0], 1.03)]), X, axis)
    turns, together = np.eye(2), np.ones((2, 2))
    options = {"largest_shift": 60, "unlikeness": 0.1, "peak_width": 8}
    assert len(set(merge_alike(pair, turns, **options))) == 1
    assert len(set(merge_alike(pair, together, **options))) == 2


def test_a_fragment_that_never_dominates_joins_its_companion() -> None:
    weights = np.array([[1, 0.4, 0], [0.5, 0.2, 0.5], [0, 0, 1], [1, 0.4, 0], [0, 0, 1]])
    factors = Factors(weights, np.eye(3))
    labels = absorb_fragments(factors, np.arange(3), least_dominance=0.65)
    assert labels[0] == labels[1] != labels[2]


@pytest.mark.parametrize("strain", [0.0, 0.01])
def test_three_phases_are_found_also_if_one_changes_its_cell(strain: float) -> None:
    shares, curves = mixtures(strain=strain)
    found = demix(X, curves, rng=rng())
    assert found.n_phases == 3
    matched = matched_columns(found.fractions, shares)
    assert 0.5 * np.abs(matched - shares).sum(axis=1).mean() < 0.05
    np.testing.assert_allclose(found.fractions.sum(axis=1), 1.0)


@settings(max_examples=3, deadline=None)
@given(scales=st.lists(st.floats(1e-3, 1e3), min_size=60, max_size=60))
def test_the_scale_of_a_pattern_does_not_matter(scales: list[float]) -> None:
    _, curves = mixtures()
    merging = replace(QUICK, n_starts=1, n_factors=(4,))
    one = demix(X, curves, rng=rng(), merging=merging)
    other = demix(X, curves * np.array(scales)[:, None], rng=rng(), merging=merging)
    # Rounding grows over 400 multiplicative updates.
    np.testing.assert_allclose(other.fractions, one.fractions, atol=1e-4)


@settings(max_examples=3, deadline=None)
@given(order=st.permutations(range(60)))
def test_the_order_of_patterns_does_not_matter(order: list[int]) -> None:
    shares, curves = mixtures()
    found = demix(X, curves[order], rng=rng(), merging=QUICK)
    assert found.n_phases == 3
    matched = matched_columns(found.fractions, shares[order])
    assert 0.5 * np.abs(matched - shares[order]).sum(axis=1).mean() < 0.05


def test_gibbs_rule_leaves_the_largest_phases() -> None:
    _, curves = mixtures()
    found = demix(X, curves, rng=rng(), merging=QUICK, most_phases=1)
    assert np.all((found.fractions > 0).sum(axis=1) == 1)


def test_equal_patterns_are_one_phase() -> None:
    found = demix(X, np.repeat(curve(PEAKS[0])[None], 12, axis=0), rng=rng(), merging=QUICK)
    assert found.n_phases == 1
    assert found.unexplained.max() < 0.01


def test_an_empty_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="curve 3 is 0 everywhere"):
        demix(X, np.eye(len(X))[:6] * np.array([1, 1, 1, 0, 1, 1])[:, None], rng=rng())


def test_a_new_mixture_is_explained_and_a_new_phase_calls_for_demixing() -> None:
    _, curves = mixtures()
    noisy = curves + 0.002 * rng().random(curves.shape)
    found = demix(X, noisy, rng=rng(), merging=QUICK)
    fractions, left = explain(found, 0.5 * (curve(PEAKS[0]) + curve(PEAKS[1])))
    assert np.sort(fractions)[::-1][:2] == pytest.approx([0.5, 0.5], abs=0.03)
    foreign, unexplained = explain(found, curve((1.7, 4.2, 5.6)))
    assert unexplained > 0.5 > left
    assert foreign.sum() == pytest.approx(1.0)
    assert calls_for_demixing(found, unexplained)


def test_the_same_seed_gives_the_same_answer() -> None:
    _, curves = mixtures(strain=0.02)
    one, other = (demix(X, curves, rng=rng(), merging=QUICK) for _ in range(2))
    np.testing.assert_array_equal(one.fractions, other.fractions)
    np.testing.assert_array_equal(one.std, other.std)


def test_a_set_of_more_phases_than_factors_gets_more_factors() -> None:
    draw = rng()
    pure = np.array([curve(tuple(draw.uniform(1.7, 5.8, 4))) for _ in range(7)])
    shares = draw.dirichlet(np.full(7, 0.15), 60)
    found = demix(X, shares @ pure, rng=rng(), merging=replace(QUICK, n_factors=(4,)))
    assert found.factors.patterns.shape[0] > 7
    assert found.n_phases >= 6


def test_a_copy_and_a_fused_pair_cost_more_than_the_true_phases() -> None:
    shares, curves = mixtures()
    pure = np.array([curve(p) for p in PEAKS])
    # The first phase twice, each copy in half of every curve; the last two phases as one.
    copied = Factors(
        np.column_stack([0.5 * shares[:, 0], 0.5 * shares[:, 0], shares[:, 1:]]), pure[[0, 0, 1, 2]]
    )
    true = Factors(shares, pure)
    some = [
        Grouping(true, np.arange(3), shares),
        Grouping(copied, np.arange(4), copied.weights),
        Grouping(true, np.array([0, 1, 1]), np.column_stack([shares[:, 0], 1 - shares[:, 0]])),
    ]
    ranked = candidates(X, curves, some, largest_shift=0.06, detection_limit=0.05)
    assert ranked[0].grouping is some[0]


def test_a_little_of_a_phase_in_one_sample_alone_is_dropped() -> None:
    line = np.column_stack([np.linspace(0, 1, 8), np.linspace(1, 0, 8)])
    weights = np.column_stack([np.ones(8), np.zeros(8)])
    weights[2, 1] = 0.1
    weights[5:7, 1] = 0.1
    kept = without_islands(weights, line, n_nearest=2)
    assert kept[2, 1] == 0.0
    np.testing.assert_array_equal(np.delete(kept, 2, axis=0), np.delete(weights, 2, axis=0))
    weights[2, 1] = 1.0
    np.testing.assert_array_equal(without_islands(weights, line, n_nearest=2), weights)


def test_what_is_found_more_often_comes_first() -> None:
    shares, _ = mixtures()
    true = Factors(shares, np.array([curve(p) for p in PEAKS]))
    right = Grouping(true, np.arange(3), shares)
    fused = Grouping(true, np.array([0, 1, 1]), np.column_stack([shares[:, 0], 1 - shares[:, 0]]))
    found = most_agreed([fused, right, right], most=5)
    assert [g.n_phases for g in found] == [3, 2]


def test_doubts_grow_with_disagreement_and_near_the_limit() -> None:
    fractions = np.array([[0.5, 0.5, 0.0], [0.5, 0.45, 0.05], [0.3, 0.3, 0.4]])
    agree = [fractions, fractions]
    other = [fractions, fractions * [1.0, 1.0, 0.2]]
    options = {"costs": [0.0, 0.0], "unexplained": np.full(3, 0.1), "detection_limit": 0.05}
    calm, uneasy = (doubts(fractions, answers, **options) for answers in (agree, other))
    assert np.all(uneasy.std >= calm.std)
    assert uneasy.std[2, 2] > 2 * calm.std[2, 2]
    assert np.all(uneasy.p_wrong >= calm.p_wrong)
    assert calm.p_wrong[1] > calm.p_wrong[0]
    assert calm.presence[1, 2] == pytest.approx(0.5)


def test_shifting_back_is_the_adjoint_of_shifting() -> None:
    draw = rng()
    pattern, curves = np.pad(draw.random(40), 20), draw.random((5, 80))
    shifts = draw.uniform(-12, 12, 5)
    copies, _ = shifted(pattern, shifts)
    np.testing.assert_allclose(
        (copies * curves).sum(axis=1), shifted_back(curves, shifts) @ pattern, rtol=1e-12
    )


def test_the_slope_of_a_shifted_pattern_is_its_derivative() -> None:
    pattern = np.exp(-0.5 * ((np.arange(60) - 30) / 4) ** 2)
    copies, slopes = shifted(pattern, np.array([3.2, 3.3]))
    np.testing.assert_allclose((copies[1] - copies[0]) / 0.1, slopes[0], atol=1e-12)


def test_refinement_finds_stretches_and_shares_of_a_moving_phase() -> None:
    axis = logarithmic_axis(X, step=0.002)
    patterns = resample(np.array([curve(p) for p in PEAKS[:2]]), X, axis)
    shifts = np.column_stack([np.linspace(-4, 4, 20), np.zeros(20)])
    share = np.linspace(0.9, 0.2, 20)
    truth = Stretched(axis, patterns, shifts, np.column_stack([share, 1 - share]))
    start = Stretched(axis, patterns, np.zeros((20, 2)), np.full((20, 2), 0.5))
    found = refine(truth.parts().sum(axis=1), start, hold_patterns=True)
    # Of two points that the peaks are wide here: the fractions follow within a hundredth.
    np.testing.assert_allclose(found.shifts[:, 0], shifts[:, 0], atol=0.1)
    np.testing.assert_allclose(found.weights, truth.weights, atol=0.01)


def test_stretching_explains_a_solid_solution_better_than_fixed_patterns() -> None:
    shares, curves = mixtures(strain=0.02)
    errors = []
    for n_iterations in (0, 150):
        found = demix(X, curves, rng=rng(), merging=QUICK, n_iterations=n_iterations)
        assert found.n_phases == 3
        errors.append(float(np.abs(matched_columns(found.fractions, shares) - shares).mean()))
    assert errors[1] < 0.5 * errors[0]
    assert errors[1] < 0.01


def test_new_curves_are_placed_with_their_own_stretch() -> None:
    _, curves = mixtures(strain=0.01)
    found = demix(X, curves, rng=rng(), merging=QUICK)
    placed = place(found, curves[7:9])
    np.testing.assert_allclose(placed.weights, found.stretched.weights[7:9], atol=0.05)
