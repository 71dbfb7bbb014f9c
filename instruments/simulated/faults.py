"""Named faults of the simulated instruments: what can break, when, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from instruments.errors import InstrumentFault


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way in which a simulated device can fail.

    Attributes
    ----------
    name : the fault's name in an outcome, or in the flags of a measurement.
    step : the step during which it strikes, such as ``dispense``.
    message : what the device says, a sentence.
    needs_reset : whether the device stays in fault until somebody resets it.
    flagged : True if the device goes on and flags its data instead of failing.
    """

    name: str
    step: str
    message: str
    needs_reset: bool = False
    flagged: bool = False

    def raised(self) -> InstrumentFault:
        """Return the error that ends the command."""
        return InstrumentFault(self.name, self.message, needs_reset=self.needs_reset)


def _named(*kinds: FaultKind) -> Mapping[str, FaultKind]:
    return {kind.name: kind for kind in kinds}


FURNACE_FAULTS = _named(
    FaultKind("jam", "dispense", "the powder doser jammed; the powder in it is lost"),
    FaultKind("empty_reagent", "dispense", "the doser delivers nothing; its hopper is empty"),
    FaultKind("timeout", "dispense", "the balance did not answer in time"),
    FaultKind(
        "heater_dead",
        "ramp",
        "the furnace fell behind its programme for ten minutes; an element is broken",
        needs_reset=True,
    ),
    FaultKind(
        "thermocouple_open",
        "dwell",
        "the thermocouple reads no number; it is open and the furnace has shut down",
        needs_reset=True,
    ),
)
"""Faults that the simulated furnace can produce."""

DIFFRACTOMETER_FAULTS = _named(
    FaultKind("misplaced_sample", "load", "the holder sensor sees no sample on the stage"),
    FaultKind("jam", "load", "the sample changer jammed on its way"),
    FaultKind("timeout", "scan", "the goniometer did not answer in time"),
    FaultKind("saturated", "scan", "the attenuator is stuck open", flagged=True),
    FaultKind("shutter_closed", "scan", "the shutter stayed closed", flagged=True),
)
"""Faults that the simulated diffractometer can produce."""


class FaultRate(BaseModel):
    """How often one fault strikes.

    Attributes
    ----------
    probability : per command, drawn anew for each attempt.
    experiments : numbers of experiments that it strikes for certain, at every attempt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    probability: float = Field(default=0.0, ge=0, le=1)
    experiments: tuple[Annotated[int, Field(ge=0)], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _bare_number_is_a_probability(cls, value: object) -> object:
        return {"probability": value} if isinstance(value, int | float) else value


FaultPlan = Mapping[str, FaultRate]
"""Name of the fault → how often."""


def unknown_faults(plan: FaultPlan, *, known: Mapping[str, FaultKind]) -> str | None:
    """Say which faults of a plan the device cannot produce, or None if it can produce all."""
    unknown = sorted(set(plan) - set(known))
    if not unknown:
        return None
    return f"no such fault: {', '.join(unknown)}; this twin can produce {', '.join(sorted(known))}"


def strike(
    plan: FaultPlan,
    *,
    known: Mapping[str, FaultKind],
    experiment: int,
    rng: np.random.Generator,
) -> FaultKind | None:
    """Return the fault that strikes a command, or None.

    One random number is drawn per known fault, in the order of `known`, whatever the plan says,
    so that switching one fault on does not move another. If several strike, the first counts.
    """
    draws = dict(zip(known, rng.random(len(known)), strict=True))
    for name, kind in known.items():
        rate = plan.get(name)
        if rate and (experiment in rate.experiments or draws[name] < rate.probability):
            return kind
    return None
