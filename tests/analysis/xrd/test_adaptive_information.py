"""The numbers behind a request: evidence of phase sets and information of scans not yet taken."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.physics.structures import structure
from analysis.xrd.adaptive.hypotheses import (
    SCALE_PRIOR,
    Hypotheses,
    hypotheses,
    prior_log_odds,
)
from analysis.xrd.adaptive.information import expected_information
from analysis.xrd.adaptive.linear import LinearModel, linear_model
from analysis.xrd.adaptive.model_error import shown_error
from analysis.xrd.adaptive.scoring import Scorer
from analysis.xrd.adaptive.segments import best_segment, segments
from analysis.xrd.adaptive.timing import Timing
from analysis.xrd.fit import fit_pattern
from analysis.xrd.forward import PhaseState, Resolution, pattern
from analysis.xrd.layout import Layout
from analysis.xrd.radiation import CU_K_ALPHA
from analysis.xrd.splicing import splice
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import measurement

GRID = np.round(np.arange(15.0, 80.0, 0.04), 6)
NAMES = ("corundum", "quartz")


def counted(*, time: float, seed: int, extra: float = 0.0) -> Measurement:
    """Return a scan of corundum with 4 % of quartz, and fluorite besides if asked for."""
    fractions = {"corundum": 0.96, "quartz": 0.04, "fluorite": extra}
    bragg = pattern(
        GRID,
        [PhaseState(structure(n), weight_fraction=f, size=500.0) for n, f in fractions.items()],
    )
    rate = 2.0 + 40.0 * bragg / bragg.max()
    counts = np.random.default_rng(seed).poisson(rate * time).astype(float)
    return measurement(GRID, counts, counting_time=time)


@cache
def model(time: float = 4.0, seed: int = 0, extra: float = 0.0) -> LinearModel:
    spliced = splice([counted(time=time, seed=seed, extra=extra)], radiation=CU_K_ALPHA)
    layout = Layout(tuple(structure(n) for n in NAMES), Resolution(w=0.004))
    fit = fit_pattern(spliced.fit_range(), layout=layout, radiation=CU_K_ALPHA, background_order=6)
    return linear_model(fit, spliced, reach=(15.0, 80.0))


def sets(information: np.ndarray, estimate: np.ndarray, *, total: float = 1.0) -> Hypotheses:
    return hypotheses(
        information,
        information @ estimate,
        total=total,
        log_odds=prior_log_odds(len(estimate), n_candidates=50),
    )


def test_a_phase_far_above_its_doubt_is_there_and_one_at_zero_is_not() -> None:
    found = sets(np.diag([1e4, 1e4]), np.array([0.2, 0.0]))
    assert found.presence[0] > 0.999
    # Its prior of 2.5 in 50, times Occam's factor 0.01 / 0.3.
    assert found.presence[1] < 0.05 * 0.1
    assert found.weights.sum() == pytest.approx(1.0)


def test_the_evidence_is_the_likelihood_averaged_over_the_scale() -> None:
    information, estimate = 400.0, 0.1
    s = np.linspace(0.0, 3.0, 200_001)
    prior = 2 * np.exp(-0.5 * (s / SCALE_PRIOR) ** 2) / (SCALE_PRIOR * np.sqrt(2 * np.pi))
    ratio = np.trapezoid(prior * np.exp(information * (estimate * s - 0.5 * s**2)), s)
    odds = ratio * np.exp(prior_log_odds(1, n_candidates=50)[0])
    found = sets(np.array([[information]]), np.array([estimate]))
    assert found.presence[0] == pytest.approx(odds / (1 + odds), rel=1e-6)


def test_of_two_phases_that_look_alike_one_is_enough() -> None:
    """Nearly parallel columns: the data want the sum to be 0.2, and cannot tell whose it is."""
    information = 1e4 * np.array([[1.0, 0.995], [0.995, 1.0]])
    found = sets(information, np.array([0.1, 0.1]))
    assert found.holds[0].sum() == 1
    assert found.presence.sum() == pytest.approx(1.0, abs=0.15)


def test_a_fraction_is_as_unsure_as_the_sets_differ() -> None:
    """One phase surely, another perhaps: its share jumps between 0 and about a quarter."""
    found = sets(np.diag([1e6, 300.0]), np.array([0.3, 0.13]))
    p = float(found.presence[1])
    assert 0.1 < p < 0.9
    share = found.means[np.flatnonzero(found.holds[:, 1])[0]]
    jump = share[1] / share.sum()
    expected = jump * np.sqrt(p * (1 - p))
    np.testing.assert_allclose(found.fraction_std, expected, rtol=0.02)


def test_a_scan_that_tells_nothing_of_the_scales_brings_nothing() -> None:
    found = sets(np.diag([100.0, 100.0]), np.array([0.3, 0.1]))
    assert found.entropy > 0.1
    assert expected_information(np.zeros((2, 2)), found) == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    estimate=st.lists(st.floats(0.0, 0.3), min_size=2, max_size=4),
    gain=st.floats(1.0, 1e5),
    seed=st.integers(0, 1000),
)
def test_information_is_never_more_than_the_doubt_and_grows_with_the_scan(
    estimate: list[float], gain: float, seed: int
) -> None:
    n = len(estimate)
    root = np.random.default_rng(seed).normal(size=(n, n))
    found = sets(np.diag(np.full(n, 200.0)), np.array(estimate))
    added = gain * (root @ root.T) / n
    little, much = (expected_information(f * added, found) for f in (1.0, 10.0))
    assert -1e-9 <= little <= much + 1e-9
    assert much <= found.entropy + 1e-9


def test_information_is_a_lower_bound_of_what_draws_of_the_scan_tell() -> None:
    """Two sets, one scale: mutual information by brute force over 40 000 drawn scans."""
    found = sets(np.array([[300.0]]), np.array([0.13]))
    assert 0.1 < found.weights[0] < 0.9
    gain = 400.0
    bound = expected_information(np.array([[gain]]), found)
    rng = np.random.default_rng(0)
    with_phase = np.flatnonzero(found.holds[:, 0])[0]
    mean, std = found.means[with_phase, 0], np.sqrt(found.covariances[with_phase, 0, 0])
    weight = float(found.weights[with_phase])
    grid = np.linspace(0.0, mean + 8 * std, 2001)
    scale_prior = np.exp(-0.5 * ((grid - mean) / std) ** 2)
    scale_prior /= scale_prior.sum()
    held = rng.random(40_000) < weight
    scales = np.where(held, rng.choice(grid, 40_000, p=scale_prior), 0.0)
    seen = np.sqrt(gain) * scales + rng.standard_normal(40_000)
    absent = np.exp(-0.5 * seen**2)
    present = np.array([np.exp(-0.5 * (z - np.sqrt(gain) * grid) ** 2) @ scale_prior for z in seen])
    after = weight * present / (weight * present + (1 - weight) * absent)
    left = -np.mean(after * np.log(after) + (1 - after) * np.log1p(-after))
    true = found.entropy - left
    assert bound <= true * 1.05
    assert bound > 0.4 * true  # a bound that is worth its name


def test_predicted_information_is_what_a_scan_as_long_really_brings() -> None:
    short, long = model(time=4.0), model(time=20.0, seed=5)
    predicted = short.reduced(short.gram(short.weights(short.exposure + 16.0)))
    real, _ = long.statistic()
    # Scales are in counts of the scan, so relative information is compared. Both scans know rates
    # and profiles from their own counts only.
    relative = np.diag(predicted) * short.scales**2, np.diag(real) * long.scales**2
    np.testing.assert_allclose(*relative, rtol=0.25)


def test_the_statistic_holds_the_fit_where_scales_are_free() -> None:
    found = model()
    information, statistic = found.statistic()
    estimate = np.linalg.solve(information, statistic)
    std = np.sqrt(np.diag(np.linalg.inv(information)))
    # A converged fit stands at its own optimum, within a fraction of its doubt.
    assert np.all(np.abs(estimate - found.scales) < 0.5 * std)


def test_a_phase_outside_the_fit_is_scored_by_what_it_explains() -> None:
    names = (*NAMES, "fluorite", "halite", "periclase")
    scorer = Scorer(
        [structure(n) for n in names], radiation=CU_K_ALPHA, resolution=Resolution(w=0.004)
    )
    found = scorer.scores(model(extra=0.05), (0, 1), displacement=0.0)
    assert set(found) == {2, 3, 4}
    assert found[2].log_evidence > 20
    assert abs(found[2].strain) <= 0.002
    assert max(found[3].log_evidence, found[4].log_evidence) < 3


def test_model_error_is_read_from_strong_peaks_and_not_from_unknown_ones() -> None:
    rng = np.random.default_rng(0)
    nearby = np.where(np.arange(2000) % 100 < 10, 1000.0, 1.0)
    noise = np.full(2000, 25.0)
    residual = rng.normal(0.0, np.sqrt(noise + (0.05 * nearby) ** 2))
    error, beyond = shown_error(residual, noise=noise, nearby=nearby)
    assert error == pytest.approx(0.05, rel=0.15)
    assert beyond < 1.3
    residual[50:60] += 60.0  # a peak of 12 sigma where no phase has one
    stranger, _ = shown_error(residual, noise=noise, nearby=nearby)
    assert stranger == pytest.approx(error, rel=0.1)


def test_the_best_segment_is_affordable_and_best_per_second() -> None:
    found = model(time=0.5, seed=2)
    information, statistic = found.statistic()
    known = hypotheses(
        information,
        statistic,
        total=float(found.scales.sum()),
        log_odds=prior_log_odds(2, n_candidates=50),
    )
    timing = Timing(overhead=20.0, move=0.0, channels=100.0)
    all_of_them = list(segments(found, known, timing, (1.0, 4.0), 60.0))
    best = best_segment(found, known, timing=timing, counting_times=(1.0, 4.0), affordable=60.0)
    assert best is not None
    assert all(s.seconds <= 60.0 for s in all_of_them)
    assert best.rate == max(s.rate for s in all_of_them)
    assert best.low < 26.64 < best.high
    n_points = round((best.high - best.low) / 0.04) + 1
    assert best.seconds == pytest.approx(20.0 + n_points * best.counting_time / 100.0, rel=0.01)
    assert best_segment(found, known, timing=timing, counting_times=(1.0,), affordable=10) is None


def test_counting_noise_alone_gets_smaller_with_time() -> None:
    found = replace(model(), inflation=1.0)
    once, often = found.weights(found.exposure), found.weights(1e9 * found.exposure)
    near = found.error > 0.005 * found.rate  # on and beside peaks
    assert 10 < near.sum() < len(near) / 2
    np.testing.assert_allclose(often[near], 1 / found.error[near] ** 2, rtol=0.01)
    assert np.all(often >= once)
