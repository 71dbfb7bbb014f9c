"""Every planner that ships keeps the contract, and the contract catches those that do not."""

import numpy as np
import pytest

from planners import Planner, SpaceError
from planners.baselines import RandomPlanner, make_random, make_sobol
from planners.bayesian import make
from planners.conformance import OBJECTIVE, check_planner, example_observations, example_spaces
from planners.sampling import draw_uniform

MAKERS = {"random": make_random, "sobol": make_sobol, "bayesian": make}
SPACES = example_spaces()


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", MAKERS)
def test_shipped_planner_keeps_the_contract(name, space):
    planner = MAKERS[name]({"n_starts": 2, "n_candidates": 64} if name == "bayesian" else {})
    assert isinstance(planner, Planner)
    check_planner(planner, spaces={space: SPACES[space]}, n_observations=9)


class Broken(RandomPlanner):
    name = "broken"


class Forgetful(Broken):
    def propose(self, space, objective, *, observations, pending=(), n=1, rng):
        return super().propose(space, objective, observations=(), n=n, rng=rng)


class Unseeded(Broken):
    def __init__(self):
        self.own = np.random.default_rng(0)

    def propose(self, space, objective, *, observations, pending=(), n=1, rng):
        arguments = {"observations": observations, "pending": pending, "n": n}
        return super().propose(space, objective, rng=self.own, **arguments)


class Stingy(Broken):
    def propose(self, space, objective, *, observations, pending=(), n=1, rng):
        arguments = {"observations": observations, "pending": pending, "rng": rng}
        return super().propose(space, objective, n=1, **arguments)


class OutOfBounds(Broken):
    def propose(self, space, objective, *, observations, pending=(), n=1, rng):
        found = super().propose(
            space, objective, observations=observations, pending=pending, n=n, rng=rng
        )
        return [p.model_copy(update={"values": {**p.values, "temperature": 1e4}}) for p in found]


class Meddling(Broken):
    def propose(self, space, objective, *, observations, pending=(), n=1, rng):
        if observations:
            observations[0].outcomes.clear()
        return super().propose(
            space, objective, observations=observations, pending=pending, n=n, rng=rng
        )


@pytest.mark.parametrize(
    ("planner", "space", "complaint"),
    [
        (Forgetful(), "grid", "one point was left untried|failed|pending"),
        (Unseeded(), "continuous", "equal arguments gave different proposals"),
        (Stingy(), "continuous", "were asked for"),
        (OutOfBounds(), "continuous", "not feasible"),
        (Meddling(), "continuous", "changed its arguments"),
    ],
)
def test_contract_catches_a_broken_planner(planner, space, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_planner(planner, spaces={space: SPACES[space]})


def test_example_spaces_hold_the_points_drawn_from_them():
    rng = np.random.default_rng(0)
    for space in SPACES.values():
        assert all(space.contains(p) for p in draw_uniform(space, 5, rng=rng))


@pytest.mark.parametrize("space", ["grid", "mixed", "candidates"])
@pytest.mark.parametrize("name", MAKERS)
def test_observation_that_lacks_a_name_is_refused_with_a_sentence(name, space):
    observations = example_observations(SPACES[space], 8, seed=0)
    known = dict(observations[0].values)
    lost = known.popitem()[0]
    torn = [observations[0].model_copy(update={"values": known}), *observations[1:]]
    with pytest.raises(SpaceError, match=f"lacks {lost}"):
        MAKERS[name]({}).propose(
            SPACES[space], OBJECTIVE, observations=torn, rng=np.random.default_rng(0)
        )
