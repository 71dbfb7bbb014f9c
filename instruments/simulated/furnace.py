"""A simulated synthesizer: doses a titania gel and its dopant, and fires them in a furnace."""

from __future__ import annotations

import math

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from instruments.capabilities import Accepted, Capabilities, Consumable
from instruments.clock import Clock
from instruments.commands import Command, Synthesize
from instruments.device import Action, Device
from instruments.measurement import Reading
from instruments.protocols import Estimated
from instruments.sample import Sample, Setting
from instruments.simulated.faults import (
    FURNACE_FAULTS,
    FaultKind,
    FaultRate,
    strike,
    unknown_faults,
)
from instruments.simulated.hot_zone import HotZone
from instruments.simulated.limits import narrowed
from instruments.simulated.programme import Programme
from instruments.simulated.streams import command_key, stream

TITANIA_MOLAR_MASS = 79.866
"""[g/mol]"""

ACCEPTS = (
    Accepted(name="temperature", unit="degC", low=350, high=1000, description="of the plateau"),
    Accepted(name="dwell", unit="h", low=0.1, high=48, default=2.0, description="on the plateau"),
    Accepted(name="ramp", unit="degC/min", low=0.5, high=20, default=5.0),
    Accepted(name="dopant", unit="mol%", low=0, high=8, default=0.0, description="of the metal"),
    Accepted(name="dopant_element", choices=("Fe", "Al"), default="Fe"),
)
"""What the furnace accepts, before the limits of the lab file."""


class FurnaceSettings(BaseModel):
    """How the simulated furnace is set up.

    Attributes
    ----------
    faults : fault → how often; a bare number is a probability per command.
    limits : setting → (low, high), narrower than the device's own.
    batch : titania in one crucible [g].
    stock, prices : consumable → amount at the start, and money per unit; units are g, mmol, 1
        and kWh.
    overhead : dosing, loading and unloading [s].
    cooling_time : time constant of the closed furnace [h].
    heat_capacity, loss : of the furnace [kJ/K, W/K].
    spread : scales the errors of dosing, of the controller and of all durations; 0 is exact.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    faults: dict[str, FaultRate] = Field(default_factory=dict)
    limits: dict[str, tuple[float, float]] = Field(default_factory=dict)
    batch: float = Field(default=1.0, gt=0)
    stock: dict[str, float] = Field(default_factory=dict)
    prices: dict[str, float] = Field(default_factory=dict)
    hourly_rate: float = Field(default=4.0, ge=0)
    overhead: float = Field(default=900.0, ge=0)
    cooling_time: float = Field(default=1.5, gt=0)
    heat_capacity: float = Field(default=12.0, gt=0)
    loss: float = Field(default=1.6, gt=0)
    spread: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> FurnaceSettings:
        if fault := unknown_faults(self.faults, known=FURNACE_FAULTS):
            raise ValueError(fault)
        narrowed(ACCEPTS, limits=self.limits)
        self.consumables()
        return self

    def consumables(self) -> tuple[Consumable, ...]:
        """Return what the furnace uses up, with stock and prices of the lab file."""
        for given in (self.stock, self.prices):
            if unknown := sorted(set(given) - {c.name for c in _CONSUMABLES}):
                names = ", ".join(c.name for c in _CONSUMABLES)
                raise ValueError(f"no such consumable: {', '.join(unknown)}; there are {names}")
        return tuple(
            Consumable(
                name=c.name,
                unit=c.unit,
                stock=self.stock.get(c.name, c.stock),
                price=self.prices.get(c.name, c.price),
            )
            for c in _CONSUMABLES
        )

    def capabilities(self) -> Capabilities:
        """Return what the furnace can do under these settings."""
        return Capabilities(
            role="synthesize",
            accepts=narrowed(ACCEPTS, limits=self.limits),
            reports={"temperature": "degC"},
            consumables=self.consumables(),
            recovery="idempotent",
            hourly_rate=self.hourly_rate,
            stop="abort",
            simulated=True,
        )


_CONSUMABLES = (
    Consumable(name="gel", unit="g", stock=500, price=0.8),
    Consumable(name="Fe", unit="mmol", stock=200, price=0.05),
    Consumable(name="Al", unit="mmol", stock=200, price=0.05),
    Consumable(name="crucible", unit="1", stock=500, price=2.0),
    Consumable(name="electricity", unit="kWh", stock=20_000, price=0.3),
)


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
        self._zone = HotZone(clock, cooling_time=settings.cooling_time)

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
        return Programme(temperature, dwell, ramp, self._settings.cooling_time)

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
