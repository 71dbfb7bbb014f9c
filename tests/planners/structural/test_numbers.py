"""Which setting moves a number of the structure is learnt from readings, some of them wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planners.encoding import Encoding
from planners.structural.axes import axes_of, choices
from planners.structural.labels import LabelModel
from planners.structural.numbers import NumberModel
from tests.planners.structural.world import SPACE

ENCODING = Encoding(SPACE)
AXES = axes_of(ENCODING)


def cube(n: int, seed: int) -> np.ndarray:
    """Return coordinates of random settings, (n, 5): two numbers, three categories."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.random((n, 2)), np.eye(3)[rng.integers(3, size=n)]])


def model(
    x: np.ndarray, y: np.ndarray, *, noise: float = 0.01, p_wrong: float = 0.05
) -> NumberModel:
    n = len(y)
    return NumberModel(AXES, x, y, np.full(n, noise), p_wrong=np.full(n, p_wrong), spread=1.0)


def test_axes_know_numbers_from_labels() -> None:
    assert [(a.name, a.is_label) for a in AXES] == [
        ("acid", False),
        ("pressure", False),
        ("solvent", True),
    ]
    assert len(choices(3)) == 8
    assert len(choices(10)) == 1 + 10 + 45 + 1


def test_a_line_along_one_setting_is_found_from_three_readings() -> None:
    x = cube(3, 1)
    found = model(x, 0.3 + 0.8 * x[:, 1])
    assert found.relevance()["pressure"] > 0.5
    at = cube(50, 2)
    mean, std = found.forecast(at).moments()
    off = mean - (0.3 + 0.8 * at[:, 1])
    assert np.sqrt(np.mean(off**2)) < 0.25
    assert np.mean(np.abs(off) < 2 * std) > 0.8


def test_two_settings_that_act_on_each_other_are_told_from_two_that_add() -> None:
    x = cube(40, 3)
    together = np.sin(3 * x[:, 0]) * np.cos(4 * x[:, 1])
    at = cube(80, 4)
    mean, _ = model(x, together).forecast(at).moments()
    off = mean - np.sin(3 * at[:, 0]) * np.cos(4 * at[:, 1])
    assert np.sqrt(np.mean(off**2)) < 0.1  # the spread of the surface is 0.45


def test_a_reading_off_the_others_course_is_taken_for_wrong() -> None:
    x = cube(12, 5)
    y = 0.3 + 0.8 * x[:, 1]
    y[4] += 0.5
    found = model(x, y)
    assert found.right[4] < 0.05
    assert np.delete(found.right, 4).min() > 0.9


def test_a_third_of_wrong_readings_does_not_move_the_course() -> None:
    rng = np.random.default_rng(6)
    x = cube(18, 6)
    y = 0.3 + 0.8 * x[:, 1]
    y[:6] = rng.uniform(-1, 2, 6)
    doubt = np.where(np.arange(18) < 6, 0.6, 0.05)
    found = NumberModel(AXES, x, y, np.full(18, 0.01), p_wrong=doubt, spread=1.0)
    at = cube(50, 7)
    mean, _ = found.forecast(at).moments()
    assert np.abs(mean - (0.3 + 0.8 * at[:, 1])).max() < 0.05


def test_pure_noise_follows_nothing() -> None:
    rng = np.random.default_rng(8)
    found = model(cube(25, 8), rng.normal(size=25), noise=1.0)
    assert max(found.relevance().values()) < 0.5


@settings(max_examples=10, deadline=None)  # each learns two models
@given(shift=st.floats(-5, 5), seed=st.integers(0, 20))
def test_a_shift_of_all_readings_shifts_the_forecast(shift: float, seed: int) -> None:
    x = cube(6, seed)
    y = np.random.default_rng(seed).normal(size=6)
    at = cube(4, seed + 100)
    one = model(x, y).forecast(at).moments()
    other = model(x, y + shift).forecast(at).moments()
    np.testing.assert_allclose(other[0], one[0] + shift, atol=1e-6)
    np.testing.assert_allclose(other[1], one[1], atol=1e-6)


def test_draws_have_the_forecast_s_moments() -> None:
    x = cube(5, 9)
    forecast = model(x, np.array([0.0, 0.3, 0.1, 0.7, 0.5])).forecast(cube(3, 10))
    rng = np.random.default_rng(0)
    drawn = forecast.drawn(rng.random(40_000), rng.normal(size=40_000))
    mean, std = forecast.moments()
    assert drawn.mean(axis=0) == pytest.approx(mean, abs=0.02)
    assert drawn.std(axis=0) == pytest.approx(std, rel=0.05)


def test_the_answer_follows_the_label_that_decides_it() -> None:
    x = cube(9, 11)
    votes = x[:, 2:]
    found = LabelModel(AXES, x, votes, p_wrong=np.zeros(9))
    relevance = found.relevance()
    assert relevance["solvent"] > 0.8
    assert relevance["solvent"] > max(relevance["acid"], relevance["pressure"])
    share = found.forecast(cube(20, 12))
    assert share.sum(axis=1) == pytest.approx(1.0)
    assert (share.argmax(axis=1) == cube(20, 12)[:, 2:].argmax(axis=1)).mean() > 0.9


def test_votes_that_are_wrong_count_for_nothing() -> None:
    x = cube(6, 13)
    votes = np.eye(3)[[0] * 6]
    found = LabelModel(AXES, x, votes, p_wrong=np.ones(6))
    assert found.forecast(x) == pytest.approx(1 / 3)
