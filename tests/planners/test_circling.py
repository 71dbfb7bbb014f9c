"""Experiments that repeat one another without gain send the next one elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from planners import ContinuousParameter, Objective, Observation, SearchSpace, Target
from planners.bayesian import make
from planners.bayesian.circling import ELSEWHERE, NEAR, PATIENCE, circles
from planners.encoding import Encoding
from planners.objective import OutcomeConstraint

SPACE = SearchSpace(
    parameters=(
        ContinuousParameter(name="a", low=0.0, high=1.0),
        ContinuousParameter(name="b", low=0.0, high=1.0),
    )
)
LEAST = Objective(targets=(Target(quantity="f", goal="minimize"),))


def _made(rows: list[tuple[float, float, float]]) -> tuple[list[Observation], np.ndarray]:
    known = [Observation(values={"a": a, "b": b}, outcomes={"f": f}) for a, b, f in rows]
    return known, Encoding(SPACE).encode_observations(known)


SPREAD = [(0.1, 0.1, 3.0), (0.9, 0.2, 2.0), (0.4, 0.8, 0.5), (0.8, 0.9, 1.5)]


def test_repetitions_without_gain_circle():
    known, x = _made([*SPREAD, (0.41, 0.8, 0.5), (0.40, 0.81, 0.4999)])
    assert circles(LEAST, known, x)


@pytest.mark.parametrize(
    "last",
    [
        [(0.41, 0.8, 0.5), (0.40, 0.81, 0.3)],  # a gain
        [(0.41, 0.8, 0.5), (0.40, 0.81 + 3 * NEAR, 0.5)],  # a new place
        [(0.6, 0.5, 1.0), (0.40, 0.81, 0.5)],  # one repetition only
    ],
)
def test_a_gain_or_a_new_place_does_not_circle(last):
    known, x = _made([*SPREAD, *last])
    assert not circles(LEAST, known, x)


def test_what_breaks_a_bound_is_no_gain():
    bounded = LEAST.model_copy(
        update={"constraints": (OutcomeConstraint(quantity="g", upper=0.0),)}
    )
    rows = [*SPREAD, (0.41, 0.8, 0.2), (0.40, 0.81, 0.1)]
    known = [
        Observation(values={"a": a, "b": b}, outcomes={"f": f, "g": 1.0 if f < 0.4 else -1.0})
        for a, b, f in rows
    ]
    x = Encoding(SPACE).encode_observations(known)
    assert circles(bounded, known, x)
    assert not circles(LEAST, known, x), "without the bound these are gains"


def test_no_bounded_best_yet_does_not_circle():
    bounded = LEAST.model_copy(
        update={"constraints": (OutcomeConstraint(quantity="g", upper=0.0),)}
    )
    known = [
        Observation(values={"a": 0.5, "b": 0.5 + 1e-3 * i}, outcomes={"f": 1.0, "g": 1.0})
        for i in range(PATIENCE + 3)
    ]
    assert not circles(bounded, known, Encoding(SPACE).encode_observations(known))


@pytest.mark.parametrize("circling", [True, False])
def test_the_planner_leaves_a_place_where_it_circles(circling):
    """Beside a bowl's optimum the next gain is near; only circling sends the planner off."""

    def bowl(a: float, b: float) -> float:
        return (a - 0.4) ** 2 + (b - 0.8) ** 2

    places = [(a, b) for a in (0.0, 0.3, 0.65, 1.0) for b in (0.0, 0.35, 0.7, 1.0)]
    places += [(0.41, 0.83)]
    if circling:
        places += [(0.41, 0.835), (0.413, 0.833)]
    known, x = _made([(a, b, bowl(a, b)) for a, b in places])
    planner = make({"n_initial": 4})
    proposal = planner.propose(SPACE, LEAST, observations=known, rng=np.random.default_rng(0))[0]
    there = Encoding(SPACE).encode([proposal.values])
    apart = np.sqrt(((x - there) ** 2).mean(axis=1)).min()
    assert (apart > ELSEWHERE) == circling
    assert ("elsewhere" in proposal.reason.text) == circling
