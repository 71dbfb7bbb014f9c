"""Commands and outcomes: what crosses the line between the loop and a driver.

Commands are frozen, forbid unknown fields and refuse NaN and infinity, because devices clip or
swallow such values instead of refusing them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from instruments.measurement import Measurement
from instruments.sample import Sample, Setting


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Synthesize(_Command):
    """Make one sample.

    Attributes
    ----------
    sample_id, number : identity the new sample will carry.
    recipe : setting → value, in the units of the synthesizer's capabilities.
    """

    kind: Literal["synthesize"] = "synthesize"
    sample_id: str = Field(min_length=1)
    number: int = Field(ge=0)
    recipe: dict[str, Setting]


class Measure(_Command):
    """Measure one sample.

    Attributes
    ----------
    measurement_id : identity the new measurement will carry.
    sample : the sample, as its synthesizer recorded it.
    settings : setting → value; what is absent takes the instrument's default.
    """

    kind: Literal["measure"] = "measure"
    measurement_id: str = Field(min_length=1)
    sample: Sample
    settings: dict[str, Setting] = Field(default_factory=dict)


Command = Synthesize | Measure

Settled = Literal["succeeded", "failed", "aborted", "unconfirmed"]
"""How a command ended. ``unconfirmed``: the device may have acted, nobody knows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it gave.

    Attributes
    ----------
    value : the Sample or Measurement, None unless it succeeded.
    error : one sentence, empty if it succeeded.
    fault : name of the fault, such as ``jam``; empty if it succeeded.
    replayed : True if the command id had been executed before and this is its recorded outcome.
    readback : what the device said of itself afterwards.
    consumed : consumable → amount used, also by a failed command.
    """

    command_id: str
    settled: Settled
    value: Sample | Measurement | None
    started: datetime
    finished: datetime
    simulated: bool
    error: str = ""
    fault: str = ""
    replayed: bool = False
    readback: Mapping[str, Setting] = field(default_factory=dict)
    consumed: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.settled == "succeeded") != (self.value is not None):
            raise ValueError(f"command {self.command_id} {self.settled} with value {self.value!r}")
        if self.settled != "succeeded" and not self.error:
            raise ValueError(f"command {self.command_id} {self.settled} without saying why")
