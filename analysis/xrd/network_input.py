"""What a network sees of a pattern: background taken off, scaled to its maximum, square root."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

FloatArray = NDArray[np.float64]

SMOOTH, WINDOW, AFTER = 0.45, 5.0, 2.5
"""Widths [deg] of the average before the rolling minimum, of the minimum, and of the average
after it."""


def network_input(counts: FloatArray, *, step: float) -> NDArray[np.float32]:
    """Return √(signal over its maximum) of patterns on an even grid, shape as `counts`.

    Parameters
    ----------
    counts : (n, n_points) at least 0.
    step : of the grid [deg].
    """

    def points(width: float) -> int:
        return max(round(width / step), 1)

    smooth = uniform_filter1d(counts, points(SMOOTH), axis=1, mode="nearest")
    floor = minimum_filter1d(smooth, points(WINDOW), axis=1, mode="nearest")
    signal = np.maximum(counts - uniform_filter1d(floor, points(AFTER), axis=1, mode="nearest"), 0)
    highest = signal.max(axis=1, keepdims=True)
    scaled = np.sqrt(signal / np.where(highest > 0, highest, 1.0))
    return np.asarray(scaled, dtype=np.float32)
