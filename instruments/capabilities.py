"""Capabilities as data: what an instrument accepts, makes, reports and consumes."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from instruments.sample import Setting

Recovery = Literal["idempotent", "queryable", "ask_operator"]
"""What to do with a command whose outcome is unknown after a crash: send it again, ask the
device, or ask a person."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Accepted(_Data):
    """One setting an instrument accepts.

    Attributes
    ----------
    low, high : bounds, included, in `unit`; None for no bound.
    choices : allowed names or numbers; then bounds do not apply.
    default : used where a command leaves the setting out; None makes it obligatory.
    """

    name: str = Field(min_length=1)
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[Setting, ...] = ()
    default: Setting | None = None
    description: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Accepted:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"{self.name} has low = {self.low:g} above high = {self.high:g}")
        if self.default is not None and (fault := self.fault(self.default)):
            raise ValueError(f"the default of {self.name} is not accepted: {fault}")
        return self

    def fault(self, value: Setting) -> str | None:
        """Say why `value` is refused, or None if it is accepted."""
        if self.choices:
            if value in self.choices:
                return None
            return f"{self.name} = {value!r} is none of {', '.join(map(str, self.choices))}"
        if isinstance(value, str):
            return f"{self.name} = {value!r} is text; a number in {self.unit or '1'} is expected"
        if not math.isfinite(value):
            return f"{self.name} = {value} is no finite number"
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and value < self.low:
            return f"{self.name} = {value:g}{unit} is below the limit {self.low:g}{unit}"
        if self.high is not None and value > self.high:
            return f"{self.name} = {value:g}{unit} is above the limit {self.high:g}{unit}"
        return None


class Consumable(_Data):
    """Something that runs out."""

    name: str = Field(min_length=1)
    unit: str
    stock: float = Field(ge=0)
    price: float = Field(default=0.0, ge=0, description="money per unit")


class Capabilities(_Data):
    """What one instrument can do.

    Attributes
    ----------
    role : whether it makes samples or measures them.
    technique : for a measuring instrument, what its curves are (``xrd``, ``table``, …).
    accepts : the settings of its command.
    reports : name → unit of the single readings it returns.
    consumables : what it uses up, and how much of it there is when a laboratory is first opened.
        What is left later is known to the laboratory's storeroom, not to the instrument.
    slots : places in which it can hold a sample or a vessel, one thing in each.
    recovery : what to do with a command of unknown outcome.
    hourly_rate : money per hour of use.
    stop : what `stop` does to a running command.
    own_deadline : a command that waits for somebody ends by itself after a deadline of its own, so
        it is not stopped for taking long.
    destroys_sample : nothing is left of a sample that it measured, so it is not measured again.
    simulated : True if it moves no matter.
    """

    role: Literal["synthesize", "measure"]
    technique: str = ""
    accepts: tuple[Accepted, ...] = ()
    reports: dict[str, str] = Field(default_factory=dict)
    consumables: tuple[Consumable, ...] = ()
    slots: tuple[str, ...] = Field(default=("1",), min_length=1)
    recovery: Recovery = "ask_operator"
    hourly_rate: float = Field(default=0.0, ge=0)
    stop: Literal["abort", "between_steps", "none"] = "abort"
    own_deadline: bool = False
    destroys_sample: bool = False
    simulated: bool

    def setting(self, name: str) -> Accepted | None:
        """Return the accepted setting called `name`, or None."""
        return next((a for a in self.accepts if a.name == name), None)

    def faults(self, settings: dict[str, Setting]) -> list[str]:
        """Say everything that is wrong with the settings of a command; empty if nothing is."""
        known = {a.name for a in self.accepts}
        found = [
            f"{name} is no setting of this instrument; it accepts {', '.join(sorted(known))}"
            for name in settings
            if name not in known
        ]
        for accepted in self.accepts:
            if accepted.name in settings:
                if fault := accepted.fault(settings[accepted.name]):
                    found.append(fault)
            elif accepted.default is None:
                found.append(f"{accepted.name} is missing")
        return found

    def completed(self, settings: dict[str, Setting]) -> dict[str, Setting]:
        """Return `settings` with the defaults filled in."""
        defaults = {a.name: a.default for a in self.accepts if a.default is not None}
        return {**defaults, **settings}
