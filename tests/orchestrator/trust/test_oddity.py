"""A statement is odd if it is unlike those before, or unlike its neighbours in the settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.insight import Estimate
from orchestrator.trust.foretelling import deviation
from orchestrator.trust.oddity import BEFORE, oddity
from orchestrator.trust.statements import Statement

Q = "xrd.weight_fraction.rutile"
ZERO = "xrd.displacement"


def reading(
    turn: int, at: float, *, fraction: float | None = None, zero: float = 0.0, p_wrong: float = 0.01
) -> Statement:
    """Return a reading of a sample fired at a temperature: rutile follows it."""
    value = 1 / (1 + np.exp(-(at - 650) / 20)) if fraction is None else fraction
    rng = np.random.default_rng([turn, 1])
    noisy = float(np.clip(value + 0.01 * rng.standard_normal(), 0, 1))
    moved = zero + 0.02 * float(rng.standard_normal())
    return Statement(
        turn,
        "xrd.quantify",
        {Q: Estimate(noisy, 0.01, ""), ZERO: Estimate(moved, 0.005, "deg")},
        p_wrong=p_wrong,
        values={"temperature": at},
    )


EARLIER = [reading(k, 550 + 200 * (k * 0.618 % 1)) for k in range(20)]


@pytest.mark.parametrize("at", [580.0, 640.0, 660.0, 720.0])
def test_a_reading_like_its_neighbours_is_not_odd(at: float) -> None:
    assert oddity(reading(20, at), EARLIER).score < 1


def test_the_reading_of_another_sample_is_odd_in_its_place_and_little_doubted() -> None:
    odd = oddity(reading(20, 570.0, fraction=0.9), EARLIER)
    assert odd.place >= 1
    assert odd.instrument < 1
    assert odd.floor == 0.0  # it may be the find that is sought


def test_a_zero_far_from_the_usual_one_is_odd_and_named() -> None:
    odd = oddity(reading(20, 600.0, zero=0.2), EARLIER)
    assert odd.instrument >= 1
    assert ZERO in odd.why
    assert odd.floor == 0.5


def test_a_doubt_far_above_the_usual_one_is_odd() -> None:
    assert oddity(reading(20, 600.0, p_wrong=0.4), EARLIER).doubt >= 1
    doubtful = [replace(s, p_wrong=0.3) for s in EARLIER]
    assert oddity(reading(20, 600.0, p_wrong=0.4), doubtful).doubt < 1


def test_nothing_is_odd_before_the_usual_is_known() -> None:
    assert oddity(reading(20, 600.0, zero=1.0, p_wrong=0.9), EARLIER[: BEFORE - 1]).score == 0


def test_a_straight_line_is_foretold_beyond_its_ends() -> None:
    x = np.linspace(0, 0.8, 12)[:, None]
    values = 5.0 - 2.0 * x[:, 0]
    end = np.array([1.0])
    assert abs(deviation(x, values, place=end, value=3.0)) < 2
    assert deviation(x, values, place=end, value=5.0) > 5
