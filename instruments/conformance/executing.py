"""Checks of a command that is carried out, and of one that comes again."""

from __future__ import annotations

import asyncio
import math

from instruments.commands import Synthesize
from instruments.conformance.trial import ID, Check, Trial, renamed, same_value
from instruments.errors import CommandConflict
from instruments.measurement import Measurement
from instruments.sample import Sample


async def _a_good_command_succeeds_under_its_id(trial: Trial) -> None:
    async with trial.connected() as instrument:
        outcome = await trial.run(instrument)
        assert outcome.settled == "succeeded", f"{outcome.settled}: {outcome.error}"
        assert outcome.command_id == ID, f"the outcome bears the id {outcome.command_id}"
        assert not outcome.replayed, "a first execution is said to be replayed"
        assert (await instrument.status()).state == "idle", "the state is not idle afterwards"


async def _the_value_is_what_was_asked_for(trial: Trial) -> None:
    async with trial.connected() as instrument:
        value = (await trial.run(instrument)).value
        if isinstance(trial.good, Synthesize):
            assert isinstance(value, Sample), f"the value is {type(value).__name__}"
            assert value.id == trial.good.sample_id, f"the sample is called {value.id}"
            assert value.number == trial.good.number, f"its number is {value.number}"
            assert value.made_by == instrument.name, f"it was made by {value.made_by}"
        else:
            assert isinstance(value, Measurement), f"the value is {type(value).__name__}"
            assert value.id == trial.good.measurement_id, f"the measurement is called {value.id}"
            assert value.sample_id == trial.good.sample.id, f"its sample is {value.sample_id}"
            assert value.instrument == instrument.name, f"its instrument is {value.instrument}"
            assert value.technique == instrument.describe().technique, "its technique is another"


async def _reports_the_readings_it_declares(trial: Trial) -> None:
    async with trial.connected() as instrument:
        value = (await trial.run(instrument)).value
        if isinstance(value, Measurement):
            units = {name: reading.unit for name, reading in value.readings.items()}
            declared = instrument.describe().reports
            assert units == declared, f"it reported {units} and declares {declared}"


async def _says_everywhere_whether_it_is_simulated(trial: Trial) -> None:
    async with trial.connected() as instrument:
        outcome = await trial.run(instrument)
        assert outcome.value is not None, outcome.error
        said = {instrument.describe().simulated, outcome.simulated, outcome.value.simulated}
        assert len(said) == 1, "capabilities, outcome and value disagree"


async def _times_are_in_order(trial: Trial) -> None:
    async with trial.connected() as instrument:
        before = trial.clock.now()
        outcome = await trial.run(instrument)
        after = trial.clock.now()
        assert outcome.value is not None, outcome.error
        times = [before, outcome.started, outcome.finished, after]
        assert times == sorted(times), f"times are {times}"
        assert outcome.value.started <= outcome.value.finished, "the value ended before it began"
        assert outcome.value.started.tzinfo is not None, "times need a time zone"


async def _takes_about_as_long_as_estimated(trial: Trial) -> None:
    async with trial.connected() as instrument:
        estimated = instrument.check(trial.good).seconds
        outcome = await trial.run(instrument)
        taken = (outcome.finished - outcome.started).total_seconds()
        slack = trial.allowance(0.5)
        said = f"it took {taken:g} s and {estimated:g} s were estimated"
        assert taken <= estimated * trial.factor + slack, said
        assert taken >= estimated / trial.factor - slack, said


async def _uses_up_what_it_declares_and_estimates(trial: Trial) -> None:
    async with trial.connected() as instrument:
        declared = {c.name for c in instrument.describe().consumables}
        estimated = instrument.check(trial.good).consumed
        assert set(estimated) <= declared, f"estimated but not declared: {estimated}"
        outcome = await trial.run(instrument)
        assert set(outcome.consumed) <= declared, f"used but not declared: {outcome.consumed}"
        for name, amount in outcome.consumed.items():
            assert math.isfinite(amount), f"{name} used: {amount}"
            assert amount >= 0, f"{name} used: {amount}"


async def _the_same_id_acts_once(trial: Trial) -> None:
    async with trial.connected() as instrument:
        first = await trial.run(instrument)
        before = trial.clock.now()
        again = await instrument.execute(ID, trial.good)
        assert again.replayed, "the repeated command is not marked as replayed"
        assert same_value(again.value, first.value), "the repeated command has another value"
        if trial.clock.is_virtual:
            assert trial.clock.now() == before, "time passed: it acted again"


async def _the_same_id_sent_twice_at_once_acts_once(trial: Trial) -> None:
    async with trial.connected() as instrument:
        both = await asyncio.gather(trial.run(instrument), trial.run(instrument))
        assert sorted(o.replayed for o in both) == [False, True], "both acted, or none"


async def _the_same_id_with_other_contents_is_a_conflict(trial: Trial) -> None:
    async with trial.connected() as instrument:
        await trial.run(instrument)
        try:
            await instrument.execute(ID, renamed(trial.good, "conformance/other"))
        except CommandConflict:
            return
        raise AssertionError("CommandConflict was expected")


EXECUTING: tuple[Check, ...] = (
    _a_good_command_succeeds_under_its_id,
    _the_value_is_what_was_asked_for,
    _reports_the_readings_it_declares,
    _says_everywhere_whether_it_is_simulated,
    _times_are_in_order,
    _takes_about_as_long_as_estimated,
    _uses_up_what_it_declares_and_estimates,
    _the_same_id_acts_once,
    _the_same_id_sent_twice_at_once_acts_once,
    _the_same_id_with_other_contents_is_a_conflict,
)
