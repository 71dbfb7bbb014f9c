"""Hypothesis strategies for the records of the planners."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from planners import (
    CandidateList,
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    LinearConstraint,
    MixtureParameter,
    Objective,
    Observation,
    OutcomeConstraint,
    SearchSpace,
    Target,
)
from planners.sampling import draw_uniform

numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: float(f"{v:.6g}"))
positive = st.floats(1e-3, 1e3).map(lambda v: float(f"{v:.4g}"))


@st.composite
def continuous(draw, name):
    low = draw(st.floats(-100, 100).map(lambda v: round(v, 3)))
    width = draw(positive)
    if draw(st.booleans()):
        low = abs(low) + 0.1
        return ContinuousParameter(name=name, low=low, high=low + width, log=True)
    step = draw(st.none() | st.sampled_from([1.0, 0.5, 0.125]).map(lambda share: share * width))
    return ContinuousParameter(name=name, low=low, high=low + width, step=step, unit="K")


def discrete(name):
    values = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=6, unique=True)
    return values.map(lambda v: DiscreteParameter(name=name, values=tuple(v)))


@st.composite
def categorical(draw, name):
    labels = draw(st.lists(st.sampled_from("uvwxyz"), min_size=1, max_size=4, unique=True))
    described = {}
    if draw(st.booleans()):
        extra = draw(st.lists(st.floats(-5, 5), min_size=len(labels), max_size=len(labels)))
        described = {c: (float(i), v) for i, (c, v) in enumerate(zip(labels, extra, strict=True))}
    return CategoricalParameter(name=name, categories=tuple(labels), descriptors=described)


@st.composite
def conditional(draw, parent):
    """A setting that counts only at some settings of a categorical parent."""
    allowed = draw(st.sampled_from(parent.categories))
    when = {"only_if": {parent.name: (allowed,)}}
    if draw(st.booleans()):
        return ContinuousParameter(name="when", low=1, high=5, otherwise=2, **when)
    return DiscreteParameter(name="when", values=(4, 2, 7), **when)


@st.composite
def mixture(draw, name):
    components = tuple(f"{name}{i}" for i in range(draw(st.integers(2, 4))))
    total = draw(st.sampled_from([1.0, 100.0, 7.3]))
    share = total / len(components)
    low = {c: draw(st.floats(0, 0.9)) * share for c in components if draw(st.booleans())}
    high = {c: draw(st.floats(1.1, 1.9)) * share for c in components if draw(st.booleans())}
    return MixtureParameter(name=name, components=components, total=total, low=low, high=high)


@st.composite
def spaces(draw, *, constrained=True, listed=True):
    """One space of any kind: mixed parameters, maybe constrained, maybe a candidate list.

    The list may have the columns of some parameters only.
    """
    kinds = draw(st.lists(st.sampled_from("cdgm"), min_size=1, max_size=4))
    makers = {"c": continuous, "d": discrete, "g": categorical, "m": mixture}
    parameters = tuple(draw(makers[k](f"{k}{i}")) for i, k in enumerate(kinds))
    choices = [p for p in parameters if isinstance(p, CategoricalParameter)]
    if choices and draw(st.booleans()):
        parameters = (*parameters, draw(conditional(choices[0])))
    space = SearchSpace(parameters=parameters)
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    if constrained and draw(st.booleans()):
        space = SearchSpace(parameters=parameters, constraints=constraints_through(space, rng))
    if listed and draw(st.booleans()):
        points = draw_uniform(space, draw(st.integers(1, 12)), rng=rng, at_least=1)
        on_list = parameters[: draw(st.integers(1, len(parameters)))]
        names = tuple(n for p in on_list for n in p.names)
        rows = tuple(tuple(p[n] for n in names) for p in points)
        return SearchSpace(
            parameters=parameters,
            candidates=CandidateList(columns=names, rows=rows),
            constraints=space.constraints if len(names) < len(space.names) else (),
        )
    return space


def constraints_through(space, rng):
    """Return a constraint that a random point of the space obeys; empty without numbers."""
    numeric = [n for n in space.names if not isinstance(space.parameter(n), CategoricalParameter)]
    if not numeric:
        return ()
    point = draw_uniform(space, 1, rng=rng)[0]
    chosen = rng.permutation(numeric)[:2]
    weights = {str(n): float(np.round(rng.uniform(-2, 2), 3)) for n in chosen}
    level = sum(k * float(point[n]) for n, k in weights.items())
    return (LinearConstraint(coefficients=weights, upper=level),)


@st.composite
def observations(draw, space, *, quantities=("yield",), max_size=6):
    """Observations at feasible points, some failed, some without standard deviation."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    points = draw_uniform(space, draw(st.integers(1, max_size)), rng=rng, at_least=1)
    return [draw(observation_at(p, quantities)) for p in points]


@st.composite
def observation_at(draw, point, quantities):
    if draw(st.integers(0, 4)) == 0:
        return Observation(values=point, failed=True, failure="no signal")
    outcomes = {q: draw(numbers) for q in quantities}
    stds = {q: draw(positive) for q in quantities if draw(st.booleans())}
    p_wrong = draw(st.sampled_from([0.0, 0.1, 1.0]))
    return Observation(values=point, outcomes=outcomes, stds=stds, p_wrong=p_wrong)


@st.composite
def maps(draw):
    goal = draw(st.sampled_from(["boundary", "explore"]))
    value = draw(numbers) if goal == "boundary" else None
    return Objective(targets=(Target(quantity="q0", goal=goal, value=value),))


@st.composite
def objectives(draw):
    if draw(st.integers(0, 3)) == 0:
        return draw(maps())
    goals = draw(
        st.lists(st.sampled_from(["maximize", "minimize", "match"]), min_size=1, max_size=3)
    )
    targets = tuple(
        Target(
            quantity=f"q{i}",
            goal=goal,
            value=draw(numbers) if goal == "match" else draw(st.none() | numbers),
            scale=draw(positive if len(goals) > 1 else st.none() | positive),
            weight=draw(positive),
        )
        for i, goal in enumerate(goals)
    )
    constraints = tuple(
        OutcomeConstraint(quantity="side", upper=draw(numbers))
        for _ in range(draw(st.integers(0, 1)))
    )
    combine = draw(st.sampled_from(["weighted", "front"]))
    return Objective(targets=targets, combine=combine, constraints=constraints)
