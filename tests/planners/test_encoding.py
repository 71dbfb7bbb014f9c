"""The unit cube and the way back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planners import (
    CandidateList,
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    LinearConstraint,
    MixtureParameter,
    SearchSpace,
)
from planners.encoding import Encoding
from planners.feasibility import LinearProgramme, close_mixture
from planners.finite import table_of, untried
from planners.sampling import draw_uniform
from tests.strategies import mixture, spaces


def test_encoding_has_known_coordinates():
    space = SearchSpace(
        parameters=(
            ContinuousParameter(name="t", low=300, high=900),
            ContinuousParameter(name="c", low=1e-4, high=1, log=True),
            DiscreteParameter(name="d", values=(5, 1, 3)),
            CategoricalParameter(name="k", categories=("u", "v")),
            MixtureParameter(name="m", components=("x", "y"), total=100, high={"x": 50}),
        )
    )
    point = {"t": 450, "c": 1e-2, "d": 3, "k": "v", "x": 25, "y": 75}
    encoding = Encoding(space)
    assert encoding.encode([point])[0] == pytest.approx([0.25, 0.5, 0.5, 0, 1, 0.5, 0.75])
    assert encoding.groups.tolist() == [0, 1, 2, 3, 3, 4, 5]


@settings(max_examples=60, deadline=None)
@given(spaces(), st.integers(0, 2**16))
def test_decoding_gives_feasible_points_and_undoes_encoding(space, seed):
    rng = np.random.default_rng(seed)
    encoding = Encoding(space)
    for point in encoding.decode(rng.uniform(-0.2, 1.2, (3, len(encoding.columns)))):
        assert space.faults(point) == []
    points = draw_uniform(space, 2, rng=rng, at_least=1)
    coordinates = encoding.encode(points)
    again = encoding.encode(encoding.decode(coordinates))
    # one part in a million of the range: a constraint may be met within its own tolerance
    assert again == pytest.approx(coordinates, abs=1e-5)


@settings(deadline=None)
@given(mixture("m"), st.lists(st.floats(-50, 150), min_size=4, max_size=4))
def test_closing_a_mixture_is_the_nearest_feasible_amounts(parameter, amounts):
    wanted = dict(zip(parameter.components, amounts, strict=False))
    closed = close_mixture(parameter, wanted)
    assert sum(closed.values()) == pytest.approx(parameter.total, rel=1e-9)
    assert all(parameter.fault(c, v) is None for c, v in closed.items())
    rng = np.random.default_rng(0)
    miss = sum((closed[c] - wanted[c]) ** 2 for c in closed)
    space = SearchSpace(parameters=(parameter,))
    for other in draw_uniform(space, 5, rng=rng, at_least=1):
        assert miss <= sum((other[c] - wanted[c]) ** 2 for c in closed) + 1e-6


def test_nearest_feasible_point_obeys_steps_and_constraint_together():
    space = SearchSpace(
        parameters=(
            ContinuousParameter(name="a", low=0, high=10, step=2),
            DiscreteParameter(name="b", values=(0, 3, 7)),
        ),
        constraints=(LinearConstraint(coefficients={"a": 1, "b": 1}, lower=9, upper=9),),
    )
    found = LinearProgramme(space.parameters, space.constraints).nearest({"a": 9, "b": 0})
    assert found == {"a": 6, "b": 3}


def test_candidate_list_is_encoded_once_and_an_executed_recipe_marks_its_row():
    rows = tuple((10.0 * i, 100.0 - 10 * i) for i in range(11))
    space = SearchSpace(candidates=CandidateList(columns=("a", "b"), rows=rows))
    table = table_of(space)
    assert table_of(space) is table
    weighed = [{"a": 30.2, "b": 69.9}, {"a": 70.0, "b": 30.0}, {"a": 45.0, "b": 55.0}]
    assert np.flatnonzero(~untried(space, table, weighed)).tolist() == [3, 7]


def test_candidates_that_break_a_constraint_are_not_in_the_table():
    space = SearchSpace(
        candidates=CandidateList(columns=("a",), rows=((1.0,), (2.0,), (3.0,))),
        constraints=(LinearConstraint(coefficients={"a": 1}, upper=2),),
    )
    assert [r[0] for r in table_of(space).rows] == [1.0, 2.0]
