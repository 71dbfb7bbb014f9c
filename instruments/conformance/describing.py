"""Checks of what an instrument says of itself, and of its connection."""

from __future__ import annotations

import json

from instruments.capabilities import Capabilities
from instruments.conformance.trial import ID, Check, Trial
from instruments.errors import NotConnected
from instruments.protocols import Instrument


async def _has_every_method_of_the_protocol(trial: Trial) -> None:
    instrument = trial.make()
    assert isinstance(instrument, Instrument), "a method of instruments.Instrument is missing"
    assert instrument.name, "the instrument has no name"


async def _describes_itself_without_a_connection(trial: Trial) -> None:
    described = trial.make().describe()
    assert described.role == trial.good.kind, f"role is {described.role}"
    if described.role == "measure":
        assert described.technique, "a measuring instrument must name its technique"


async def _capabilities_survive_json(trial: Trial) -> None:
    described = trial.make().describe()
    text = json.dumps(described.model_dump(mode="json"), allow_nan=False)
    assert Capabilities.model_validate_json(text) == described, "they changed on the way"


async def _setting_names_are_unique(trial: Trial) -> None:
    names = [a.name for a in trial.make().describe().accepts]
    assert len(names) == len(set(names)), f"names repeat: {names}"


async def _refuses_to_execute_before_connect(trial: Trial) -> None:
    instrument = trial.make()
    assert (await instrument.status()).state == "disconnected", "status is not disconnected"
    try:
        await instrument.execute(ID, trial.good)
    except NotConnected:
        return
    raise AssertionError("NotConnected was expected")


async def _may_be_connected_twice(trial: Trial) -> None:
    async with trial.connected() as instrument:
        await instrument.connect()
        assert (await instrument.status()).state == "idle", "the state is not idle"


async def _may_be_disconnected_twice(trial: Trial) -> None:
    async with trial.connected() as instrument:
        await instrument.disconnect()
        await instrument.disconnect()
        assert (await instrument.status()).state == "disconnected", "it is not disconnected"


async def _checking_moves_nothing(trial: Trial) -> None:
    async with trial.connected() as instrument:
        before = trial.clock.now()
        first, second = instrument.check(trial.good), instrument.check(trial.good)
        assert first == second, "two checks of one command differ"
        assert first.seconds >= 0, f"the estimated duration is {first.seconds} s"
        if trial.clock.is_virtual:
            assert trial.clock.now() == before, "time passed"
        assert (await instrument.status()).state == "idle", "the state is not idle"


async def _readings_have_units(trial: Trial) -> None:
    async with trial.connected() as instrument:
        for name, reading in (await instrument.read()).items():
            assert name, "a reading has no name"
            assert isinstance(reading.unit, str), f"{name} has no unit"


DESCRIBING: tuple[Check, ...] = (
    _has_every_method_of_the_protocol,
    _describes_itself_without_a_connection,
    _capabilities_survive_json,
    _setting_names_are_unique,
    _refuses_to_execute_before_connect,
    _may_be_connected_twice,
    _may_be_disconnected_twice,
    _checking_moves_nothing,
    _readings_have_units,
)
