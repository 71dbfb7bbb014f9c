"""Amounts of phases: borders between samples, and what a reading is worth."""

from __future__ import annotations

import numpy as np
import pytest

from planners.columns import Array
from planners.mapping.amounts import AmountMap, _cut_off, amount_map
from planners.mapping.maps import doubt_of
from planners.mapping.readings import Amounts, readings_for
from planners.proposal import Observation
from planners.structure import Reading, Structure

GROUPS = np.zeros(1, dtype=np.int64)


def lever(x: Array) -> Array:
    """Return shares of two phases: the first alone, both by the lever rule, the second alone."""
    second = np.clip((x[:, 0] - 0.3) / 0.4, 0.0, 1.0)
    return np.column_stack([1 - second, second])


def mapped(x: Array, *, p_wrong: float = 0.0) -> AmountMap:
    shares = lever(x)
    n = len(x)
    readings = Amounts(
        "xrd.share", np.ones(n, dtype=np.bool_), ("a", "b"), shares, np.full((n, 2), 0.01),
        np.full(n, p_wrong),
    )  # fmt: skip
    return amount_map(readings, x, groups=GROUPS)


def test_a_border_is_found_between_samples() -> None:
    x = np.linspace(0, 1, 9)[:, None]
    fine = np.linspace(0, 1, 201)[:, None]
    there = mapped(x).probabilities(fine)[:, 1] > 0.5
    # Present from a share of 0.05, at 0.32; samples stand 0.125 apart.
    assert fine[there.argmax(), 0] == pytest.approx(0.32, abs=0.04)


def test_the_gain_is_what_readings_take_away_on_average() -> None:
    x = np.array([[0.0], [0.25], [0.75], [1.0]])
    found = mapped(x)
    over = np.linspace(0, 1, 21)[:, None]
    at = np.array([[0.45]])
    promised = float(found.gain(at, over)[0])
    rng = np.random.default_rng(0)
    after = np.mean([_doubt_after(found, at, over, rng) for _ in range(400)])
    now = float(doubt_of(found.probabilities(over)).mean())
    # 400 draws leave a hundredth of the doubt to chance.
    assert promised == pytest.approx(now - after, abs=0.01)


def test_a_phase_that_nobody_saw_is_not_on_the_map() -> None:
    assert mapped(np.array([[0.0], [0.1], [0.2]])).names == ("a",)


def test_censored_amounts_keep_to_their_side() -> None:
    mean, variance = _cut_off(np.array([1.0, -3.0]), np.array([1.0, 1.0]), 0.0)
    rng = np.random.default_rng(1)
    drawn = rng.normal(1.0, 1.0, 200_000)
    drawn = drawn[drawn < 0]
    assert mean[0] == pytest.approx(drawn.mean(), abs=0.01)
    assert variance[0] == pytest.approx(drawn.var(), abs=0.01)
    # Far from the edge nothing is cut off.
    assert mean[1] == pytest.approx(-3.0, abs=0.02)


def test_numbers_that_share_a_whole_are_amounts_and_others_are_not() -> None:
    def seen(a: float, b: float) -> Observation:
        numbers = {"xrd.share.a": Reading(value=a), "xrd.share.b": Reading(value=b)}
        return Observation(
            values={"x": a}, outcomes={"y": 0.0}, structure=Structure(numbers=numbers)
        )

    shares = [seen(a, 1 - a) for a in np.linspace(0, 1, 6)]
    assert isinstance(readings_for(shares, ""), Amounts)
    lengths = [seen(a, 3.9 + 0.1 * a) for a in np.linspace(0, 1, 6)]
    assert not isinstance(readings_for(lengths, "xrd.share"), Amounts)


def _doubt_after(found: AmountMap, at: Array, over: Array, rng: np.random.Generator) -> float:
    """Return the mean doubt after one drawn reading, by Gaussian conditioning done here."""
    doubts = []
    for process, limit in zip(found.processes, found._limits, strict=True):
        mean, covariance = process.joint(np.concatenate([at, over]))
        total = covariance[0, 0] + float(np.median(process.variances))
        drawn = rng.normal(mean[0], np.sqrt(total))
        pull = covariance[0, 1:] / total
        new = mean[1:] + pull * (drawn - mean[0])
        left = np.sqrt(np.maximum(np.diag(covariance)[1:] - pull * covariance[0, 1:], 1e-12))
        q = _above(new, left, limit)
        doubts.append(q * (1 - q))
    return float(np.sum(doubts, axis=0).mean())


def _above(mean: Array, std: Array, limit: float) -> Array:
    from scipy.stats import norm

    return np.asarray(norm.sf(limit, mean, std))
