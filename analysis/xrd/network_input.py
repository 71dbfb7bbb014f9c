"""What a network sees of a pattern: its peaks along the angle, or the distances they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

FloatArray = NDArray[np.float64]

SMOOTH, WINDOW, AFTER = 0.45, 5.0, 2.5
"""Widths [deg] of the average before the rolling minimum, of the minimum, and of the average
after it."""

DISTANCES = np.round(np.arange(1.0, 40.05, 0.1), 6)
"""(n,) distances [Å] of a view as pair distances."""


def network_input(counts: FloatArray, *, step: float) -> NDArray[np.float32]:
    """Return √(signal over its maximum) of patterns on an even grid, shape as `counts`.

    Parameters
    ----------
    counts : (n, n_points) at least 0; NaN before and after the measured range, where 0 is returned.
    step : of the grid [deg].
    """
    inside = np.isfinite(counts)
    counts = counts if inside.all() else _continued(counts, inside, _points(SMOOTH, step))
    signal = np.maximum(counts - floor_of(counts, step=step), 0)
    signal = np.where(inside, signal, 0.0)
    highest = signal.max(axis=1, keepdims=True)
    scaled = np.sqrt(signal / np.where(highest > 0, highest, 1.0))
    return np.asarray(scaled, dtype=np.float32)


def floor_of(counts: FloatArray, *, step: float) -> FloatArray:
    """Return the background of patterns as a smoothed rolling minimum, shape as `counts`."""
    smooth = uniform_filter1d(counts, _points(SMOOTH, step), axis=1, mode="nearest")
    floor = minimum_filter1d(smooth, _points(WINDOW, step), axis=1, mode="nearest")
    return np.asarray(uniform_filter1d(floor, _points(AFTER, step), axis=1, mode="nearest"))


def _points(width: float, step: float) -> int:
    return max(round(width / step), 1)


def _continued(counts: FloatArray, inside: NDArray[np.bool_], n_edge: int) -> FloatArray:
    """Return patterns that go on at the level of their ends where they were not measured."""
    filled = counts.copy()
    for row, known in zip(filled, inside, strict=True):
        at = np.flatnonzero(known)
        row[: at[0]] = row[at[:n_edge]].mean()
        row[at[-1] + 1 :] = row[at[-n_edge:]].mean()
    return filled


@dataclass(frozen=True)
class View:
    """How a network looks at patterns.

    Attributes
    ----------
    two_theta : (n_points,) even grid of the patterns [deg].
    wavelength : of the strongest line [Å].
    pair_distances : whether it sees ∫ Q s(Q) sin(Qr) dQ instead of s, the input of `network_input`.
        A peak that is moved or missing changes all distances a little and none much, so such a
        network errs elsewhere: the second opinion of Szymanski et al. (2024),
        doi:10.1038/s41524-024-01230-9, there called a virtual pair distribution function.
    """

    two_theta: FloatArray
    wavelength: float
    pair_distances: bool = False

    @property
    def n_points(self) -> int:
        """Numbers that a network sees of a pattern."""
        return len(DISTANCES) if self.pair_distances else len(self.two_theta)

    def __call__(self, counts: FloatArray) -> NDArray[np.float32]:
        """Return what the network sees, (n, `n_points`), of counts, (n, n_points)."""
        seen = network_input(counts, step=float(self.two_theta[1] - self.two_theta[0]))
        if not self.pair_distances:
            return seen
        distances = seen @ self._transform
        spread = distances.std(axis=1, keepdims=True)
        return np.asarray(distances / np.where(spread > 0, spread, 1.0), dtype=np.float32)

    @cached_property
    def _transform(self) -> NDArray[np.float32]:
        q = 4 * np.pi * np.sin(np.radians(self.two_theta / 2)) / self.wavelength
        table = np.sin(np.outer(q, DISTANCES)) * (q * np.gradient(q))[:, None]
        return np.asarray(table, dtype=np.float32)
