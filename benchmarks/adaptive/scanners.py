"""Scanners: what gives a further scan of a sample, recorded or simulated, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.adaptive.timing import Timing
from instruments.errors import NoRecordedData
from instruments.measurement import Measurement
from instruments.replay.thinning import ThinnedScan

FloatArray = NDArray[np.float64]

WHEN = datetime(2026, 1, 1, tzinfo=UTC)

AERIS = Timing(overhead=23.2, move=0.0, channels=223.1)
"""The diffractometer of the recorded scans, from the durations of its 2-min and 8-min scans."""


class Scanner(Protocol):
    """Scans one sample.

    Attributes
    ----------
    low, high : angles that it reaches [deg].
    """

    low: float
    high: float

    def scan(self, *, low: float, high: float, speed: float) -> Measurement | None:
        """Return a scan, None if the recording has no such counts left.

        Parameters
        ----------
        speed : counting time over angle [s/deg], summed over the channels of a line detector.
        """
        ...


class RecordedScanner:
    """Deals out a recorded slow scan.

    Parameters
    ----------
    slow : the recorded scan.
    rng : deals its counts out.
    """

    def __init__(self, slow: Measurement, *, rng: np.random.Generator) -> None:
        self._slow = slow
        self._step = float(np.median(np.diff(slow.x)))
        self._time = float(slow.settings["counting_time"])
        self._left = ThinnedScan(slow.x, slow.y, counting_time=self._time, rng=rng)
        self._n = 0
        self.low, self.high = float(slow.x[0]), float(slow.x[-1])

    @property
    def full_speed(self) -> float:
        """Counting time over angle of the whole recording [s/deg]."""
        return self._time / self._step

    def scan(self, *, low: float, high: float, speed: float) -> Measurement | None:
        """Return a part of the recording that was not played before."""
        try:
            x, counts, time = self._left.take(low=low, high=high, counting_time=speed * self._step)
        except NoRecordedData:
            return None
        self._n += 1
        return _measurement(x, counts, time, self._step, f"recorded/{self._n}")

    def left(self, *, low: float, high: float) -> float:
        """Return the counting time over angle that is left everywhere in a range [s/deg]."""
        return self._left.remaining(low=low, high=high) / self._step


class SimulatedScanner:
    """Draws counts from a known rate.

    Parameters
    ----------
    two_theta, rate : (n_points,) even grid [deg], counts per second of counting time.
    """

    def __init__(
        self, two_theta: FloatArray, rate: FloatArray, *, rng: np.random.Generator
    ) -> None:
        self._x, self._rate, self._rng = two_theta, rate, rng
        self._step = float(two_theta[1] - two_theta[0])
        self._n = 0
        self.low, self.high = float(two_theta[0]), float(two_theta[-1])

    def scan(self, *, low: float, high: float, speed: float) -> Measurement | None:
        """Return a scan of the simulated sample."""
        inside = (self._x >= low - 1e-6) & (self._x <= high + 1e-6)
        time = speed * self._step
        counts = self._rng.poisson(self._rate[inside] * time).astype(np.float64)
        self._n += 1
        return _measurement(self._x[inside], counts, time, self._step, f"simulated/{self._n}")


def thinned(scan: Measurement, share: float, *, rng: np.random.Generator) -> Measurement:
    """Return a recorded scan as if it had taken a share of its counting time."""
    counts = rng.binomial(np.rint(scan.y).astype(np.int64), share).astype(np.float64)
    time = share * float(scan.settings["counting_time"])
    step = float(np.median(np.diff(scan.x)))
    return _measurement(scan.x, counts, time, step, f"{scan.id}/thinned")


def seconds(scans: list[Measurement]) -> float:
    """Return the machine time of scans [s]."""
    return AERIS.spent(scans)


def _measurement(
    x: FloatArray, counts: FloatArray, time: float, step: float, name: str
) -> Measurement:
    return Measurement(
        id=name,
        sample_id="sample",
        technique="xrd",
        x=x,
        y=counts,
        sigma=None,
        x_name="two_theta",
        x_unit="deg",
        y_name="counts",
        y_unit="counts",
        instrument="scanner",
        simulated=True,
        started=WHEN,
        finished=WHEN,
        settings={"wavelength": 1.5405929, "counting_time": time, "step": step},
    )
