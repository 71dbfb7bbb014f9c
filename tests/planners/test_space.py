"""Spaces: what they hold, what they refuse, and that a file can say all of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from planners import (
    CandidateList,
    CategoricalParameter,
    ContinuousParameter,
    LinearConstraint,
    MixtureParameter,
    SearchSpace,
)
from planners.sampling import draw_uniform
from tests.strategies import spaces

X = ContinuousParameter(name="x", low=0, high=1)
Y = ContinuousParameter(name="y", low=0, high=1, step=0.5)
KIND = CategoricalParameter(name="kind", categories=("a", "b"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "neither parameters nor candidates"),
        ({"parameters": (X, X)}, "each name is set once"),
        (
            {
                "parameters": (X,),
                "constraints": (LinearConstraint(coefficients={"z": 1}, upper=1),),
            },
            "no parameter sets",
        ),
        (
            {
                "parameters": (X, KIND),
                "constraints": (LinearConstraint(coefficients={"kind": 1}, upper=1),),
            },
            "categorical",
        ),
        (
            {
                "parameters": (X, Y),
                "constraints": (LinearConstraint(coefficients={"x": 1, "y": 1}, lower=3),),
            },
            "no feasible point",
        ),
        (
            {
                "parameters": (MixtureParameter(name="m", components=("a", "b")),),
                "candidates": CandidateList(columns=("a",), rows=((1.0,),)),
            },
            "list all of them or none",
        ),
        (
            {"parameters": (X,), "candidates": CandidateList(columns=("x",), rows=((2.0,),))},
            "candidate 0: x = 2 lies outside",
        ),
    ],
)
def test_contradictory_space_is_refused_with_a_sentence(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        SearchSpace(**fields)


def test_feasibility_of_steps_is_decided_on_the_grid_not_between():
    # 0.3 <= y <= 0.4 holds between the settings 0 and 0.5 only
    with pytest.raises(ValidationError, match="no feasible point"):
        SearchSpace(
            parameters=(Y,),
            constraints=(LinearConstraint(coefficients={"y": 1}, lower=0.3, upper=0.4),),
        )


def test_constraint_and_list_refuse_nonsense():
    with pytest.raises(ValidationError, match="needs `lower`, `upper` or both"):
        LinearConstraint(coefficients={"x": 1})
    with pytest.raises(ValidationError, match="above upper"):
        LinearConstraint(coefficients={"x": 1}, lower=2, upper=1)
    with pytest.raises(ValidationError, match="candidate 1 has 1 values"):
        CandidateList(columns=("a", "b"), rows=((1, 2), (1,)))
    with pytest.raises(ValidationError, match="names a column twice"):
        CandidateList(columns=("a", "a"), rows=((1, 2),))


def test_candidates_without_parameters_read_their_columns():
    listed = CandidateList(columns=("t", "kind"), rows=((1, "a"), (3, "b")))
    space = SearchSpace(candidates=listed)
    assert space.parameter("t").values == (1, 3)
    assert space.parameter("kind").categories == ("a", "b")
    assert space.contains({"t": 3, "kind": "b"})
    assert space.faults({"t": 3, "kind": "a"}) == ["the point is not on the candidate list"]


def test_faults_name_missing_unknown_and_unbalanced():
    space = SearchSpace(parameters=(X, MixtureParameter(name="m", components=("a", "b"))))
    assert space.faults({"x": 0.5, "a": 1.0, "c": 0}) == [
        "b has no value",
        "c is no name of this space",
    ]
    assert "sums to 0.9, not to 1" in space.faults({"x": 0.5, "a": 0.5, "b": 0.4})[0]


def test_list_of_twenty_thousand_candidates_is_read_and_searched():
    rows = np.random.default_rng(0).random((20_000, 4)).tolist()
    listed = CandidateList(columns=tuple("abcd"), rows=tuple(tuple(r) for r in rows))
    space = SearchSpace(candidates=listed)
    assert listed.index(dict(zip("abcd", rows[12_345], strict=True))) == 12_345
    assert space.contains(dict(zip("abcd", rows[19_999], strict=True)))


@settings(max_examples=40, deadline=None)
@given(spaces())
def test_space_survives_its_file_and_holds_its_own_points(space):
    again = SearchSpace.model_validate_json(space.model_dump_json())
    assert again == space
    for point in draw_uniform(space, 3, rng=np.random.default_rng(0), at_least=1):
        assert again.faults(point) == []
