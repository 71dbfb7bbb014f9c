"""Checks of an instrument that remembers its commands, for those that declare it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps

from instruments.conformance.stopping import acting
from instruments.conformance.trial import ID, Check, Trial, same_value
from instruments.errors import CommandRefused
from instruments.protocols import Instrument, Queryable

SCOPE = ID.split("/")[0]


class _Asked(Queryable, Instrument):
    """A queryable instrument."""


def _if_queryable(check: Check) -> Check:
    """Have a check pass over instruments that do not declare that they can be asked."""

    @wraps(check)
    async def checked(trial: Trial) -> None:
        if trial.make().describe().recovery == "queryable":
            await check(trial)

    return checked


def _asked(instrument: Instrument) -> _Asked:
    assert isinstance(instrument, Queryable), "query or fence is missing"
    return instrument  # type: ignore[return-value]


@asynccontextmanager
async def _beside(trial: Trial, instrument: Instrument) -> AsyncIterator[_Asked]:
    """Give a second connection to the same device, as after a crash."""
    assert trial.beside is not None, "a queryable instrument is checked with `beside`; see Trial"
    other = trial.beside(instrument)
    await other.connect()
    try:
        yield _asked(other)
    finally:
        await other.disconnect()


async def _refused(what: Callable[[], Awaitable[object]], why: str) -> None:
    try:
        await what()
    except CommandRefused:
        return
    raise AssertionError(f"{why} was not refused")


@_if_queryable
async def _a_command_that_never_came_is_not_seen(trial: Trial) -> None:
    async with trial.connected() as instrument:
        fate = (await _asked(instrument).query(ID)).fate
        assert fate == "not_seen", f"it is said to be {fate}"


@_if_queryable
async def _asking_moves_nothing(trial: Trial) -> None:
    async with trial.connected() as instrument:
        await _asked(instrument).query(ID)
        assert (await instrument.status()).state == "idle", "the state is not idle"
        outcome = await trial.run(instrument)
        assert not outcome.replayed, "asking had begun the command"
        await _asked(instrument).query(ID)
        assert (await instrument.status()).state == "idle", "the state is not idle"


@_if_queryable
async def _a_running_command_is_adopted_by_another_connection(trial: Trial) -> None:
    async with acting(trial, trial.factor * 2) as (instrument, running):
        if running is None:
            return
        async with _beside(trial, instrument) as other:
            fate = (await other.query(ID)).fate
            assert fate == "running", f"it is said to be {fate}"
            adopted = await other.execute(ID, trial.good)
            assert same_value(adopted.value, (await running).value), "it acted twice"


@_if_queryable
async def _an_ended_command_is_told_with_its_outcome(trial: Trial) -> None:
    async with trial.connected() as instrument:
        outcome = await trial.run(instrument)
        async with _beside(trial, instrument) as other:
            for asked in (_asked(instrument), other):
                told = (await asked.query(ID)).outcome
                assert told is not None, "no outcome is told"
                assert told.settled == outcome.settled, f"it is said to have {told.settled}"
                assert same_value(told.value, outcome.value), "another value is told"
                assert told.consumed == outcome.consumed, f"consumed is {told.consumed}"


@_if_queryable
async def _another_connection_does_not_make_it_act_again(trial: Trial) -> None:
    async with trial.connected() as instrument:
        first = await trial.run(instrument)
        async with _beside(trial, instrument) as other:
            again = await other.execute(ID, trial.good)
            assert again.replayed, "the repeated command is not marked as replayed"
            assert same_value(again.value, first.value), "the repeated command has another value"


@_if_queryable
async def _whoever_was_overtaken_is_refused(trial: Trial) -> None:
    async with trial.connected() as instrument:
        old = _asked(instrument)
        await old.fence(SCOPE, 3)
        async with _beside(trial, instrument) as new:
            await new.fence(SCOPE, 4)
            await _refused(lambda: old.fence(SCOPE, 3), "a lower token")
            await _refused(lambda: old.execute(ID, trial.good), "a command with a lower token")
            await _refused(lambda: old.query(ID), "a question with a lower token")
            assert (await trial.run(new)).settled == "succeeded", "the new holder cannot act"


@_if_queryable
async def _a_fence_of_one_scope_leaves_others_free(trial: Trial) -> None:
    async with trial.connected() as instrument:
        async with _beside(trial, instrument) as other:
            await other.fence(f"{SCOPE}-2", 9)
        assert (await trial.run(instrument)).settled == "succeeded", "another scope is fenced too"


QUERYING: tuple[Check, ...] = (
    _a_command_that_never_came_is_not_seen,
    _asking_moves_nothing,
    _a_running_command_is_adopted_by_another_connection,
    _an_ended_command_is_told_with_its_outcome,
    _another_connection_does_not_make_it_act_again,
    _whoever_was_overtaken_is_refused,
    _a_fence_of_one_scope_leaves_others_free,
)
