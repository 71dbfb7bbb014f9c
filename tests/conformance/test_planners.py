"""Every planner that ships keeps the contract, and the contract catches those that do not."""

import numpy as np
import pytest

from planners import Planner, SpaceError
from planners.baselines import RandomPlanner, make_random, make_sobol
from planners.bayesian import make
from planners.conformance import OBJECTIVE, check_planner, example_observations, example_spaces
from planners.proposal import Proposal, Reason
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


class Weighing(Broken):
    def choose_action(self, space, objective, *, observations, options, new_cost, rng, **more):
        if not options:
            return self.propose(space, objective, observations=observations, rng=rng)[0]
        return Proposal(
            values=observations[options[0].row].values,
            reason=Reason(planner=self.name, text="the cheapest"),
            measure_again=options[0].again,
        )


class Inventive(Weighing):
    def choose_action(self, *arguments, **known):
        chosen = super().choose_action(*arguments, **known)
        if chosen.measure_again is None:
            return chosen
        again = chosen.measure_again.model_copy(update={"technique": "synchrotron"})
        return chosen.model_copy(update={"measure_again": again})


class Absent(Weighing):
    def choose_action(self, space, objective, *, observations, **known):
        chosen = super().choose_action(space, objective, observations=observations, **known)
        return chosen.model_copy(update={"values": observations[-1].values})


class Moody(Weighing):
    def __init__(self):
        self.calls = 0

    def choose_action(self, space, objective, *, options, **known):
        self.calls += 1
        options = options[self.calls % 2 :]
        return super().choose_action(space, objective, options=options, **known)


def test_a_planner_that_takes_what_is_offered_keeps_the_contract():
    check_planner(Weighing(), spaces={"continuous": SPACES["continuous"]})


@pytest.mark.parametrize(
    ("planner", "space", "complaint"),
    [
        (Forgetful(), "grid", "one point was left untried|failed|pending"),
        (Unseeded(), "continuous", "equal arguments gave different proposals"),
        (Stingy(), "continuous", "were asked for"),
        (OutOfBounds(), "continuous", "not feasible"),
        (Meddling(), "continuous", "changed its arguments"),
        (Inventive(), "continuous", "which was not offered"),
        (Absent(), "continuous", "for the sample made at"),
        (Moody(), "continuous", "equal arguments gave different actions"),
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
