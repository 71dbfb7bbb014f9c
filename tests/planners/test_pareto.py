"""Fronts and hypervolumes: known answers, and what must not change them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from planners.errors import PlanningError
from planners.pareto import hypervolume, hypervolume_course, non_dominated


def tables(most: int = 7) -> st.SearchStrategy[np.ndarray]:
    """Return gains on a coarse grid, so that ties and equal points are common."""
    return st.tuples(st.integers(1, most), st.integers(1, 4)).flatmap(
        lambda shape: arrays(float, shape, elements=st.integers(-3, 6).map(float))
    )


def by_inclusion_and_exclusion(gains: np.ndarray, reference: np.ndarray) -> float:
    """Return the volume of the union of boxes from the volumes of all intersections."""
    boxes = np.maximum(gains - reference, 0.0)
    total = 0.0
    for size in range(1, len(boxes) + 1):
        for some in itertools.combinations(boxes, size):
            total += (-1) ** (size + 1) * float(np.prod(np.min(some, axis=0)))
    return total


def test_of_equal_points_both_stay_on_the_front_and_what_is_beaten_goes() -> None:
    gains = [[1.0, 3.0], [3.0, 1.0], [1.0, 3.0], [1.0, 2.0], [0.0, 0.0]]
    assert non_dominated(gains).tolist() == [True, True, True, False, False]


def test_two_boxes_count_their_overlap_once() -> None:
    assert hypervolume([[2.0, 1.0], [1.0, 2.0]], [0.0, 0.0]) == 3.0
    assert hypervolume([[1.0, 1.0, 2.0], [1.0, 2.0, 1.0], [2.0, 1.0, 1.0]], [0.0] * 3) == 4.0


def test_many_points_on_a_sphere_dominate_the_volume_of_its_octant() -> None:
    # The fraction of the unit ball in the first octant: pi/4 of the disc, pi/6 of the ball.
    angle = np.linspace(0, np.pi / 2, 4001)
    disc = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert hypervolume(disc, [0.0, 0.0]) == pytest.approx(np.pi / 4, abs=1e-3)
    i = np.arange(3000) + 0.5
    height, turn = i / 3000, (i * 0.6180339887) % 1 * np.pi / 2
    radius = np.sqrt(1 - height**2)
    ball = np.stack([radius * np.cos(turn), radius * np.sin(turn), height], axis=1)
    # Boxes below 3000 scattered points leave about 3 % of the octant out.
    assert hypervolume(ball[::6], [0.0] * 3) < hypervolume(ball, [0.0] * 3) < np.pi / 6
    assert hypervolume(ball, [0.0] * 3) == pytest.approx(np.pi / 6, rel=0.05)


@given(tables())
def test_the_volume_is_that_of_inclusion_and_exclusion(gains: np.ndarray) -> None:
    reference = np.zeros(gains.shape[1])
    assert hypervolume(gains, reference) == pytest.approx(
        by_inclusion_and_exclusion(gains, reference)
    )


@given(tables(12), st.randoms(use_true_random=False))
def test_order_shift_and_beaten_points_change_nothing(gains: np.ndarray, random: object) -> None:
    reference = np.full(gains.shape[1], -1.0)
    shuffled = np.array(random.sample(gains.tolist(), len(gains)))
    volume = hypervolume(gains, reference)
    assert hypervolume(shuffled, reference) == pytest.approx(volume)
    assert hypervolume(gains + 2.5, reference + 2.5) == pytest.approx(volume)
    assert hypervolume(gains[:, ::-1], reference) == pytest.approx(volume)
    assert hypervolume(gains[non_dominated(gains)], reference) == pytest.approx(volume)
    assert hypervolume(3 * gains, 3 * reference) == pytest.approx(
        volume * 3.0 ** gains.shape[1]
    )  # a volume grows with the product of its units


@settings(max_examples=50)
@given(tables(12))
def test_the_course_ends_at_the_volume_of_all_and_never_falls(gains: np.ndarray) -> None:
    reference = np.zeros(gains.shape[1])
    course = hypervolume_course(gains, reference)
    each = [hypervolume(gains[: i + 1], reference) for i in range(len(gains))]
    assert course == pytest.approx(each)
    assert np.all(np.diff(course) >= 0)


@given(tables(12))
def test_what_is_off_the_front_is_beaten_by_something_on_it(gains: np.ndarray) -> None:
    free = non_dominated(gains)
    assert free.any()
    for own in gains[~free]:
        assert any(np.all(g >= own) and np.any(g > own) for g in gains[free])


def test_missing_values_and_a_reference_of_another_length_are_refused() -> None:
    with pytest.raises(PlanningError, match="finite numbers"):
        non_dominated([[1.0, float("nan")]])
    with pytest.raises(PlanningError, match="2 finite numbers"):
        hypervolume([[1.0, 2.0]], [0.0])
