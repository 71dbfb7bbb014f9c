from __future__ import annotations

from collections.abc import Callable

import pytest

from instruments.capabilities import Capabilities
from instruments.clock import Clock, VirtualClock
from instruments.commands import Command, Outcome
from instruments.conformance import CHECKS, check_instrument
from instruments.device import Action
from instruments.execution import Executor
from instruments.protocols import Estimated, Status, StopResult
from instruments.sample import Sample
from tests.instruments.kettle import Kettle, heat, kettle


@pytest.mark.parametrize("stop", ["abort", "between_steps", "none"])
@pytest.mark.parametrize("simulated", [True, False])
async def test_the_kettle_conforms(stop: str, simulated: bool) -> None:
    clock = VirtualClock()
    passed = await check_instrument(
        lambda: kettle(clock, stop=stop, simulated=simulated),
        heat(80.0),
        [heat(300.0), heat(80.0, vessel="paper")],
        clock=clock,
    )
    assert len(passed) == len(CHECKS) >= 30


class Forgetful(Executor):
    async def execute(self, command_id: str, command: Command) -> Outcome:
        self._known.clear()
        return await super().execute(command_id, command)


class Careless(Executor):
    def check(self, command: Command) -> Estimated:
        return Estimated(120.0)


class Unstoppable(Executor):
    async def stop(self, *, emergency: bool = False) -> StopResult:
        return "halted"


class Optimistic(Executor):
    def check(self, command: Command) -> Estimated:
        return Estimated(super().check(command).seconds / 10)


class AlwaysIdle(Executor):
    async def status(self) -> Status:
        return Status("idle")


class Impostor(Executor):
    def describe(self) -> Capabilities:
        return super().describe().model_copy(update={"simulated": False})


class Anonymous(Executor):
    async def execute(self, command_id: str, command: Command) -> Outcome:
        return await super().execute("x" + command_id, command)


class Immortal(Executor):
    async def disconnect(self) -> None:
        if self._connected:
            await super().disconnect()
        else:
            raise RuntimeError("already closed")


def renamed_maker(clock: Clock) -> Executor:
    class Somebody(Kettle):
        async def act(self, action: Action, command: Command) -> Sample:
            sample = await super().act(action, command)
            return sample.model_copy(update={"made_by": "somebody"})

    instrument = kettle(clock)
    instrument.device = Somebody(clock, simulated=True)
    return instrument


def built(kind: type[Executor]) -> Callable[[Clock], Executor]:
    def make(clock: Clock) -> Executor:
        good = kettle(clock)
        return kind(good.name, good.describe(), clock, good.device)

    return make


@pytest.mark.parametrize(
    ("make", "claim"),
    [
        (built(Forgetful), "the same id acts once"),
        (built(Careless), "refuses nan and infinity"),
        (built(Unstoppable), "stopping when idle finds nothing running"),
        (built(Optimistic), "takes about as long as estimated"),
        (built(AlwaysIdle), "refuses to execute before connect"),
        (built(Impostor), "says everywhere whether it is simulated"),
        (built(Anonymous), "a good command succeeds under its id"),
        (built(Immortal), "may be disconnected twice"),
        (renamed_maker, "the value is what was asked for"),
    ],
)
async def test_a_faulty_driver_is_caught_by_name(
    make: Callable[[Clock], Executor], claim: str
) -> None:
    clock = VirtualClock()
    with pytest.raises(AssertionError, match=f"^{claim}: "):
        await check_instrument(lambda: make(clock), heat(80.0), clock=clock)
