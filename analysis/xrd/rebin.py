"""Patterns on another grid: counts of fine channels gathered into wider ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Rebinning:
    """Takes patterns from their angles to those of a grid.

    Each measured value stands for its channel, half-way to its neighbours; a grid angle gets what
    lies in its own channel. Counts of a channel that is cut are shared as its width is.

    Parameters
    ----------
    two_theta : (n_points,) increasing angles [deg], covering the grid.
    grid : (n_grid,) even angles [deg].
    """

    def __init__(self, two_theta: FloatArray, grid: FloatArray) -> None:
        edges, wanted = _edges(two_theta), _edges(grid)
        self._widths = np.diff(edges)
        # Beyond the first and last channel there is nothing to share.
        wanted = np.clip(wanted, edges[0], edges[-1])
        self._wanted = np.diff(wanted)
        below = np.clip(np.searchsorted(edges, wanted, side="right") - 1, 0, len(two_theta) - 1)
        self._below = below
        self._part = (wanted - edges[below]) / self._widths[below]

    def mean(self, y: FloatArray) -> FloatArray:
        """Return mean counts about the grid's angles, (n, n_grid), of patterns (n, n_points)."""
        return self._between(y * self._widths) / self._wanted

    def variance(self, variance: FloatArray) -> FloatArray:
        """Return the variance of those means, channels being independent."""
        return self._between(variance * self._widths**2) / self._wanted**2

    def _between(self, amounts: FloatArray) -> FloatArray:
        """Return the sums of amounts between the grid's edges."""
        before = np.zeros((len(amounts), amounts.shape[1] + 1))
        np.cumsum(amounts, axis=1, out=before[:, 1:])
        at = before[:, self._below] + self._part * amounts[:, self._below]
        return np.diff(at, axis=1)


def extra_variance(two_theta: FloatArray, grid: FloatArray) -> float:
    """Return by how much gathering widens peaks: an addition to Caglioti's w [deg²].

    A channel of width Δ has the variance Δ²/12; finer channels before had theirs already. Not
    negative: where channels were as wide as the grid's nothing changes.
    """
    before, after = float(np.median(np.diff(two_theta))), float(grid[1] - grid[0])
    return 8.0 * float(np.log(2.0)) * max(after**2 - before**2, 0.0) / 12.0


def _edges(x: FloatArray) -> FloatArray:
    middle = (x[1:] + x[:-1]) / 2
    return np.concatenate([[2 * x[0] - middle[0]], middle, [2 * x[-1] - middle[-1]]])
