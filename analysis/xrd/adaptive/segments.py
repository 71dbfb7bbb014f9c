"""Segments: the further scans that could be taken, and the best by information per second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.adaptive.hypotheses import Hypotheses
from analysis.xrd.adaptive.information import expected_information
from analysis.xrd.adaptive.linear import LinearModel
from analysis.xrd.adaptive.timing import Timing

FloatArray = NDArray[np.float64]

WIDTH = 5.0
"""Segments begin and end at multiples of this [deg]; Adaptive XRD's narrowest window, too."""

MULTIPLES = (0.5, 1.0, 2.0, 4.0)
"""Counting times that are considered, relative to the scans so far."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A further scan.

    Attributes
    ----------
    low, high : angles [deg].
    counting_time : of each point [s].
    seconds : machine time, overhead included.
    gain : information it is expected to bring [nats].
    """

    low: float
    high: float
    counting_time: float
    seconds: float
    gain: float

    @property
    def rate(self) -> float:
        """Information per second of machine time [nats/s]."""
        return self.gain / self.seconds


def best_segment(
    model: LinearModel,
    sets: Hypotheses,
    *,
    timing: Timing,
    counting_times: Sequence[float],
    affordable: float,
) -> Segment | None:
    """Return the further scan of most expected information per second, None if none is affordable.

    Parameters
    ----------
    counting_times : of each point, that are considered [s].
    affordable : machine time that may be spent [s].
    """
    whole = list(segments(model, sets, timing, counting_times, affordable))
    return max(whole, key=lambda segment: segment.rate, default=None)


def segments(
    model: LinearModel,
    sets: Hypotheses,
    timing: Timing,
    counting_times: Sequence[float],
    affordable: float,
) -> Iterator[Segment]:
    """Yield every affordable scan with what it is expected to tell."""
    before = model.gram(model.weights(model.exposure))
    known = model.reduced(before)
    starts = _starts(model.two_theta)
    for counting_time in counting_times:
        added = _added(model, starts, counting_time)
        for first in range(len(starts) - 1):
            for last in range(first + 1, len(starts)):
                n_points = int(starts[last] - starts[first])
                seconds = timing.seconds(n_points=n_points, counting_time=counting_time)
                if seconds > affordable:
                    break
                after = before + added[last] - added[first]
                gain = expected_information(model.reduced(after) - known, sets)
                yield Segment(
                    float(model.two_theta[starts[first]]),
                    float(model.two_theta[starts[last] - 1]),
                    counting_time,
                    seconds,
                    gain,
                )


def strip_rates(
    model: LinearModel, sets: Hypotheses, *, timing: Timing
) -> tuple[FloatArray, FloatArray]:
    """Return the middle of each strip [deg], and what it would tell per second [nats/s].

    Each strip is taken alone, counted as long as the pattern was in the median, without overhead.
    """
    counting_time = float(np.median(model.exposure[model.exposure > 0]))
    before = model.gram(model.weights(model.exposure))
    known = model.reduced(before)
    starts = _starts(model.two_theta)
    gains = np.diff(_added(model, starts, counting_time), axis=0)
    seconds = np.diff(starts) * (counting_time / timing.channels + timing.move)
    rates = [expected_information(model.reduced(before + g) - known, sets) for g in gains]
    middles = (model.two_theta[starts[:-1]] + model.two_theta[starts[1:] - 1]) / 2
    return np.asarray(middles), np.asarray(rates) / seconds


def _starts(two_theta: FloatArray) -> NDArray[np.intp]:
    """Return the index of the first point of each strip `WIDTH` wide, and the number of points."""
    strip = np.floor(two_theta / WIDTH + 1e-6).astype(np.intp)
    first = np.flatnonzero(np.diff(strip, prepend=strip[0] - 1))
    if len(first) > 1 and first[1] < 0.2 * (two_theta.size / len(first)):
        first = np.delete(first, 1)  # a sliver at the beginning joins the strip after it
    return np.append(first, len(two_theta))


def _added(model: LinearModel, starts: NDArray[np.intp], counting_time: float) -> FloatArray:
    """Return the information that strips before each start would add, (n_starts, n, n)."""
    more = model.weights(model.exposure + counting_time) - model.weights(model.exposure)
    whole = np.column_stack([model.columns, model.nuisance])
    found = np.zeros((len(starts), whole.shape[1], whole.shape[1]))
    for k in range(len(starts) - 1):
        strip = slice(starts[k], starts[k + 1])
        found[k + 1] = found[k] + whole[strip].T @ (whole[strip] * more[strip, None])
    return found
