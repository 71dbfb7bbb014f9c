"""Prices: what an experiment costs, and what a planner does about it."""

from itertools import pairwise

import numpy as np
import pytest

from planners import (
    CategoricalParameter,
    ContinuousParameter,
    Objective,
    Observation,
    SearchSpace,
    Target,
    UnsupportedSpace,
)
from planners.bayesian import make
from planners.bayesian.goals.learnt_cost import learnt_cost, running_costs
from planners.costs import CostModel, last_made
from planners.encoding import Encoding
from planners.sampling import draw_uniform
from tests.planners.goals.playing import SQUARE, measured, play

BEST = Objective(targets=(Target(quantity="q", goal="maximize"),))
HEADS = SearchSpace(
    parameters=(
        *SQUARE.parameters,
        CategoricalParameter(name="head", categories=("a", "b", "c", "d")),
    )
)
PRICES = CostModel(
    base=2.0,
    per_unit={"x": 10.0},
    of_category={"head": {"b": 3.0}},
    per_hour=4.0,
    hours=0.5,
    hours_per_unit={"y": 2.0},
    change_over={"head": 7.0},
)


def test_cost_adds_reagents_time_and_the_change_over():
    point = {"x": 0.5, "y": 0.25, "head": "b"}
    running = 2 + 10 * 0.5 + 3 + 4 * (0.5 + 2 * 0.25)
    assert PRICES.cost(point) == pytest.approx(running)
    assert PRICES.cost(point, previous={**point, "x": 0.1}) == pytest.approx(running)
    assert PRICES.cost(point, previous={**point, "head": "a"}) == pytest.approx(running + 7)


def test_change_over_is_counted_from_what_is_under_way():
    made = [Observation(values={"head": "a"}, outcomes={"q": 1.0})]
    assert last_made([], []) is None
    assert last_made(made, []) == {"head": "a"}
    assert last_made(made, [{"head": "b"}, {"head": "c"}]) == {"head": "c"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "give `base`"),
        ({"base": 1, "hours_per_unit": {"y": 1}}, "give `per_hour`"),
        ({"base": -1}, "greater than or equal to 0"),
    ],
)
def test_contradictory_prices_are_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        CostModel(**fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"per_unit": {"z": 1.0}}, "no name of the space"),
        ({"per_unit": {"head": 1.0}}, "under `of_category`"),
        ({"of_category": {"head": {"e": 1.0}}}, "do not fit the space"),
        ({"of_category": {"x": {"e": 1.0}}}, "price `per_unit`"),
    ],
)
def test_prices_of_what_the_space_lacks_are_refused(fields, sentence):
    planner = make({"cost": {"base": 1.0, **fields}})
    with pytest.raises(UnsupportedSpace, match=sentence):
        planner.propose(HEADS, BEST, observations=[], rng=np.random.default_rng(0))


def four_heads(p):
    """Every head has its own optimum; the best heads differ by less than a tenth."""
    cx, cy, top = {
        "a": (0.3, 0.3, 1.0),
        "b": (0.6, 0.4, 1.06),
        "c": (0.5, 0.7, 0.95),
        "d": (0.7, 0.6, 1.08),
    }[p["head"]]
    return top * float(np.exp(-((p["x"] - cx) ** 2 + (p["y"] - cy) ** 2) / 0.15))


def changes(observations):
    heads = [o.values["head"] for o in observations]
    return sum(a != b for a, b in pairwise(heads))


@pytest.mark.slow
def test_price_of_a_change_over_cuts_the_changes_and_hardly_the_result():
    priced = {"cost": {"base": 1.0, "change_over": {"head": 10.0}}, "n_candidates": 128}
    ours, free = [], []
    for seed in range(3):
        start = play(make({"seed": seed, "n_initial": 6}), HEADS, BEST, four_heads, 6, seed=seed)
        for settings, into in ((priced, ours), ({"n_candidates": 128}, free)):
            planner = make({**settings, "seed": seed, "n_initial": 6})
            into.append(play(planner, HEADS, BEST, four_heads, 20, seed=seed, start=start)[6:])
    assert sum(map(changes, ours)) < 0.5 * sum(map(changes, free))
    tops = [np.mean([max(four_heads(o.values) for o in done) for done in d]) for d in (ours, free)]
    assert tops[0] > tops[1] - 0.05


def twins(p):
    """Equal tops to the left and to the right."""
    return float(
        sum(np.exp(-((p["x"] - x) ** 2 + (p["y"] - 0.5) ** 2) / 0.03) for x in (0.25, 0.75))
    )


def share_on_the_right(settings, **fields):
    half = draw_uniform(SQUARE, 6, rng=np.random.default_rng(1))
    both = [q for p in half for q in (p, {**p, "x": 1 - p["x"]})]
    start = [measured(p, twins, **{k: f(p) for k, f in fields.items()}) for p in both]
    done = []
    for seed in range(2):
        done += play(make(settings), SQUARE, BEST, twins, 6, seed=seed, start=start)[len(start) :]
    return np.mean([o.values["x"] > 0.5 for o in done])


def what_it_cost(point):
    return 1.0 + 20.0 * point["x"]


def test_dear_half_of_the_space_is_left_at_equal_promise():
    stated = share_on_the_right({"cost": {"base": 1.0, "per_unit": {"x": 20.0}}})
    learnt = share_on_the_right({"cost": {"base": 1.0, "learn": True}}, cost=what_it_cost)
    # once the cheap top is known, the dear one promises more
    assert max(stated, learnt) < 0.3 < share_on_the_right({})


def test_learnt_cost_follows_factors_and_takes_off_the_change_over():
    rng = np.random.default_rng(0)
    points = draw_uniform(HEADS, 25, rng=rng)
    model = CostModel(base=1.0, change_over={"head": 50.0}, learn=True)
    before = [None, *points]
    observations = [
        Observation(
            values=p,
            outcomes={"q": 0.0},
            cost=5 * np.exp(2 * p["x"]) + model.changing(p, prior),
        )
        for p, prior in zip(points, before, strict=False)
    ]
    encoding = Encoding(HEADS)
    assert learnt_cost(encoding, model, observations[:3]) is None
    learnt = learnt_cost(encoding, model, observations)
    asked = [{"x": x, "y": 0.5, "head": "b"} for x in (0.2, 0.8)]
    told = running_costs(learnt, encoding.encode(asked))
    assert told == pytest.approx([5 * np.exp(0.4), 5 * np.exp(1.6)], rel=0.15)


@pytest.mark.slow
def test_price_upon_a_front_shifts_it_to_the_cheap_end():
    line = SearchSpace(parameters=(ContinuousParameter(name="x", low=0, high=10),))
    both = Objective(
        targets=(Target(quantity="a", goal="maximize"), Target(quantity="b", goal="maximize")),
        combine="front",
    )

    def outcome(x):
        return {"a": -((x - 2) ** 2), "b": -((x - 8) ** 2)}

    start = [Observation(values={"x": x}, outcomes=outcome(x)) for x in (1.0, 4.0, 6.0, 9.0)]
    planner = make({"cost": {"base": 1.0, "per_unit": {"x": 50.0}}})
    proposal = planner.propose(line, both, observations=start, rng=np.random.default_rng(0))[0]
    assert proposal.reason.acquisition == "qLogNEHVI_per_cost"
    assert proposal.values["x"] < 5
    assert "Expected to cost" in proposal.reason.text
    assert proposal.reason.model["cost"] == pytest.approx(1 + 50 * proposal.values["x"])
