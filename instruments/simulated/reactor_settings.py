"""How the simulated reactors are set up: what they accept, use up, how long they take."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from instruments.capabilities import Accepted, Capabilities, Consumable
from instruments.sample import Setting
from instruments.simulated.faults import FaultKind, FaultRate, unknown_faults
from instruments.simulated.gold import LAMPS, PUMPS, SOLVENTS, VOLUME_TOLERANCE
from instruments.simulated.limits import narrowed
from instruments.simulated.reactor_faults import ROBOT_FAULTS, SOLUTION_FAULTS

_SPEED = {"low": 2000, "high": 4096, "default": 3000}


class ReactorSettings(BaseModel, ABC):
    """What both reactors are set up with.

    Attributes
    ----------
    faults : fault → how often; a bare number is a probability per command.
    limits : setting → (low, high), narrower than the device's own.
    stock, prices : consumable → amount at the start, and money per unit.
    spread : scales the errors of the controllers and of all durations; 0, as published, is exact.
    overhead : filling, emptying and rinsing [s].
    growth : time that the clusters grow [s].
    volume : of one batch [mL].
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    known_faults: ClassVar[Mapping[str, FaultKind]]
    device_accepts: ClassVar[tuple[Accepted, ...]]
    device_consumables: ClassVar[tuple[Consumable, ...]]
    control: ClassVar[Mapping[str, float]]
    """Setting → standard deviation with which it is met and read back, in its own unit."""

    faults: dict[str, FaultRate] = Field(default_factory=dict)
    limits: dict[str, tuple[float, float]] = Field(default_factory=dict)
    stock: dict[str, float] = Field(default_factory=dict)
    prices: dict[str, float] = Field(default_factory=dict)
    hourly_rate: float = Field(default=6.0, ge=0)
    spread: float = Field(default=0.0, ge=0)
    overhead: float = Field(default=300.0, ge=0)
    growth: float = Field(default=1800.0, gt=0)
    volume: float = Field(default=5.0, gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> ReactorSettings:
        if fault := unknown_faults(self.faults, known=self.known_faults):
            raise ValueError(fault)
        narrowed(self.device_accepts, limits=self.limits)
        self.consumables()
        return self

    @abstractmethod
    def uses(self, recipe: Mapping[str, Setting]) -> dict[str, float]:
        """Return consumable → amount that a batch takes."""

    def recipe_faults(self, recipe: Mapping[str, Setting]) -> list[str]:
        """Return what is wrong with a recipe whose single settings are accepted."""
        del recipe
        return []

    def consumables(self) -> tuple[Consumable, ...]:
        """Return what the reactor uses up, with stock and prices of the lab file."""
        names = [c.name for c in self.device_consumables]
        for given in (self.stock, self.prices):
            if unknown := sorted(set(given) - set(names)):
                raise ValueError(
                    f"no such consumable: {', '.join(unknown)}; there are {', '.join(names)}"
                )
        return tuple(
            c.model_copy(
                update={
                    "stock": self.stock.get(c.name, c.stock),
                    "price": self.prices.get(c.name, c.price),
                }
            )
            for c in self.device_consumables
        )

    def capabilities(self) -> Capabilities:
        """Return what the reactor can do under these settings."""
        return Capabilities(
            role="synthesize",
            accepts=narrowed(self.device_accepts, limits=self.limits),
            consumables=self.consumables(),
            recovery="idempotent",
            hourly_rate=self.hourly_rate,
            stop="abort",
            simulated=True,
        )


class SolutionReactorSettings(ReactorSettings):
    """An autoclave that grows gold from a solution: pH, pressure, solvent.

    Bounds are those of ScattBO's large benchmark; `limits` makes the small one.
    """

    known_faults = SOLUTION_FAULTS
    device_accepts = (
        Accepted(name="pH", low=0, high=14, description="of the solution"),
        Accepted(name="pressure", unit="a.u.", low=0, high=100),
        Accepted(name="solvent", choices=SOLVENTS),
    )
    device_consumables = (
        Consumable(name="gold", unit="mmol", stock=100, price=4.0),
        *(Consumable(name=s, unit="mL", stock=5000, price=0.02) for s in SOLVENTS),
    )
    control = {"pH": 0.02, "pressure": 0.05}

    def uses(self, recipe: Mapping[str, Setting]) -> dict[str, float]:
        """Return the solvent that fills the vessel, and 10 mmol/L of gold in it."""
        return {"gold": 0.01 * self.volume, str(recipe["solvent"]): self.volume}


class RobotReactorSettings(ReactorSettings):
    """A robot with six pumps, a stirrer, a heater and three groups of lamps.

    Bounds are those that the author's parameters declare; the volumes are shares that sum to one.
    """

    known_faults = ROBOT_FAULTS
    device_accepts = (
        Accepted(name="temperature", unit="degC", low=20, high=60),
        *(
            Accepted(name=name, unit="lamps", choices=tuple(range(count + 1)))
            for name, (count, _) in LAMPS.items()
        ),
        *(Accepted(name=f"volume_{p}", low=0, high=1, description="share") for p in PUMPS),
        *(Accepted(name=f"speed_{p}", unit="a.u.", **_SPEED) for p in PUMPS),
        Accepted(name="mixing_speed", unit="a.u.", low=2048, high=4096, default=3000),
    )
    device_consumables = tuple(
        Consumable(name=f"solution_{p}", unit="mL", stock=2000, price=0.1) for p in PUMPS
    )
    control = {
        "temperature": 0.05,
        **{f"speed_{p}": 2.0 for p in PUMPS},
        "mixing_speed": 2.0,
    }

    def uses(self, recipe: Mapping[str, Setting]) -> dict[str, float]:
        """Return the solutions that the pumps dose."""
        volumes = {p: self.volume * float(recipe[f"volume_{p}"]) for p in PUMPS}
        return {f"solution_{p}": volume for p, volume in volumes.items() if volume > 0}

    def recipe_faults(self, recipe: Mapping[str, Setting]) -> list[str]:
        """Return that the volumes do not fill the vessel, if they do not."""
        total = sum(float(recipe[f"volume_{p}"]) for p in PUMPS)
        if abs(total - 1.0) <= VOLUME_TOLERANCE:
            return []
        return [
            f"the volumes of the pumps sum to {total:.4g}; they are shares of the vessel and must "
            f"sum to 1 within {VOLUME_TOLERANCE:g}"
        ]
