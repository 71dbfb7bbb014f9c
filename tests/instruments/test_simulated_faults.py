"""Faults strike by name, by seed, and as often as the plan says."""

import numpy as np
import pytest
from pydantic import ValidationError

from instruments.simulated.diffractometer_settings import DiffractometerSettings
from instruments.simulated.faults import (
    DIFFRACTOMETER_FAULTS,
    FURNACE_FAULTS,
    FaultRate,
    strike,
)
from instruments.simulated.furnace_settings import FurnaceSettings
from instruments.simulated.streams import command_key, stream


def struck(plan, *, seed, experiment=0):
    kind = strike(
        plan, known=FURNACE_FAULTS, experiment=experiment, rng=np.random.default_rng(seed)
    )
    return kind.name if kind else None


def test_nothing_strikes_without_a_plan():
    assert {struck({}, seed=seed) for seed in range(50)} == {None}


def test_a_fault_strikes_as_often_as_its_probability():
    plan = {"jam": FaultRate(probability=0.2)}
    hits = sum(struck(plan, seed=seed) == "jam" for seed in range(2000))
    # Binomial: 400 expected, standard deviation 18; four of them leave one chance in 10 000.
    assert abs(hits - 400) < 72


def test_a_fault_strikes_named_experiments_for_certain():
    plan = {"heater_dead": FaultRate(experiments=(3,))}
    assert struck(plan, seed=0, experiment=3) == "heater_dead"
    assert struck(plan, seed=0, experiment=4) is None


def test_switching_one_fault_on_does_not_move_another():
    jam = {"jam": FaultRate(probability=0.3)}
    both = {"timeout": FaultRate(probability=0.3), **jam}
    for seed in range(200):
        if struck(jam, seed=seed):
            assert struck(both, seed=seed) == "jam"


def test_a_bare_number_is_a_probability():
    settings = FurnaceSettings.model_validate({"faults": {"jam": 0.1}})
    assert settings.faults["jam"].probability == 0.1


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan"), "often", {"often": 1}])
def test_what_is_no_probability_is_refused(rate):
    with pytest.raises(ValidationError):
        FurnaceSettings.model_validate({"faults": {"jam": rate}})


@pytest.mark.parametrize("settings", [FurnaceSettings, DiffractometerSettings])
def test_a_fault_that_a_twin_cannot_produce_is_refused_with_the_ones_it_can(settings):
    with pytest.raises(ValidationError, match="no such fault: earthquake; this twin can produce"):
        settings.model_validate({"faults": {"earthquake": 0.1}})


@pytest.mark.parametrize("known", [FURNACE_FAULTS, DIFFRACTOMETER_FAULTS])
def test_every_fault_says_what_happened(known):
    for name, kind in known.items():
        error = kind.raised()
        assert error.kind == name
        assert str(error) == kind.message


def test_a_stream_belongs_to_its_keys_and_to_nothing_else():
    first = stream(1, "furnace", 3, 0.1).random(4)
    assert np.array_equal(first, stream(1, "furnace", 3, 0.1).random(4))
    others = [stream(2, "furnace", 3, 0.1), stream(1, "xrd", 3, 0.1), stream(1, "furnace", 3, 0.2)]
    assert not any(np.array_equal(first, other.random(4)) for other in others)


def test_a_command_is_the_same_in_every_campaign():
    assert command_key("tio2-a/3/measure/1") == command_key("tio2-b/3/measure/1") == "3/measure/1"
    assert command_key("manual") == "manual"
