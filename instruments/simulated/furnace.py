"""A simulated synthesizer: doses a titania gel and its dopant, and fires them in a furnace."""

from __future__ import annotations

import math

import numpy as np

from instruments.clock import Clock
from instruments.commands import Command, Synthesize
from instruments.device import Action, Device
from instruments.measurement import Reading
from instruments.protocols import Estimated
from instruments.sample import Sample, Setting
from instruments.simulated.faults import FURNACE_FAULTS, FaultKind, strike
from instruments.simulated.furnace_settings import ACCEPTS, FurnaceSettings
from instruments.simulated.hot_zone import HotZone
from instruments.simulated.programme import Programme
from instruments.simulated.streams import command_key, stream

TITANIA_MOLAR_MASS = 79.866
"""[g/mol]"""


class FurnaceDevice(Device):
    """Doses, fires and cools one crucible at a time; what comes out is not decided here.

    The sample records the recipe as executed: weighed dopant, measured plateau, timed dwell. The
    reading of the thermocouple is what is recorded; how far it is wrong nobody here knows.

    Parameters
    ----------
    seed : of the laboratory; a command draws from (seed, name, its id without the campaign).
    """

    def __init__(self, name: str, settings: FurnaceSettings, *, clock: Clock, seed: int) -> None:
        self._name = name
        self._settings = settings
        self._clock = clock
        self._seed = seed
        self._zone = HotZone(clock)

    def estimate(self, command: Command) -> Estimated:
        """Return the nominal duration, waiting for a hot furnace included, and consumption."""
        recipe = _recipe(command)
        programme = self._programme(recipe)
        dopant = self._dopant_mmol(_number(recipe, "dopant"))
        consumed = {
            "gel": self._settings.batch,
            "crucible": 1.0,
            "electricity": self._energy(programme),
        }
        if dopant:
            consumed[str(recipe["dopant_element"])] = dopant
        wait = self._zone.seconds_to_unload
        return Estimated(wait + self._settings.overhead + programme.seconds, consumed)

    async def act(self, action: Action, command: Command) -> Sample:
        """Dose, heat, hold and cool; return the sample with its recipe as executed."""
        assert isinstance(command, Synthesize)
        rng = stream(self._seed, self._name, "execute", command_key(action.command_id))
        fault = strike(
            self._settings.faults, known=FURNACE_FAULTS, experiment=command.number, rng=rng
        )
        moment = float(rng.random())
        executed = self._as_executed(command.recipe, rng)
        if wait := self._zone.seconds_to_unload:
            action.step("waiting for the furnace to cool")
            await self._clock.sleep(wait)
        await self._dose(action, executed, fault=fault, rng=rng)
        await self._fire(action, self._programme(executed), fault=fault, moment=moment)
        return self._sample(action, command, executed)

    async def halt(self, *, emergency: bool) -> None:
        """Switch the heating off."""
        del emergency
        self._zone.cut()

    async def read(self) -> dict[str, Reading]:
        """Return the temperature of the hot zone."""
        return {"temperature": Reading(round(self._zone.temperature, 1), 0.5, "degC")}

    async def _dose(
        self,
        action: Action,
        recipe: dict[str, Setting],
        *,
        fault: FaultKind | None,
        rng: np.random.Generator,
    ) -> None:
        action.step("dosing")
        seconds = self._settings.overhead * self._scatter(0.05, rng)
        if fault and fault.step == "dispense":
            await self._clock.sleep(0.5 * seconds)
            if fault.name == "jam":
                action.use("gel", 0.5 * self._settings.batch)
            raise fault.raised()
        action.use("gel", self._settings.batch)
        if dopant := self._dopant_mmol(_number(recipe, "dopant")):
            action.use(str(recipe["dopant_element"]), dopant)
        action.use("crucible", 1.0)
        await self._clock.sleep(seconds)

    async def _fire(
        self, action: Action, programme: Programme, *, fault: FaultKind | None, moment: float
    ) -> None:
        self._zone.heat(programme)
        try:
            action.step(f"heating to {programme.temperature:.0f} °C")
            await self._heat(programme.ramp_seconds, "ramp", fault=fault, moment=moment)
            action.step(f"holding {programme.temperature:.0f} °C")
            await self._heat(programme.dwell_seconds, "dwell", fault=fault, moment=moment)
            action.use("electricity", self._energy(programme))
            action.step("cooling")
            await self._clock.sleep(programme.cooling_seconds)
        finally:
            self._zone.cut()

    async def _heat(
        self, seconds: float, step: str, *, fault: FaultKind | None, moment: float
    ) -> None:
        """Wait for one part of the programme, or until a fault of that part is noticed."""
        if fault is None or fault.step != step:
            await self._clock.sleep(seconds)
            return
        await self._clock.sleep(moment * seconds)
        self._zone.cut()
        if fault.name == "heater_dead":
            await self._clock.sleep(600.0)
        raise fault.raised()

    def _as_executed(
        self, recipe: dict[str, Setting], rng: np.random.Generator
    ) -> dict[str, Setting]:
        """Return the recipe as balance, thermocouple and timer will report it."""
        spread = self._settings.spread
        kelvin, dosing, offset = spread * rng.standard_normal(3)
        dopant = _number(recipe, "dopant")
        weighed = max(dopant * (1.0 + 0.01 * dosing) + 0.005 * offset, 0.0) if dopant else 0.0
        return {
            **recipe,
            "temperature": round(_number(recipe, "temperature") + 0.4 * kelvin, 1),
            "dwell": round(_number(recipe, "dwell") * self._scatter(0.002, rng), 4),
            "ramp": round(_number(recipe, "ramp") * self._scatter(0.01, rng), 3),
            "dopant": round(weighed, 3),
        }

    def _sample(self, action: Action, command: Synthesize, executed: dict[str, Setting]) -> Sample:
        return Sample(
            id=command.sample_id,
            number=command.number,
            recipe=executed,
            units={a.name: a.unit for a in ACCEPTS if a.unit},
            made_by=self._name,
            consumed=dict(action.consumed),
            simulated=True,
            started=action.started,
            finished=self._clock.now(),
        )

    def _programme(self, recipe: dict[str, Setting]) -> Programme:
        temperature, dwell, ramp = (_number(recipe, n) for n in ("temperature", "dwell", "ramp"))
        return Programme(temperature, dwell, ramp)

    def _energy(self, programme: Programme) -> float:
        return programme.energy(
            heat_capacity=self._settings.heat_capacity, loss=self._settings.loss
        )

    def _dopant_mmol(self, mol_percent: float) -> float:
        return self._settings.batch / TITANIA_MOLAR_MASS * 1e3 * mol_percent / 100.0

    def _scatter(self, relative: float, rng: np.random.Generator) -> float:
        return math.exp(self._settings.spread * relative * rng.standard_normal())


def _recipe(command: Command) -> dict[str, Setting]:
    assert isinstance(command, Synthesize)
    return command.recipe


def _number(recipe: dict[str, Setting], name: str) -> float:
    return float(recipe[name])
