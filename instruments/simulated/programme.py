"""The temperature programme of a furnace: ramp up, dwell, cool by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

ROOM_TEMPERATURE = 25.0
"""Where every programme starts and ends up [°C]."""

UNLOADING_TEMPERATURE = 60.0
"""Below this the crucible may be taken out [°C]."""

COOLING_TIME = 1.5
"""Time constant with which a closed muffle furnace loses its heat [h]."""

_POINTS_PER_SEGMENT = 400
"""A ramp over 900 K then advances 2.3 K a step, over which a rate constant with an activation
energy of 350 kJ/mol changes by a tenth and the trapezoidal rule errs by less than 0.1 %."""


@dataclass(frozen=True, slots=True)
class Programme:
    """Heat at a constant rate, hold, and let the furnace cool by Newton's law.

    Attributes
    ----------
    temperature : of the plateau [°C].
    dwell : time on the plateau [h].
    ramp : heating rate [K/min].
    cooling_time : time constant with which the closed furnace loses heat [h].

    Notes
    -----
    Not modelled: overshoot at the end of the ramp, the lag of the powder behind the furnace and
    the falling heating rate near the highest temperature.
    """

    temperature: float
    dwell: float
    ramp: float
    cooling_time: float = COOLING_TIME

    def __post_init__(self) -> None:
        if not self.temperature > UNLOADING_TEMPERATURE:
            raise ValueError(
                f"the plateau is at {self.temperature:g} °C; a programme must rise above "
                f"{UNLOADING_TEMPERATURE:g} °C, where the furnace is unloaded"
            )
        if self.dwell < 0 or self.ramp <= 0 or self.cooling_time <= 0:
            raise ValueError(
                f"dwell = {self.dwell:g} h must be >= 0; ramp = {self.ramp:g} K/min and "
                f"cooling_time = {self.cooling_time:g} h must be positive"
            )

    @property
    def ramp_seconds(self) -> float:
        """Time to heat from room temperature to the plateau [s]."""
        return (self.temperature - ROOM_TEMPERATURE) / self.ramp * 60.0

    @property
    def dwell_seconds(self) -> float:
        """Time on the plateau [s]."""
        return self.dwell * 3600.0

    @property
    def cooling_seconds(self) -> float:
        """Time from the plateau to the unloading temperature [s]."""
        span = self.temperature - ROOM_TEMPERATURE
        return (
            self.cooling_time * 3600.0 * math.log(span / (UNLOADING_TEMPERATURE - ROOM_TEMPERATURE))
        )

    @property
    def seconds(self) -> float:
        """Length of the whole programme [s]."""
        return self.ramp_seconds + self.dwell_seconds + self.cooling_seconds

    def at(self, seconds: float) -> float:
        """Return the temperature `seconds` after the start [°C]."""
        if seconds < self.ramp_seconds:
            return ROOM_TEMPERATURE + self.ramp * max(seconds, 0.0) / 60.0
        cooling = seconds - self.ramp_seconds - self.dwell_seconds
        if cooling <= 0:
            return self.temperature
        decay = math.exp(-cooling / (self.cooling_time * 3600.0))
        return ROOM_TEMPERATURE + (self.temperature - ROOM_TEMPERATURE) * decay

    def history(self) -> tuple[FloatArray, FloatArray]:
        """Return times [s] and temperatures [K], each ``(n_points,)``, dense enough to integrate.

        Times do not decrease; the plateau is given by its two ends.
        """
        ramp = np.linspace(0.0, self.ramp_seconds, _POINTS_PER_SEGMENT)
        cool = np.linspace(0.0, self.cooling_seconds, _POINTS_PER_SEGMENT)
        rising = ROOM_TEMPERATURE + self.ramp * ramp / 60.0
        falling = ROOM_TEMPERATURE + (self.temperature - ROOM_TEMPERATURE) * np.exp(
            -cool / (self.cooling_time * 3600.0)
        )
        times = np.concatenate([ramp, self.ramp_seconds + self.dwell_seconds + cool])
        return times, np.concatenate([rising, falling]) + 273.15

    def energy(self, *, heat_capacity: float, loss: float) -> float:
        """Return the electrical energy of ramp and plateau [kWh].

        Parameters
        ----------
        heat_capacity : of the insulation and the hot zone [kJ/K].
        loss : heat lost per kelvin above the room [W/K].
        """
        span = self.temperature - ROOM_TEMPERATURE
        stored = heat_capacity * span
        lost = loss * span * (0.5 * self.ramp_seconds + self.dwell_seconds) / 1000.0
        return (stored + lost) / 3600.0
