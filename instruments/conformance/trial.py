"""What the checks are made with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields

import numpy as np

from instruments.clock import Clock, FasterClock
from instruments.commands import Command, Outcome, Synthesize
from instruments.measurement import Measurement
from instruments.protocols import Instrument
from instruments.sample import Sample

World = Callable[[Command], Awaitable[None]]
"""What happens outside while an instrument carries out a command, such as a file appearing."""

ID = "conformance/1/step/1"


@dataclass(frozen=True, slots=True)
class Trial:
    """What the checks are made with.

    Attributes
    ----------
    make : gives a fresh, unconnected instrument, each time the same, on the one `clock`.
    good : a command it carries out successfully.
    bad : commands it must refuse, besides those the suite derives from `good`.
    factor : how many times longer or shorter than estimated a command may take.
    beside : gives another unconnected driver of the same device as the one it is given, as a
        second process has; obligatory for a queryable instrument.
    """

    make: Callable[[], Instrument]
    good: Command
    bad: Sequence[Command]
    clock: Clock
    world: World
    factor: float
    beside: Callable[[Instrument], Instrument] | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Instrument]:
        """Give a connected instrument and disconnect it whatever happens."""
        instrument = self.make()
        await instrument.connect()
        try:
            yield instrument
        finally:
            await instrument.disconnect()

    def allowance(self, real: float) -> float:
        """Return the laboratory time [s] that `real` seconds of delay amount to."""
        if self.clock.is_virtual:
            return 0.0
        return real * (self.clock.speed if isinstance(self.clock, FasterClock) else 1.0)

    async def run(
        self, instrument: Instrument, command_id: str = ID, command: Command | None = None
    ) -> Outcome:
        """Execute the good command while the world does its part."""
        command = command or self.good
        world = asyncio.ensure_future(self.world(command))
        try:
            return await instrument.execute(command_id, command)
        finally:
            world.cancel()
            await asyncio.gather(world, return_exceptions=True)
            if not world.cancelled() and (error := world.exception()):
                raise error


Check = Callable[[Trial], Awaitable[None]]


def renamed(command: Command, identity: str) -> Command:
    """Return the command for a sample or measurement called `identity`, past all validation."""
    key = "sample_id" if isinstance(command, Synthesize) else "measurement_id"
    return command.model_copy(update={key: identity})


def same_value(one: Sample | Measurement | None, other: Sample | Measurement | None) -> bool:
    """Return whether two values are the same to the last bit, also after crossing a wire."""
    if isinstance(one, Measurement) and isinstance(other, Measurement):
        pairs = [(getattr(one, f.name), getattr(other, f.name)) for f in fields(Measurement)]
        return all(
            np.array_equal(a, b) and a.dtype == b.dtype
            if isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
            else a is b or a == b
            for a, b in pairs
        )
    return one == other
