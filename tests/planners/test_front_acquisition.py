"""What a point would add to a front is the difference of two hypervolumes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planners import CandidateList, Objective, Observation, OutcomeConstraint, SearchSpace, Target
from planners.bayesian import make
from planners.bayesian.hypervolume import improvement
from planners.pareto import hypervolume, non_dominated

GRID = np.linspace(0, 1, 101)
LISTED = SearchSpace(
    candidates=CandidateList(columns=("x",), rows=tuple((float(v),) for v in GRID))
)


def front(**more):
    return Objective(
        targets=(Target(quantity="a", goal="maximize"), Target(quantity="b", goal="minimize")),
        combine="front",
        **more,
    )


def truth(x):
    return {"a": -((x - 0.3) ** 2), "b": (x - 0.7) ** 2}


def test_point_above_the_middle_of_a_staircase_adds_its_notch():
    stairs = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
    added = improvement(np.array([[2.5, 2.5], [1.0, 1.0], [4.0, 4.0]]), stairs, np.zeros(2))
    # a strip of 1 x 0.5 above the second stair, one of 0.5 x 1.5 above the third; 16 - 6 of all
    assert added == pytest.approx([0.5 * 1.0 + 0.5 * 1.5, 0.0, 10.0])


@given(st.integers(0, 10_000), st.integers(2, 3), st.integers(0, 8))
def test_added_volume_is_the_difference_of_exact_hypervolumes(seed, m, n):
    rng = np.random.default_rng(seed)
    made, u, reference = rng.normal(size=(n, m)), rng.normal(size=(5, m)), np.full(m, -0.8)
    stairs = made[non_dominated(made)] if n else made
    before = hypervolume(made, reference) if n else 0.0
    expected = [hypervolume(np.vstack([made, p]), reference) - before for p in u]
    assert improvement(u, stairs, reference) == pytest.approx(expected, abs=1e-9)


def play(objective, n):
    done: list[Observation] = []
    for i in range(n):
        rng = np.random.default_rng([3, i])
        point = make({}).propose(LISTED, objective, observations=done, rng=rng)[0].values
        done.append(Observation(values=point, outcomes=truth(float(point["x"]))))
    return done


def test_front_of_a_list_is_filled_between_its_two_ends():
    inside = [float(o.values["x"]) for o in play(front(), 16)[4:] if 0.28 <= o.values["x"] <= 0.72]
    # all between the two tops is on the front, nothing outside is
    assert len(inside) >= 9
    assert max(np.diff(sorted(inside))) < 0.15


def test_bound_on_an_outcome_keeps_the_front_on_its_side():
    bound = front(constraints=(OutcomeConstraint(quantity="b", upper=0.04),))
    kept = [o for o in play(bound, 14)[6:] if o.outcomes["b"] <= 0.05]
    assert len(kept) >= 6


def test_front_of_a_list_is_chosen_in_closed_form_and_tells_an_outlook():
    reason = (
        make({})
        .propose(
            LISTED,
            front(),
            observations=[
                Observation(values={"x": float(x)}, outcomes=truth(float(x))) for x in GRID[::20]
            ],
            rng=np.random.default_rng(0),
        )[0]
        .reason
    )
    assert reason.acquisition == "UCB-HVI"
    assert reason.outlook is not None
