"""Splicing: several scans of one sample, of different ranges and counting times, as one pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from analysis.errors import BadPattern
from analysis.xrd.aligning import aligned
from analysis.xrd.preprocess import (
    FINEST_STEP,
    MIN_POINTS,
    SMOOTHING,
    FitRange,
    check_measurement,
)
from analysis.xrd.radiation import Radiation
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

COUNTING = 0.25
"""Largest relative difference of a stated sigma from √counts, at the median."""


@dataclass(frozen=True, slots=True, eq=False)
class Spliced:
    """Scans of one sample on an even grid.

    Attributes
    ----------
    two_theta : (n_points,) centres of the cells [deg].
    counts : (n_points,) sum over all scans; not whole numbers, since channels are shared out.
    exposure : (n_points,) counting time that fell into each cell [s]; 0 where nothing was measured.
    """

    two_theta: FloatArray
    counts: FloatArray
    exposure: FloatArray

    @property
    def step(self) -> float:
        """Width of a cell [deg]."""
        return float(self.two_theta[1] - self.two_theta[0])

    @property
    def measured(self) -> NDArray[np.bool_]:
        """(n_points,) whether a cell was counted for any time."""
        return np.asarray(self.exposure > 0)

    @property
    def reference(self) -> float:
        """Counting time [s] to which `fit_range` refers its counts."""
        return float(np.median(self.exposure[self.measured]))

    def fit_range(self) -> FitRange:
        """Return the measured cells as counts at the reference time, with their sigma.

        A cell's sigma is that of its own counting time, at a rate averaged over five cells.
        """
        seen = self.measured
        counts, exposure = self.counts[seen], self.exposure[seen]
        pooled = uniform_filter1d(counts, SMOOTHING, mode="nearest")
        time = uniform_filter1d(exposure, SMOOTHING, mode="nearest")
        rate = np.maximum(pooled, 1.0 / SMOOTHING) / time
        return FitRange(
            self.two_theta[seen],
            counts / exposure * self.reference,
            np.sqrt(rate / exposure) * self.reference,
            sigma_known=False,
        )


def splice(
    measurements: Sequence[Measurement], *, radiation: Radiation, least_step: float = FINEST_STEP
) -> Spliced:
    """Return all scans of a sample as one pattern.

    Counts and counting times are added cell by cell. Where the scans see one and the same rate λ,
    Σ counts / Σ time is the mean of their rates weighted by inverse variance, t/λ, without the bias
    of weights that are taken from the counts themselves. The cells are those of the coarsest scan;
    the channels of the others are shared out in proportion to their overlap, which keeps the sum.

    A sample that was mounted anew in between is brought to the same height (see `aligning`).

    Parameters
    ----------
    least_step : channels are joined into cells of at most this width, or stay as they are [deg].

    Raises
    ------
    BadPattern
        A measurement is no powder pattern of this radiation or holds no counts, or there are
        several and one does not say how long it counted.
    """
    if not measurements:
        raise BadPattern("there is no measurement to splice; at least one powder pattern is needed")
    for m in measurements:
        check_measurement(m, radiation=radiation)
        _check_counts(m)
    times = [_counting_time(m, alone=len(measurements) == 1) for m in measurements]
    measurements = aligned(measurements, times)
    edges = _edges(measurements, least_step)
    counts, exposure = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for m, time in zip(measurements, times, strict=True):
        channel = _channel_edges(m.x)
        counts += _shared_out(m.y, channel, edges)
        exposure += _shared_out(np.full(m.n_points, time), channel, edges)
    # A cell of which only a sliver was counted is as good as not counted.
    counted = exposure > 0.5 * min(times) * _least_filling(measurements, edges)
    if int(counted.sum()) < MIN_POINTS:
        raise BadPattern(
            f"the scans of {measurements[0].sample_id} have {int(counted.sum())} points together; "
            f"at least {MIN_POINTS} are needed. Measure a longer range"
        )
    centres = (edges[1:] + edges[:-1]) / 2
    return Spliced(centres, np.where(counted, counts, 0.0), np.where(counted, exposure, 0.0))


def _check_counts(m: Measurement) -> None:
    if m.sigma is None:
        return
    expected = np.sqrt(np.maximum(m.y, 1.0))
    off = float(np.median(np.abs(m.sigma / expected - 1.0)))
    if off > COUNTING:
        raise BadPattern(
            f"the sigma of {m.id} differs from √counts by {off:.0%} at the median; splicing adds "
            "raw counts. Give them without scaling or subtracted background"
        )


def _counting_time(m: Measurement, *, alone: bool) -> float:
    time = m.settings.get("counting_time")
    if isinstance(time, int | float) and time > 0:
        return float(time)
    if alone:
        return 1.0
    raise BadPattern(
        f"{m.id} does not say how long it counted ({time!r}); scans can only be spliced if the "
        "settings of each hold `counting_time` in s per point"
    )


def _step(m: Measurement) -> float:
    return float(np.median(np.diff(m.x)))


def _edges(measurements: Sequence[Measurement], least_step: float) -> FloatArray:
    """Return the edges of even cells that cover every scan, aligned with the coarsest."""
    coarsest = max(measurements, key=_step)
    step = _step(coarsest)
    step *= max(int(least_step / step + 1e-9), 1)
    origin = float(coarsest.x[0]) - _step(coarsest) / 2
    low = min(float(m.x[0]) - _step(m) / 2 for m in measurements)
    high = max(float(m.x[-1]) + _step(m) / 2 for m in measurements)
    first = -int(np.ceil((origin - low) / step - 1e-6))
    last = int(np.floor((high - origin) / step + 1e-6))
    return np.asarray(origin + step * np.arange(first, last + 1), dtype=np.float64)


def _channel_edges(x: FloatArray) -> FloatArray:
    """Return the edges of a scan's channels, half way between its points."""
    middle = (x[1:] + x[:-1]) / 2
    return np.concatenate([[1.5 * x[0] - 0.5 * x[1]], middle, [1.5 * x[-1] - 0.5 * x[-2]]])


def _shared_out(values: FloatArray, channel: FloatArray, edges: FloatArray) -> FloatArray:
    """Return what falls into each cell of a quantity that is spread evenly in its channels."""
    cumulated = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(np.diff(np.interp(edges, channel, cumulated)), dtype=np.float64)


def _least_filling(measurements: Sequence[Measurement], edges: FloatArray) -> float:
    """Return how many channels of the coarsest scan make a cell."""
    return float(edges[1] - edges[0]) / max(_step(m) for m in measurements)
