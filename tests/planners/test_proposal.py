"""Proposals and observations keep what they were told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planners import Observation, Proposal
from planners.baselines import make_sobol
from planners.conformance import OBJECTIVE
from tests.strategies import observations, spaces


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "either failed or has outcomes"),
        ({"outcomes": {"y": 1}, "failed": True, "failure": "x"}, "either failed or has outcomes"),
        ({"failed": True}, "says why"),
        ({"outcomes": {"y": 1}, "stds": {"z": 1}}, "stds without outcomes"),
        ({"outcomes": {"y": 1}, "stds": {"y": -1}}, "is negative"),
        ({"outcomes": {"y": float("nan")}}, "finite"),
        ({"outcomes": {"y": 1}, "p_wrong": 1.5}, "less than or equal to 1"),
    ],
)
def test_contradictory_observation_is_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Observation(values={"x": 1}, **fields)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_observations_and_proposals_survive_their_file(data):
    space = data.draw(spaces())
    for observation in data.draw(observations(space)):
        assert Observation.model_validate_json(observation.model_dump_json()) == observation
    rng = np.random.default_rng(0)
    proposal = make_sobol({}).propose(space, OBJECTIVE, observations=(), rng=rng)[0]
    assert Proposal.model_validate_json(proposal.model_dump_json()) == proposal
