"""The hot zone of a furnace: which temperature it has now, on the laboratory's clock."""

from __future__ import annotations

import math
from datetime import datetime

from instruments.clock import Clock
from instruments.simulated.programme import (
    COOLING_TIME,
    ROOM_TEMPERATURE,
    UNLOADING_TEMPERATURE,
    Programme,
)


class HotZone:
    """A furnace chamber that follows a programme until its heating is cut.

    Parameters
    ----------
    clock : the laboratory's time.
    cooling_time : time constant with which the closed furnace loses heat [h]; that of a
        `Programme` unless said otherwise.
    """

    def __init__(self, clock: Clock, *, cooling_time: float = COOLING_TIME) -> None:
        self._clock = clock
        self._cooling_seconds = cooling_time * 3600.0
        self._programme: Programme | None = None
        self._since = clock.now()
        self._hot = ROOM_TEMPERATURE

    @property
    def temperature(self) -> float:
        """Present temperature [°C]."""
        return self._at(self._clock.now())

    @property
    def seconds_to_unload(self) -> float:
        """Time until the door may be opened if the heating stays off [s]."""
        span = self.temperature - ROOM_TEMPERATURE
        limit = UNLOADING_TEMPERATURE - ROOM_TEMPERATURE
        if span <= limit * (1.0 + 1e-9):
            return 0.0
        return self._cooling_seconds * math.log(span / limit)

    def heat(self, programme: Programme) -> None:
        """Begin a programme now."""
        self._programme, self._since = programme, self._clock.now()

    def cut(self) -> None:
        """Switch the heating off now; the chamber cools from where it is."""
        self._hot = self.temperature
        self._programme, self._since = None, self._clock.now()

    def _at(self, time: datetime) -> float:
        passed = (time - self._since).total_seconds()
        if self._programme is not None:
            return self._programme.at(passed)
        decay = math.exp(-passed / self._cooling_seconds)
        return ROOM_TEMPERATURE + (self._hot - ROOM_TEMPERATURE) * decay
