"""Devices that fail and hang, an agent and a planner that crash: what `faults.py` strikes with."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis.insight import Estimate, Insight
from instruments.commands import Command
from instruments.device import Action, Device
from instruments.errors import InstrumentFault
from instruments.measurement import Measurement
from instruments.sample import Sample
from planners.baselines import make_random
from planners.proposal import Proposal

QUANTITY = "xrd.counts"
HANG = "hang"


@dataclass
class Chance:
    """Decides by name what goes wrong, the same in every run, and notes what it decided."""

    rate: float
    seed: int
    struck: Counter[str] = field(default_factory=Counter)

    def strikes(self, what: str, name: str, rate: float) -> bool:
        """Return whether something goes wrong this time."""
        word = hashlib.sha256(f"{self.seed}/{what}/{name}".encode()).digest()[:8]
        hit = int.from_bytes(word) / 2**64 < rate
        self.struck[what] += hit
        return hit

    def each(self, kinds: int) -> float:
        """Return the probability of each of several kinds that gives the rate all together."""
        return float(1 - (1 - self.rate) ** (1 / kinds))


@dataclass
class Unreliable(Device):
    """A simulated device that sometimes never returns; notes what happened to every command."""

    inner: Device
    chance: Chance
    kinds: int
    noted: dict[str, str] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)

    def faults(self, command: Command) -> list[str]:
        """Return what the device refuses."""
        return self.inner.faults(command)

    def estimate(self, command: Command) -> Any:
        """Return what the device expects."""
        return self.inner.estimate(command)

    async def act(self, action: Action, command: Command) -> Sample | Measurement:
        """Carry out the command, or hang."""
        name = action.command_id
        self.noted[name] = ""
        self.acts[name] += 1
        if self.chance.strikes(HANG, name, self.chance.each(self.kinds)):
            self.noted[name] = HANG
            await asyncio.Event().wait()
        try:
            value = await self.inner.act(action, command)
        except InstrumentFault as fault:
            self.noted[name] = fault.kind
            self.chance.struck[fault.kind] += 1
            raise
        if isinstance(value, Measurement) and value.flags:
            self.noted[name] = value.flags[0]
            self.chance.struck[value.flags[0]] += 1
        return value


@dataclass
class Counts:
    """Reads the mean counts of a pattern, and sometimes crashes."""

    chance: Chance
    name: str = "counts"
    technique: str = "xrd"

    @property
    def quantities(self) -> dict[str, str]:
        """The one it can tell."""
        return {QUANTITY: "1"}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return the mean counts; `rng` is not used."""
        del rng
        seen = measurements[0]
        if self.chance.strikes("agent", seen.id, self.chance.rate):
            raise ZeroDivisionError("the refinement divided by zero")
        mean = float(np.mean(seen.y))
        return Insight(
            id=f"{seen.id}/{self.name}",
            agent=self.name,
            measurement_ids=(seen.id,),
            estimates={QUANTITY: Estimate(mean, float(np.std(seen.y)), "1")},
        )


@dataclass
class Guessing:
    """Draws at random, and sometimes crashes, proposes nonsense, or nothing at all."""

    chance: Chance
    campaign: str
    name: str = "guessing"

    def propose(self, space: Any, objective: Any, *, observations: Any, **more: Any) -> Any:
        """Return a proposal, or not."""
        which = f"{self.campaign}/{len(observations)}"
        if not self.chance.strikes("planner", which, self.chance.rate):
            return make_random({}).propose(space, objective, observations=observations, **more)
        kind = len(observations) % 3
        if kind == 0:
            raise RuntimeError("the kernel matrix is singular")
        if kind == 1:
            return []
        proposals: list[Proposal] = make_random({}).propose(
            space, objective, observations=observations, **more
        )
        hot = {**proposals[0].values, "temperature": 5000.0}
        return [proposals[0].model_copy(update={"values": hot})]
