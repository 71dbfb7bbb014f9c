"""Draws are feasible, new, even and repeatable."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from planners import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    LinearConstraint,
    MixtureParameter,
    NothingLeftToPropose,
    Observation,
    SearchSpace,
)
from planners.baselines import make_sobol
from planners.conformance import OBJECTIVE, example_spaces
from planners.polytope import draw_inside, polytope_at
from planners.sampling import draw_sobol, draw_uniform
from tests.strategies import spaces


@settings(max_examples=60, deadline=None)
@given(spaces(), st.integers(0, 2**16))
def test_draws_are_feasible_distinct_and_repeatable(space, seed):
    drawn = draw_uniform(space, 5, rng=np.random.default_rng(seed), at_least=1)
    assert drawn == draw_uniform(space, 5, rng=np.random.default_rng(seed), at_least=1)
    even = draw_sobol(space, len(drawn), seed=seed, skip=0)
    for points in (drawn, even):
        assert [space.faults(p) for p in points] == [[]] * len(points)
        assert len({tuple(p.items()) for p in points}) == len(points)


def test_mixture_without_bounds_is_uniform_on_the_simplex():
    space = SearchSpace(parameters=(MixtureParameter(name="m", components=("a", "b", "c")),))
    drawn = draw_uniform(space, 2000, rng=np.random.default_rng(1))
    # one share of a uniform composition of three follows Beta(1, 2); p = 0.001 by luck alone
    assert kstest([p["b"] for p in drawn], "beta", args=(1, 2)).pvalue > 1e-3


def test_log_parameter_is_even_over_decades():
    space = SearchSpace(parameters=(ContinuousParameter(name="c", low=1e-4, high=1, log=True),))
    drawn = draw_uniform(space, 1000, rng=np.random.default_rng(1))
    assert kstest(np.log10([p["c"] for p in drawn]) / 4 + 1, "uniform").pvalue > 1e-3


def test_hit_and_run_is_uniform_in_a_triangle():
    space = SearchSpace(
        parameters=tuple(ContinuousParameter(name=n, low=0, high=1) for n in "xy"),
        constraints=(LinearConstraint(coefficients={"x": 1, "y": 1}, upper=1),),
    )
    drawn = draw_inside(polytope_at(space, {"x": 0, "y": 0}), 600, rng=np.random.default_rng(2))
    assert kstest([p[0] for p in drawn], "beta", args=(1, 2)).pvalue > 1e-3


def test_equality_that_rejection_never_meets_is_walked():
    space = SearchSpace(
        parameters=(
            ContinuousParameter(name="x", low=0, high=1),
            ContinuousParameter(name="y", low=0, high=1),
            DiscreteParameter(name="z", values=(0, 1)),
        ),
        constraints=(LinearConstraint(coefficients={"x": 1, "y": 1, "z": 1}, lower=1, upper=1),),
    )
    drawn = draw_uniform(space, 40, rng=np.random.default_rng(0))
    assert all(space.contains(p) for p in drawn)
    assert {p["z"] for p in drawn} == {0, 1}
    assert np.ptp([p["x"] for p in drawn if p["z"] == 0]) > 0.5


def test_sobol_fills_more_evenly_than_chance():
    space = SearchSpace(parameters=tuple(ContinuousParameter(name=n, low=0, high=1) for n in "xy"))
    even = draw_sobol(space, 64, seed=5, skip=0)
    boxes = {(int(8 * p["x"]), int(8 * p["y"])) for p in even}
    assert len(boxes) == 64  # a scrambled net of 64 points holds one point in each 8 x 8 box


def test_sobol_goes_on_where_it_stopped_though_it_remembers_nothing():
    space = example_spaces()["mixed"]
    whole = draw_sobol(space, 12, seed=3, skip=0)
    planner = make_sobol({"seed": 3})
    done, waiting = [], []
    for i in range(12):
        rng = np.random.default_rng([99, i])
        point = planner.propose(space, OBJECTIVE, observations=done, pending=waiting, rng=rng)[0]
        assert point.values == whole[i]
        waiting.append(point.values)
        if len(waiting) == 2:
            done.append(Observation(values=waiting.pop(0), outcomes={"yield": 1.0}))
    assert draw_sobol(space, 12, seed=4, skip=0) != whole


def test_every_point_of_a_finite_space_comes_once_and_then_none():
    space = SearchSpace(
        parameters=(
            ContinuousParameter(name="a", low=0, high=1, step=0.1),
            CategoricalParameter(name="k", categories=("u", "v")),
        ),
        constraints=(LinearConstraint(coefficients={"a": 1}, upper=0.55),),
    )
    for draw in (
        lambda n, avoid: draw_sobol(space, n, seed=0, skip=len(avoid), avoid=avoid),
        lambda n, avoid: draw_uniform(space, n, rng=np.random.default_rng(0), avoid=avoid),
    ):
        everything = draw(12, [])
        assert len({tuple(p.items()) for p in everything}) == 12
        with pytest.raises(NothingLeftToPropose, match="0 of the 12 feasible points are left"):
            draw(1, everything)


def test_large_grid_with_few_feasible_points_is_exhausted_too():
    # 10^9 combinations cannot be listed, yet the constraint leaves four
    space = SearchSpace(
        parameters=tuple(
            ContinuousParameter(name=n, low=0, high=999, step=1) for n in ("a", "b", "c")
        ),
        constraints=(LinearConstraint(coefficients={"a": 1, "b": 1, "c": 1}, upper=1),),
    )
    drawn = draw_uniform(space, 4, rng=np.random.default_rng(0))
    assert len({tuple(p.values()) for p in drawn}) == 4
    with pytest.raises(NothingLeftToPropose, match="were found that obey every constraint"):
        draw_uniform(space, 1, rng=np.random.default_rng(0), avoid=drawn)


def test_planners_without_a_model_import_no_torch():
    script = (
        "import sys, planners, planners.bayesian, planners.conformance;"
        "from planners.baselines import make_random, make_sobol;"
        "make_sobol({}); make_random({}); planners.bayesian.make({});"
        "assert not {'torch', 'botorch', 'gpytorch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
