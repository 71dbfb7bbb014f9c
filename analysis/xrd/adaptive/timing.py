"""Timing: how long a scan keeps the diffractometer busy."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from instruments.measurement import Measurement


class Timing(BaseModel):
    """Seconds of machine time from what a scan counts.

    Attributes
    ----------
    overhead : of each scan, whatever it counts: mounting, driving to the first angle [s].
    move : from point to point [s].
    channels : points that a line detector counts at once; 1 for a point detector.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    overhead: float = Field(default=180.0, ge=0)
    move: float = Field(default=0.02, ge=0)
    channels: float = Field(default=1.0, ge=1)

    def seconds(self, *, n_points: int, counting_time: float) -> float:
        """Return the duration of a scan [s].

        Parameters
        ----------
        counting_time : of each point [s].
        """
        return self.overhead + n_points * (counting_time / self.channels + self.move)

    def spent(self, measurements: Sequence[Measurement]) -> float:
        """Return the machine time [s] of scans that say how long they counted."""
        times = [(m.n_points, m.settings.get("counting_time")) for m in measurements]
        return sum(
            self.seconds(n_points=n, counting_time=float(time))
            for n, time in times
            if isinstance(time, int | float)
        )
