"""Probabilities mean frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.learning.calibration import (
    expected_calibration_error,
    fit_logistic,
    reliability,
    with_prior,
)

inside = st.floats(0.01, 0.99)


def test_a_logistic_world_is_learnt() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 2))
    truth = 1 / (1 + np.exp(-(0.5 + 2.0 * x[:, 0])))
    yes = rng.random(4000) < truth
    told = fit_logistic(x, yes).probability(x)
    assert np.abs(told - truth).mean() < 0.02
    assert expected_calibration_error(told, yes) < 0.02


def test_answers_all_alike_teach_nothing() -> None:
    with pytest.raises(ValueError, match="alike"):
        fit_logistic([[0.0], [1.0]], [True, True])


def test_overconfidence_is_an_error_of_its_size() -> None:
    yes = np.arange(1000) % 10 < 7
    assert expected_calibration_error(np.full(1000, 0.95), yes) == pytest.approx(0.25)


@given(inside, inside)
def test_the_same_frequency_changes_nothing(p: float, base: float) -> None:
    assert with_prior(p, base=base, prior=base) == pytest.approx(p)


@given(inside, inside)
def test_a_silent_observation_leaves_the_prior(base: float, prior: float) -> None:
    assert with_prior(base, base=base, prior=prior) == pytest.approx(prior)


def test_the_reliability_table_tells_what_came_true() -> None:
    table = reliability([0.1, 0.1, 0.1, 0.1, 0.9], [True, False, False, False, True])
    assert [(b.stated, b.frequency, b.n) for b in table] == [
        (pytest.approx(0.1), 0.25, 4),
        (pytest.approx(0.9), 1.0, 1),
    ]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_every_probability_is_in_one_bin(pairs: list[tuple[float, bool]]) -> None:
    p, yes = zip(*pairs, strict=True)
    table = reliability(p, yes)
    assert sum(b.n for b in table) == len(pairs)
    assert all(0 <= b.frequency <= 1 for b in table)
