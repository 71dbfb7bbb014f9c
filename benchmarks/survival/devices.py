"""Devices that write down, in a file of their own, what they physically did.

The file is the oracle: it is written by the device alone, line by line as matter would move, and
never read by anything under test.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from instruments.capabilities import Accepted, Capabilities, Consumable, Recovery
from instruments.clock import Clock, RealClock
from instruments.commands import Command, Measure, Synthesize
from instruments.device import Action, Device
from instruments.errors import InstrumentFault
from instruments.execution import Executor
from instruments.measurement import Measurement, Reading
from instruments.protocols import Estimated
from instruments.sample import Sample


@dataclass(frozen=True, slots=True)
class Logbook:
    """An append-only file of physical deeds."""

    path: Path

    def write(self, instrument: str, deed: str, command_id: str = "") -> None:
        """Append one line; a single write of a short line to a file opened so is never mixed."""
        line = {"at": time.time(), "instrument": instrument, "deed": deed, "id": command_id}
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, (json.dumps(line) + "\n").encode())
        finally:
            os.close(handle)

    def read(self) -> list[dict[str, str]]:
        """Return every line."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@dataclass
class _Physical(Device):
    """Works for a while and writes down when it began and ended.

    `fails` is the chance that an action ends in a fault, drawn from the command's id, so that a
    repeated campaign meets the same faults.
    """

    name: str
    clock: Clock
    logbook: Logbook
    seconds: float
    fails: float = 0.0

    def estimate(self, command: Command) -> Estimated:
        """Return the time it takes and what it uses."""
        used = {"powder": 1.0} if isinstance(command, Synthesize) else {}
        return Estimated(self.seconds, used)

    async def halt(self, *, emergency: bool) -> None:
        """Come to rest."""
        self.logbook.write(self.name, "emergency stop" if emergency else "stop")

    async def _work(self, action: Action) -> None:
        self.logbook.write(self.name, "began", action.command_id)
        await self.clock.sleep(self.seconds)
        if _chance(action.command_id) < self.fails:
            self.logbook.write(self.name, "failed", action.command_id)
            raise InstrumentFault("jam", f"{self.name} jammed")
        self.logbook.write(self.name, "ended", action.command_id)


class Maker(_Physical):
    """Makes samples."""

    async def act(self, action: Action, command: Command) -> Sample:
        """Make one sample."""
        assert isinstance(command, Synthesize)
        action.use("powder", 1.0)
        await self._work(action)
        return Sample(
            id=command.sample_id,
            number=command.number,
            recipe=command.recipe,
            made_by=self.name,
            consumed=action.consumed,
            simulated=False,
            started=action.started,
            finished=self.clock.now(),
        )


class Meter(_Physical):
    """Reads the yield, largest at 150 degC and 2 h."""

    async def act(self, action: Action, command: Command) -> Measurement:
        """Measure one sample."""
        assert isinstance(command, Measure)
        await self._work(action)
        recipe = command.sample.recipe
        t, hours = float(recipe["temperature"]), float(recipe["time"])
        value = math.exp(-(((t - 150) / 40) ** 2) - (hours - 2) ** 2)
        empty = np.empty(0)
        return Measurement(
            id=command.measurement_id,
            sample_id=command.sample.id,
            technique="table",
            x=empty,
            y=empty,
            sigma=None,
            x_name="",
            x_unit="",
            y_name="",
            y_unit="",
            instrument=self.name,
            simulated=False,
            started=action.started,
            finished=self.clock.now(),
            readings={"yield": Reading(value, 0.01, "")},
        )


def maker(
    name: str,
    logbook: Logbook,
    *,
    seconds: float,
    recovery: Recovery = "ask_operator",
    fails: float = 0.0,
) -> Executor:
    """Return a synthesizer that does not call itself simulated: real time, real bookkeeping."""
    capabilities = Capabilities(
        role="synthesize",
        accepts=(
            Accepted(name="temperature", unit="degC", low=100, high=250),
            Accepted(name="time", unit="h", low=0.5, high=4, default=1.0),
        ),
        consumables=(Consumable(name="powder", unit="g", stock=1_000_000),),
        recovery=recovery,
        simulated=False,
    )
    clock = RealClock()
    return Executor(name, capabilities, clock, Maker(name, clock, logbook, seconds, fails))


def meter(
    name: str,
    logbook: Logbook,
    *,
    seconds: float,
    recovery: Recovery = "ask_operator",
    fails: float = 0.0,
) -> Executor:
    """Return a measuring instrument, likewise."""
    capabilities = Capabilities(
        role="measure",
        technique="table",
        reports={"yield": ""},
        recovery=recovery,
        simulated=False,
    )
    clock = RealClock()
    return Executor(name, capabilities, clock, Meter(name, clock, logbook, seconds, fails))


def _chance(command_id: str) -> float:
    """Return a number from 0 to 1 that belongs to a command."""
    return int.from_bytes(hashlib.sha256(command_id.encode()).digest()[:4], "big") / 2**32
