"""Objectives: what counts as good, as reached and as allowed."""

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from planners import Objective, OutcomeConstraint, Target
from tests.strategies import objectives


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"goal": "match"}, "no `value` to match"),
        ({"goal": "maximize", "tolerance": 1}, "only the goal match uses"),
        ({"goal": "maximize", "weight": 0}, "greater than 0"),
        ({"goal": "improve"}, "maximize"),
        ({"goal": "boundary"}, "give the level that is crossed"),
        ({"goal": "explore", "value": 1}, "explored everywhere"),
    ],
)
def test_contradictory_target_is_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Target(quantity="q", **fields)


def test_contradictory_constraint_and_objective_are_refused():
    with pytest.raises(ValidationError, match="needs a bound"):
        OutcomeConstraint(quantity="q")
    with pytest.raises(ValidationError, match="above"):
        OutcomeConstraint(quantity="q", lower=2, upper=1)
    target = Target(quantity="q", goal="maximize")
    with pytest.raises(ValidationError, match="one target a quantity"):
        Objective(targets=(target, target))
    with pytest.raises(ValidationError):
        Objective(targets=())


def test_match_is_best_on_its_value_and_counts_in_tolerances():
    target = Target(quantity="q", goal="match", value=30, tolerance=2)
    assert target.utility(30) == 0
    assert target.utility(26) == target.utility(34) == -2
    assert target.is_reached(32)
    assert not target.is_reached(32.1)


def test_map_is_reached_by_no_value_and_a_border_is_best_nearby():
    border = Target(quantity="q", goal="boundary", value=30, scale=2)
    everywhere = Target(quantity="q", goal="explore")
    assert not border.is_reached(30)
    assert not everywhere.is_reached(30)
    assert border.utility(26) == -2
    assert everywhere.utility(26) == everywhere.utility(99) == 0
    assert Objective(targets=(border,)).maps


def test_weighted_utility_adds_and_the_constraint_decides_what_is_reached():
    objective = Objective(
        targets=(
            Target(quantity="a", goal="maximize", value=1, scale=1, weight=2),
            Target(quantity="b", goal="minimize", scale=10),
        ),
        constraints=(OutcomeConstraint(quantity="c", lower=0),),
    )
    assert objective.quantities == ("a", "b", "c")
    assert objective.utility({"a": 3, "b": 20}) == pytest.approx(2 * 3 - 2)
    assert not objective.is_feasible({"a": 3, "b": 0, "c": -1})
    assert not objective.is_reached({"a": 3, "b": 0, "c": 1})  # b gives no level to reach


@settings(deadline=None)
@given(objectives())
def test_objective_survives_its_file(objective):
    assert Objective.model_validate_json(objective.model_dump_json()) == objective


def test_weighting_without_a_scale_is_refused():
    size = Target(quantity="size", goal="maximize")
    share = Target(quantity="share", goal="minimize", scale=0.1)
    with pytest.raises(ValueError, match="size is weighted against other targets without a scale"):
        Objective(targets=(size, share))
    assert Objective(targets=(size, share), combine="front").targets == (size, share)
    assert Objective(targets=(size,)).utility({"size": 3.0}) == 3.0
