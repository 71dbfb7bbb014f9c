"""Thinning: a long recorded scan, dealt out as shorter ones that are as independent as real ones.

Counts are Poisson. Dealt out at random to equal slices of the counting time, they are independent
Poisson counts again, each of its share of the time (the thinning of a Poisson process; Kingman
1993, Poisson Processes, section 5.1). A slice that was played is never played again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from instruments.errors import NoRecordedData

FloatArray = NDArray[np.float64]

SLICES = 64
"""Into how many equal parts the counting time is divided."""


class ThinnedScan:
    """A recorded scan from which shorter ones are taken until its counting time is used up.

    Parameters
    ----------
    x : (n_points,) increasing axis.
    counts : (n_points,) whole numbers.
    counting_time : of each point [s].
    rng : deals the counts out, once.

    Raises
    ------
    ValueError
        A count is negative or no whole number.
    """

    def __init__(
        self,
        x: FloatArray,
        counts: FloatArray,
        *,
        counting_time: float,
        rng: np.random.Generator,
    ) -> None:
        whole = np.rint(counts).astype(np.int64)
        if np.any(whole < 0) or np.any(np.abs(counts - whole) > 1e-6):
            raise ValueError("only raw counts, whole and not negative, can be dealt out")
        self._x = x
        self._counting_time = counting_time
        dealt = rng.multinomial(whole, np.full(SLICES, 1.0 / SLICES))
        self._cumulated = np.concatenate(
            [np.zeros((len(x), 1), dtype=np.int64), np.cumsum(dealt, axis=1)], axis=1
        )
        self._played = np.zeros(len(x), dtype=np.intp)

    def remaining(self, *, low: float, high: float) -> float:
        """Return the counting time [s] that every point between two angles has left."""
        inside = self._inside(low, high)
        left = SLICES - int(self._played[inside].max())
        return left / SLICES * self._counting_time

    def take(
        self, *, low: float, high: float, counting_time: float
    ) -> tuple[FloatArray, FloatArray, float]:
        """Return x, counts and the true counting time of a shorter scan, and use it up.

        Parameters
        ----------
        low, high : first and last x.
        counting_time : wanted for each point [s]; rounded to whole slices, at least one.

        Raises
        ------
        NoRecordedData
            No point lies there, or one has less counting time left.
        """
        inside = self._inside(low, high)
        n = max(round(counting_time / self._counting_time * SLICES), 1)
        first = self._played[inside]
        if int(first.max()) + n > SLICES:
            raise NoRecordedData(
                f"the recorded scan has {self.remaining(low=low, high=high):g} s left between "
                f"{low:g} and {high:g}, and {counting_time:g} s are asked for"
            )
        rows = np.flatnonzero(inside)
        counts = self._cumulated[rows, first + n] - self._cumulated[rows, first]
        self._played[inside] += n
        return self._x[inside], counts.astype(np.float64), n / SLICES * self._counting_time

    def _inside(self, low: float, high: float) -> NDArray[np.bool_]:
        inside = (self._x >= low) & (self._x <= high)
        if not inside.any():
            raise NoRecordedData(
                f"the recorded scan runs from {self._x[0]:g} to {self._x[-1]:g}; nothing between "
                f"{low:g} and {high:g} was recorded"
            )
        return np.asarray(inside)
