"""Parameters refuse what cannot be set, and say why."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planners import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    MixtureParameter,
)
from tests.strategies import continuous


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        (ContinuousParameter, {"low": 2, "high": 1}, "low must be below high"),
        (ContinuousParameter, {"low": 0, "high": 1, "log": True}, "a logarithm needs low > 0"),
        (ContinuousParameter, {"low": 0, "high": 1, "step": 2}, "larger than its range"),
        (ContinuousParameter, {"low": 0, "high": float("nan")}, "finite"),
        (ContinuousParameter, {"low": 0, "high": 1, "colour": 1}, "Extra inputs"),
        (DiscreteParameter, {"values": (1, 1)}, "lists a value twice"),
        (CategoricalParameter, {"categories": ("a", "a")}, "lists a category twice"),
        (MixtureParameter, {"components": ("a", "a")}, "lists a component twice"),
        (MixtureParameter, {"components": ("a", "b"), "low": {"c": 1}}, "no components of it"),
        (MixtureParameter, {"components": ("a", "b"), "low": {"a": -1}}, "0 <= low <= high"),
        (
            MixtureParameter,
            {"components": ("a", "b"), "high": {"a": 0.2, "b": 0.2}},
            "never to its total",
        ),
    ],
)
def test_wrong_parameter_is_refused_with_a_sentence(kind, fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        kind(name="p", **fields)


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        (ContinuousParameter(name="p", low=0, high=1), 2.0, "lies outside"),
        (ContinuousParameter(name="p", low=0, high=1), "hot", "no finite number"),
        (ContinuousParameter(name="p", low=0, high=1), True, "no finite number"),
        (ContinuousParameter(name="p", low=0, high=1, step=0.25), 0.3, "not on the grid"),
        (DiscreteParameter(name="p", values=(1, 5)), 3.0, "none of 1, 5"),
        (CategoricalParameter(name="p", categories=("a",)), "b", "none of a"),
        (MixtureParameter(name="m", components=("p", "q"), high={"p": 0.5}), 0.7, "lies outside"),
    ],
)
def test_wrong_value_is_named(parameter, value, sentence):
    assert sentence in parameter.fault("p", value)


@settings(deadline=None)
@given(continuous("p"), st.floats(-1e4, 1e4))
def test_snapped_value_can_be_set_and_snaps_to_itself(parameter, value):
    snapped = parameter.snap(value)
    assert parameter.fault("p", snapped) is None
    assert parameter.snap(snapped) == pytest.approx(snapped, rel=1e-12, abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=9, unique=True), st.floats(-20, 20))
def test_discrete_snap_takes_the_nearest_value(values, value):
    snapped = DiscreteParameter(name="p", values=tuple(values)).snap(value)
    assert abs(snapped - value) == min(abs(v - value) for v in values)


def test_stepped_range_that_its_step_does_not_divide_ends_below_high():
    parameter = ContinuousParameter(name="p", low=0, high=1, step=0.3)
    assert parameter.n_steps == 4
    assert parameter.snap(1.0) == pytest.approx(0.9)


def test_step_as_wide_as_the_range_leaves_both_ends_despite_rounding():
    parameter = ContinuousParameter(name="p", low=0.1, high=0.3, step=0.2)  # 0.3 - 0.1 < 0.2
    assert parameter.n_steps == 2
    assert parameter.snap(0.29) == pytest.approx(0.3)
