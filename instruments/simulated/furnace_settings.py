"""How the simulated furnace is set up: what it accepts, uses up, costs, and how it fails."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from instruments.capabilities import Accepted, Capabilities, Consumable
from instruments.simulated.faults import FURNACE_FAULTS, FaultRate, unknown_faults
from instruments.simulated.limits import narrowed

ACCEPTS = (
    Accepted(name="temperature", unit="degC", low=350, high=1000, description="of the plateau"),
    Accepted(name="dwell", unit="h", low=0.1, high=48, default=2.0, description="on the plateau"),
    Accepted(name="ramp", unit="degC/min", low=0.5, high=20, default=5.0),
    Accepted(name="dopant", unit="mol%", low=0, high=8, default=0.0, description="of the metal"),
    Accepted(name="dopant_element", choices=("Fe", "Al"), default="Fe"),
)
"""What the furnace accepts, before the limits of the lab file."""

_CONSUMABLES = (
    Consumable(name="gel", unit="g", stock=500, price=0.8),
    Consumable(name="Fe", unit="mmol", stock=200, price=0.05),
    Consumable(name="Al", unit="mmol", stock=200, price=0.05),
    Consumable(name="crucible", unit="1", stock=500, price=2.0),
    Consumable(name="electricity", unit="kWh", stock=20_000, price=0.3),
)


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
            consumables=self.consumables(),
            recovery="idempotent",
            hourly_rate=self.hourly_rate,
            stop="abort",
            simulated=True,
        )
