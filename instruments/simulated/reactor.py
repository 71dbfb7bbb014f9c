"""A simulated reactor: fills a vessel and lets gold clusters grow; which, is not decided here."""

from __future__ import annotations

import math

import numpy as np

from instruments.clock import Clock
from instruments.commands import Command, Synthesize
from instruments.device import Action, Device
from instruments.protocols import Estimated
from instruments.sample import Sample, Setting
from instruments.simulated.faults import FaultKind, strike
from instruments.simulated.reactor_settings import ReactorSettings
from instruments.simulated.streams import command_key, stream

_CLOGGED_SHARE = 0.5
"""Of a batch that is lost where a line clogs."""


class ReactorDevice(Device):
    """Grows one batch at a time and records the recipe as its controllers read it back.

    Parameters
    ----------
    seed : of the laboratory; a command draws from (seed, name, its id without the campaign).
    """

    def __init__(self, name: str, settings: ReactorSettings, *, clock: Clock, seed: int) -> None:
        self._name = name
        self._settings = settings
        self._clock = clock
        self._seed = seed

    def faults(self, command: Command) -> list[str]:
        """Return what is wrong with a recipe whose single settings are accepted."""
        return self._settings.recipe_faults(_synthesis(command).recipe)

    def estimate(self, command: Command) -> Estimated:
        """Return the nominal duration and consumption."""
        s = self._settings
        return Estimated(s.overhead + s.growth, s.uses(_synthesis(command).recipe))

    async def act(self, action: Action, command: Command) -> Sample:
        """Fill, grow and empty; return the sample with its recipe as read back."""
        said, s = _synthesis(command), self._settings
        rng = stream(self._seed, self._name, "execute", command_key(action.command_id))
        fault = strike(s.faults, known=s.known_faults, experiment=said.number, rng=rng)
        moment = float(rng.random())
        executed = self._as_executed(said.recipe, rng)
        late = [math.exp(0.02 * s.spread * v) for v in rng.standard_normal(2)]
        await self._fill(action, s.uses(said.recipe), fault=fault, seconds=s.overhead * late[0])
        action.step("growing")
        if fault and fault.step == "grow":
            await self._clock.sleep(moment * s.growth * late[1])
            raise fault.raised()
        await self._clock.sleep(s.growth * late[1])
        return self._sample(action, said, executed)

    async def _fill(
        self,
        action: Action,
        amounts: dict[str, float],
        *,
        fault: FaultKind | None,
        seconds: float,
    ) -> None:
        action.step("filling")
        if fault and fault.step == "fill":
            await self._clock.sleep(0.5 * seconds)
            if fault.name == "clogged":
                for name, amount in amounts.items():
                    action.use(name, _CLOGGED_SHARE * amount)
            raise fault.raised()
        for name, amount in amounts.items():
            action.use(name, amount)
        await self._clock.sleep(seconds)

    def _as_executed(
        self, recipe: dict[str, Setting], rng: np.random.Generator
    ) -> dict[str, Setting]:
        """Return the recipe as it was met, each setting within what the device can do."""
        executed = dict(recipe)
        for accepted in self._settings.device_accepts:
            if accepted.name not in self._settings.control:
                continue
            assert accepted.low is not None
            assert accepted.high is not None
            error = self._settings.control[accepted.name] * float(rng.standard_normal())
            value = float(recipe[accepted.name]) + self._settings.spread * error
            executed[accepted.name] = min(max(value, accepted.low), accepted.high)
        return executed

    def _sample(self, action: Action, said: Synthesize, executed: dict[str, Setting]) -> Sample:
        return Sample(
            id=said.sample_id,
            number=said.number,
            recipe=executed,
            units={a.name: a.unit for a in self._settings.device_accepts if a.unit},
            made_by=self._name,
            consumed=dict(action.consumed),
            simulated=True,
            started=action.started,
            finished=self._clock.now(),
        )


def _synthesis(command: Command) -> Synthesize:
    assert isinstance(command, Synthesize)
    return command
