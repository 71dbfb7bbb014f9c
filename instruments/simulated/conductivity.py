"""A simulated bridge that measures one number of a pellet, such as its conductivity."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from instruments.capabilities import Accepted, Capabilities
from instruments.clock import Clock
from instruments.commands import Command, Measure
from instruments.device import Action, Device
from instruments.measurement import Measurement, Reading
from instruments.protocols import Estimated
from instruments.sample import Sample
from instruments.simulated.streams import command_key, stream

TECHNIQUE = "conductivity"
UNIT = "S/m"

ACCEPTS = (
    Accepted(name="repeats", low=1, high=64, default=1, description="readings that are averaged"),
)

PropertyTruth = Callable[[Sample], float]
"""Sample → its conductivity [S/m]. Raises ValueError where the record does not tell."""


class ConductivitySettings(BaseModel):
    """How the simulated bridge is set up.

    Attributes
    ----------
    noise : standard deviation of a single reading [S/m]; it is stated.
    contacts : standard deviation of what the contacts of a pellet are off [S/m]; it is stated too.
    seconds, overhead : of a reading, and of mounting [s].
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    noise: float = Field(default=0.03, ge=0)
    contacts: float = Field(default=0.01, ge=0)
    seconds: float = Field(default=60.0, ge=0)
    overhead: float = Field(default=300.0, ge=0)
    hourly_rate: float = Field(default=8.0, ge=0)

    def capabilities(self) -> Capabilities:
        """Return what the bridge can do under these settings."""
        return Capabilities(
            role="measure",
            technique=TECHNIQUE,
            accepts=ACCEPTS,
            reports={TECHNIQUE: UNIT},
            recovery="idempotent",
            hourly_rate=self.hourly_rate,
            stop="abort",
            simulated=True,
        )


class ConductivityDevice(Device):
    """Contacts one pellet at a time and reads its conductivity.

    Parameters
    ----------
    truth : tells the conductivity of a sample; the device adds its errors.
    seed : of the laboratory; a command draws from (seed, name, its id without the campaign).
    """

    def __init__(
        self,
        name: str,
        settings: ConductivitySettings,
        *,
        truth: PropertyTruth,
        clock: Clock,
        seed: int,
    ) -> None:
        self._name, self._settings, self._truth = name, settings, truth
        self._clock, self._seed = clock, seed

    def faults(self, command: Command) -> list[str]:
        """Return a sentence if nobody can say what the sample is."""
        assert isinstance(command, Measure)
        try:
            self._truth(command.sample)
        except ValueError as error:
            return [str(error)]
        return []

    def estimate(self, command: Command) -> Estimated:
        """Return mounting plus the readings' time."""
        assert isinstance(command, Measure)
        return Estimated(self._settings.overhead + self._repeats(command) * self._settings.seconds)

    async def act(self, action: Action, command: Command) -> Measurement:
        """Mount, read, and return the mean of the readings with its std."""
        assert isinstance(command, Measure)
        rng = stream(self._seed, self._name, "execute", command_key(action.command_id))
        action.step("contacting the pellet")
        await self._clock.sleep(self._settings.overhead)
        action.step("reading")
        await self._clock.sleep(self._repeats(command) * self._settings.seconds)
        std = math.hypot(self._settings.noise / math.sqrt(self._repeats(command)), self._contacts)
        value = self._truth(command.sample) + std * float(rng.standard_normal())
        empty = np.zeros(0)
        return Measurement(
            id=command.measurement_id,
            sample_id=command.sample.id,
            technique=TECHNIQUE,
            x=empty,
            y=empty,
            sigma=None,
            x_name="",
            x_unit="",
            y_name="",
            y_unit="",
            instrument=self._name,
            simulated=True,
            started=action.started,
            finished=self._clock.now(),
            settings=dict(command.settings),
            readings={TECHNIQUE: Reading(value, std, UNIT)},
        )

    @property
    def _contacts(self) -> float:
        return self._settings.contacts

    @staticmethod
    def _repeats(command: Measure) -> int:
        return round(float(command.settings["repeats"]))
