"""Checks of stopping in the middle, and of what comes after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from instruments.commands import Outcome
from instruments.conformance.trial import ID, Check, Trial
from instruments.errors import CommandRefused
from instruments.protocols import Instrument

_LONG_ENOUGH = 1e-6
"""A command estimated to take less [s] cannot be stopped in the middle."""


@asynccontextmanager
async def acting(
    trial: Trial, part: float
) -> AsyncIterator[tuple[Instrument, asyncio.Task[Outcome] | None]]:
    """Give an instrument in the middle of the good command, or None if it is too quick."""
    async with trial.connected() as instrument:
        seconds = instrument.check(trial.good).seconds
        if seconds < _LONG_ENOUGH:
            yield instrument, None
            return
        running = asyncio.create_task(trial.run(instrument))
        await trial.clock.sleep(seconds / part)
        yield instrument, running
        await asyncio.wait({running})


async def _stopping_when_idle_finds_nothing_running(trial: Trial) -> None:
    async with trial.connected() as instrument:
        assert await instrument.stop() == "nothing_running", "it stopped something"
        assert (await instrument.status()).state == "idle", "the state is not idle"


async def _an_emergency_stop_holds_until_reset(trial: Trial) -> None:
    async with trial.connected() as instrument:
        await instrument.stop(emergency=True)
        assert (await instrument.status()).state == "stopped", "the state is not stopped"
        try:
            await instrument.execute(ID, trial.good)
        except CommandRefused:
            await instrument.reset()
            assert (await instrument.status()).state == "idle", "reset does not lead to idle"
            return
        raise AssertionError("a stopped instrument accepted a command")


async def _is_busy_while_it_acts(trial: Trial) -> None:
    async with acting(trial, trial.factor * 2) as (instrument, running):
        if running is None:
            return
        status = await instrument.status()
        assert status.state == "busy", f"the state is {status.state}"
        assert status.command_id == ID, f"the running command is {status.command_id!r}"
        assert status.remaining is None or status.remaining >= 0, "the remaining time is negative"


async def _a_stop_during_a_command_is_honest(trial: Trial) -> None:
    async with acting(trial, trial.factor * 2) as (instrument, running):
        if running is None:
            return
        how = instrument.describe().stop
        before = trial.clock.now()
        result = await instrument.stop()
        outcome = await running
        if how == "abort":
            assert result == "halted", f"stop says {result}"
            assert outcome.settled == "aborted", f"the command {outcome.settled}"
            passed = (trial.clock.now() - before).total_seconds()
            assert passed < 1.0 + trial.allowance(1.0), f"stopping took {passed:g} s"
        expected = {"succeeded": "ran_to_completion", "unconfirmed": "unconfirmed"}
        if outcome.settled in expected:
            assert result == expected[outcome.settled], f"stop says {result}"
        state = (await instrument.status()).state
        assert state == "stopped", f"the state is {state}"


async def _works_again_after_a_stop_and_reset(trial: Trial) -> None:
    async with acting(trial, trial.factor * 2) as (instrument, running):
        if running is None:
            return
        await instrument.stop()
        await running
        await instrument.reset()
        again = await trial.run(instrument, command_id=ID + "/again")
        assert again.settled == "succeeded", f"{again.settled}: {again.error}"


async def _disconnecting_during_a_command_settles_it(trial: Trial) -> None:
    async with acting(trial, trial.factor * 2) as (instrument, running):
        if running is None:
            return
        await instrument.disconnect()
        outcome = await running
        assert outcome.settled != "unconfirmed", f"{outcome.settled}: {outcome.error}"


STOPPING: tuple[Check, ...] = (
    _stopping_when_idle_finds_nothing_running,
    _an_emergency_stop_holds_until_reset,
    _is_busy_while_it_acts,
    _a_stop_during_a_command_is_honest,
    _works_again_after_a_stop_and_reset,
    _disconnecting_during_a_command_settles_it,
)
