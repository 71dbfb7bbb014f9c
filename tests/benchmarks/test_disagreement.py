"""The benchmark of disagreeing agents compares what it says it compares."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.disagreement import figures, is_wrong
from benchmarks.disagreement_rules import (
    SECONDS,
    Said,
    Sample,
    all_repeated,
    as_before,
    by_variance,
    settled,
    surest,
    voted,
)
from benchmarks.disagreement_worlds import LEARNT_ON, REPORTED_ON, draw, measured

GOOD, OFF = Said(0.5, 0.01, 0.02), Said(0.8, 0.01, 0.02)
FINE = {"x": "fine", "n": "fine", "x again": "fine", "n again": "fine"}


def sample(**said: Said | None) -> Sample:
    first = {"x.long": GOOD, "x.short": GOOD, "n.long": GOOD}
    told = {**first, **{f"{name} again": one for name, one in first.items()}}
    return Sample(
        0, "nothing", FINE, 0.5, {**told, **{k.replace("_", "."): v for k, v in said.items()}}
    )


def test_constants_are_learnt_on_other_structures_than_are_reported() -> None:
    assert not set(LEARNT_ON) & set(REPORTED_ON)


def test_agents_that_agree_cost_no_further_measurement() -> None:
    said, seconds = settled(sample())
    assert said is not None
    assert said.p_wrong < 0.05
    assert seconds == SECONDS["x"] + SECONDS["n"]


def test_a_swapped_pattern_is_found_out_by_repeating_it() -> None:
    swapped = sample(x_long=OFF, x_short=OFF)
    once, (then, seconds) = voted(swapped.heard()), settled(swapped)
    assert once is not None
    assert then is not None
    assert once.p_wrong > 0.3
    assert not is_wrong(then, swapped.truth)
    assert then.p_wrong < 0.05
    assert seconds < sum(SECONDS.values())


def test_twice_everything_outvotes_one_swapped_pattern() -> None:
    said, seconds = all_repeated(sample(x_long=OFF, x_short=OFF))
    assert said is not None
    assert said.value == pytest.approx(0.5, abs=0.01)
    assert seconds == sum(SECONDS.values())


def test_the_simpler_rules_are_what_they_are_called() -> None:
    said = sample(n_long=Said(0.8, 0.01, 0.01)).heard()
    assert surest(said) == Said(0.8, 0.01, 0.01)
    mean, before = by_variance(said), as_before(said)
    assert mean is not None
    assert before is not None
    assert mean.value == pytest.approx(0.6)
    assert before.p_wrong == 0.5


def test_figures_of_honest_statements_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    doubts = rng.uniform(0, 1, 3000)
    wrong = rng.random(3000) < doubts
    told = [(Said(0.9 if bad else 0.5, 0.01, p), 0.5) for p, bad in zip(doubts, wrong, strict=True)]
    found = figures(told)
    assert found["ece"] < 0.05  # of 300 in a bin the frequency has a standard error of 0.03
    assert found["auroc"] == pytest.approx(5 / 6, abs=0.03)


def test_a_swapped_measurement_shows_the_other_sample() -> None:
    case = draw(np.random.default_rng(1), REPORTED_ON)
    fine, other = (
        measured(
            type(case)(case.phases, case.weights, case.other, "nothing", {**FINE, "x": fault}),
            "x",
            rng=np.random.default_rng(2),
        )
        for fault in ("fine", "swapped")
    )
    assert np.mean((fine.y - other.y) ** 2 / np.maximum(fine.y, 1)) > 2  # beyond counting noise
