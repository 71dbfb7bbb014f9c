"""What the laboratory reports but cannot set: seen by the model, never proposed."""

import numpy as np
import pytest
from pydantic import ValidationError

from planners import ContextVariable, ContinuousParameter, Observation, SearchSpace
from planners.baselines import make_random
from planners.conformance import OBJECTIVE
from planners.context import latest
from planners.encoding import Encoding
from planners.finite import table_of

HUMIDITY = ContextVariable(name="humidity", low=20, high=60, unit="%")
LOT = ContextVariable(name="lot", categories=("A17", "B02"))
SPACE = SearchSpace(
    parameters=(ContinuousParameter(name="t", low=0, high=10, step=1),), context=(HUMIDITY, LOT)
)


def made(t, **context):
    return Observation(values={"t": t}, outcomes={"yield": 1.0}, context=context)


def test_context_is_no_setting_and_is_never_proposed():
    assert SPACE.names == ("t",)
    assert SPACE.faults({"t": 1.0, "humidity": 40.0}) == ["humidity is no name of this space"]
    proposal = make_random({}).propose(
        SPACE, OBJECTIVE, observations=[made(1.0, humidity=30)], rng=np.random.default_rng(0)
    )[0]
    assert list(proposal.values) == ["t"]
    assert SearchSpace.model_validate_json(SPACE.model_dump_json()) == SPACE


def test_each_experiment_is_encoded_under_its_own_conditions():
    encoding = Encoding(SPACE)
    assert encoding.group_names == ("t", "humidity", "lot")
    assert encoding.groups.tolist() == [0, 1, 2, 2]
    assert not any(c.relaxed for c in encoding.columns[1:])
    rows = encoding.encode_observations(
        [made(5.0, humidity=20.0, lot="B02"), made(0.0, humidity=80.0), made(10.0, lot="C99")]
    )
    expected = [
        [0.5, 0.0, 0.0, 1.0],
        [0.0, 1.5, 0.0, 0.0],  # above its range, as it was; the lot was not reported
        [1.0, 0.5, 0.0, 0.0],  # humidity not reported: the middle; a lot that nobody listed
    ]
    assert rows == pytest.approx(np.array(expected))


def test_points_are_predicted_for_the_conditions_reported_last():
    observations = [made(1.0, humidity=25.0, lot="A17"), made(2.0, humidity=50.0), made(3.0)]
    assert latest(observations) == {"humidity": 50.0, "lot": "A17"}
    today = Encoding(SPACE).at(latest(observations))
    assert today.encode([{"t": 2.0}])[0] == pytest.approx([0.2, 0.75, 1.0, 0.0])
    assert today.encode([{"t": 2.0}], {"humidity": 20.0})[0] == pytest.approx([0.2, 0, 0, 0])
    assert Encoding(SPACE).encode([{"t": 2.0}])[0] == pytest.approx([0.2, 0.5, 0, 0])


def test_table_of_points_follows_the_conditions():
    today = Encoding(SPACE).at({"humidity": 60.0})
    assert today.table.encoded[:, 1] == pytest.approx(np.ones(11))
    assert table_of(SPACE).encoded[:, 1] == pytest.approx(np.full(11, 0.5))
    assert today.table.rows == table_of(SPACE).rows
    assert today.decode(today.encode([{"t": 7.0}])) == [{"t": 7.0}]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "both bounds or a list of categories"),
        ({"low": 1}, "both bounds or a list"),
        ({"low": 2, "high": 1}, "low must be below high"),
        ({"low": 0, "high": 1, "categories": ("a",)}, "both bounds or a list"),
        ({"categories": ("a", "a")}, "lists a category twice"),
    ],
)
def test_context_that_says_too_little_or_too_much_is_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        ContextVariable(name="humidity", **fields)


def test_context_named_like_a_setting_is_refused():
    with pytest.raises(ValidationError, match="'t' is named twice or is also a setting"):
        SearchSpace(
            parameters=SPACE.parameters, context=(ContextVariable(name="t", low=0, high=1),)
        )
