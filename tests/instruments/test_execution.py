from __future__ import annotations

import asyncio
from typing import cast

import pytest

from instruments.clock import VirtualClock
from instruments.commands import Outcome, Synthesize
from instruments.errors import (
    CommandConflict,
    CommandRefused,
    InstrumentError,
    InstrumentFault,
    NotConnected,
)
from instruments.execution import Executor
from tests.instruments.kettle import Kettle, heat, kettle


async def connected(**options: object) -> tuple[Executor, Kettle, VirtualClock]:
    clock = VirtualClock()
    instrument = kettle(clock, **options)  # type: ignore[arg-type]
    await instrument.connect()
    return instrument, cast("Kettle", instrument.device), clock


async def started(
    instrument: Executor, clock: VirtualClock, command_id: str = "c/1/s/0"
) -> asyncio.Task[Outcome]:
    running = asyncio.create_task(instrument.execute(command_id, heat()))
    await clock.sleep(31.0)
    return running


async def test_an_outcome_says_what_was_made_used_and_read_back() -> None:
    instrument, _, _ = await connected()
    outcome = await instrument.execute("c/1/s/0", heat(80.0))
    assert outcome.settled == "succeeded"
    assert outcome.consumed == {"water": 0.5}
    assert outcome.readback == {"temperature": 80.0}
    assert (outcome.finished - outcome.started).total_seconds() == 120.0
    assert outcome.value is not None
    assert outcome.value.recipe["vessel"] == "glass"  # type: ignore[union-attr]


async def test_every_fault_of_a_command_is_named_at_once() -> None:
    instrument, _, _ = await connected()
    command = heat(300.0, vessel="paper", sugar=2.0)
    with pytest.raises(CommandRefused) as refusal:
        await instrument.execute("c/1/s/0", command)
    assert len(refusal.value.faults) == 3
    for word in ("300", "paper", "sugar"):
        assert word in str(refusal.value)


async def test_what_is_used_is_reported_and_the_declaration_stays_as_it_was() -> None:
    instrument, _, _ = await connected()
    declared = instrument.describe()
    estimated = instrument.check(heat(30.0)).consumed
    outcome = await instrument.execute("c/0/s/0", heat(30.0))
    assert outcome.consumed == estimated == {"water": 0.5}
    assert instrument.describe() == declared


async def test_a_known_id_does_not_act_again() -> None:
    instrument, device, _ = await connected()
    first = await instrument.execute("c/1/s/0", heat())
    again = await instrument.execute("c/1/s/0", heat())
    assert again.replayed
    assert again.value is first.value
    assert device.made == 1
    with pytest.raises(CommandConflict, match="c/1/s/0"):
        await instrument.execute("c/1/s/0", heat(81.0))


async def test_an_id_too_old_to_remember_is_refused_rather_than_repeated() -> None:
    instrument, device, _ = await connected(remember=2)
    for i in range(3):
        await instrument.execute(f"c/{i}/s/0", heat(30.0))
    with pytest.raises(CommandRefused, match="no longer kept"):
        await instrument.execute("c/0/s/0", heat(30.0))
    assert (await instrument.execute("c/2/s/0", heat(30.0))).replayed
    assert device.made == 3


async def test_a_second_command_waits_its_turn() -> None:
    instrument, _, _ = await connected()
    first, second = await asyncio.gather(
        instrument.execute("c/1/s/0", heat()),
        instrument.execute("c/2/s/0", heat(sample_id="c/2")),
    )
    assert second.started >= first.finished


async def test_a_waiting_command_is_refused_after_a_stop() -> None:
    instrument, device, clock = await connected()
    running = await started(instrument, clock)
    waiting = asyncio.create_task(instrument.execute("c/2/s/0", heat(sample_id="c/2")))
    await asyncio.sleep(0)
    await instrument.stop()
    assert (await running).settled == "aborted"
    with pytest.raises(CommandRefused, match="stopped"):
        await waiting
    await instrument.reset()
    assert not (await instrument.execute("c/2/s/0", heat(sample_id="c/2"))).replayed
    assert device.made == 1


async def test_a_stop_aborts_within_the_step_and_keeps_what_was_used() -> None:
    instrument, device, clock = await connected()
    running = await started(instrument, clock)
    status = await instrument.status()
    assert status.state == "busy"
    assert status.remaining == 120.0 - 31.0
    assert status.message == "heating, 35 °C"
    before = clock.now()
    assert await instrument.stop() == "halted"
    outcome = await running
    assert clock.now() == before
    assert outcome.settled == "aborted"
    assert outcome.consumed == {"water": 0.5}
    assert device.halts == [False]
    assert (await instrument.status()).state == "stopped"


