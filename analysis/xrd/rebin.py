"""Patterns on another grid: counts of fine channels gathered into wider ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def rebinning(two_theta: FloatArray, grid: FloatArray) -> FloatArray:
    """Return the matrix (n_grid, n_points) that takes counts to mean counts about grid angles.

    Each measured value stands for its channel, half-way to its neighbours; a grid angle gets the
    mean over its own channel of the channels it overlaps. Rows sum to 1.

    Parameters
    ----------
    two_theta : (n_points,) increasing angles [deg], covering the grid.
    grid : (n_grid,) even angles [deg].
    """
    edges, wanted = _edges(two_theta), _edges(grid)
    low = np.maximum(wanted[:-1, None], edges[None, :-1])
    high = np.minimum(wanted[1:, None], edges[None, 1:])
    overlap = np.maximum(high - low, 0.0)
    whole = overlap.sum(axis=1, keepdims=True)
    return np.asarray(overlap / np.where(whole > 0, whole, 1.0))


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