async def test_a_device_that_stops_between_steps_comes_to_the_end_of_its_step() -> None:
    instrument, device, clock = await connected(stop="between_steps")
    running = await started(instrument, clock)
    assert await instrument.stop() == "halted_at_boundary"
    assert (await running).settled == "aborted"
    assert device.temperature == 36.0


async def test_a_device_without_a_stop_runs_to_completion() -> None:
    instrument, _, clock = await connected(stop="none", simulated=False)
    running = await started(instrument, clock)
    assert await instrument.stop() == "ran_to_completion"
    assert (await running).settled == "succeeded"
    assert (await instrument.status()).state == "stopped"


async def test_an_emergency_stop_of_a_device_without_a_stop_is_unconfirmed() -> None:
    instrument, device, clock = await connected(stop="none", simulated=False)
    running = await started(instrument, clock)
    assert await instrument.stop(emergency=True) == "unconfirmed"
    assert (await running).settled == "unconfirmed"
    assert device.halts == [True]


async def test_a_stop_that_the_device_does_not_confirm_is_unconfirmed() -> None:
    instrument, device, clock = await connected(simulated=False)
    device.halt_error = InstrumentError("no answer")
    running = await started(instrument, clock)
    assert await instrument.stop() == "unconfirmed"
    assert (await running).settled == "unconfirmed"
    assert (await instrument.status()).state == "fault"


async def test_an_emergency_stop_that_is_not_confirmed_is_released_by_a_person_only() -> None:
    instrument, device, _ = await connected(simulated=False)
    device.halt_error = InstrumentError("no answer")
    assert await instrument.stop(emergency=True) == "unconfirmed"
    status = await instrument.status()
    assert status.state == "stopped"  # a fault would be reset without asking
    assert "no answer" in status.message


async def test_a_named_fault_settles_as_failed_and_holds_until_reset() -> None:
    instrument, _, _ = await connected()
    outcome = await instrument.execute("c/1/s/0", heat(99.0))
    assert (outcome.settled, outcome.fault) == ("failed", "boiled_over")
    with pytest.raises(CommandRefused, match="boiled over"):
        instrument.check(heat())
    await instrument.reset()
    assert (await instrument.execute("c/1/s/1", heat())).settled == "succeeded"


async def test_a_fault_that_needs_no_reset_leaves_the_instrument_idle() -> None:
    instrument, device, _ = await connected()
    device.fault = InstrumentFault("timeout", "no answer in 5 s")
    assert (await instrument.execute("c/1/s/0", heat())).fault == "timeout"
    assert (await instrument.status()).state == "idle"


@pytest.mark.parametrize(("simulated", "settled"), [(False, "unconfirmed"), (True, "failed")])
async def test_an_unexpected_error_of_the_driver_is_named(simulated: bool, settled: str) -> None:
    instrument, device, _ = await connected(simulated=simulated)
    device.fault = ZeroDivisionError("division by zero")
    outcome = await instrument.execute("c/1/s/0", heat())
    assert outcome.settled == settled
    assert "ZeroDivisionError: division by zero" in outcome.error


async def test_a_caller_that_goes_away_does_not_stop_the_device() -> None:
    instrument, device, clock = await connected()
    caller = await started(instrument, clock)
    caller.cancel()
    await asyncio.wait({caller})
    outcome = await instrument.execute("c/1/s/0", heat())
    assert outcome.replayed
    assert outcome.settled == "succeeded"
    assert device.made == 1


async def test_a_sample_under_another_name_is_not_handed_on() -> None:
    instrument, device, _ = await connected()
    act = device.act

    async def mixed_up(action, command):  # type: ignore[no-untyped-def]
        return (await act(action, command)).model_copy(update={"id": "c/77"})

    device.act = mixed_up  # type: ignore[method-assign]
    outcome = await instrument.execute("c/1/s/0", heat())
    assert (outcome.settled, outcome.fault) == ("failed", "wrong_result")


async def test_nan_is_refused_although_validation_was_bypassed() -> None:
    instrument, _, _ = await connected()
    command = Synthesize.model_construct(
        sample_id="c/1", number=1, recipe={"temperature": float("nan")}
    )
    with pytest.raises(CommandRefused, match="finite"):
        await instrument.execute("c/1/s/0", command)


async def test_reading_and_resetting_need_a_connection() -> None:
    instrument = kettle(VirtualClock())
    with pytest.raises(NotConnected):
        await instrument.read()
    with pytest.raises(NotConnected):
        await instrument.reset()
