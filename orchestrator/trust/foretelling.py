"""What a quantity should be at a point, by what was read at others: a small Gaussian process.

One covariance, squared exponential plus linear, whose width and noise are the most probable of a
few (Rasmussen & Williams 2006, chapter 5). It only judges whether a reading is out of place.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WIDTHS = (0.3, 0.7, 1.6)
NOISES = (0.01, 0.1, 0.5)
"""Widths in the unit cube of the settings, and noise variances in units of the signal's."""

SKEWED = 3.0
"""Ratio of the largest to the smallest of positive values from which their logarithm is taken."""


def deviation(
    settings: FloatArray, values: FloatArray, *, place: FloatArray, value: float
) -> float:
    """Return how far a value lies from what others foretell, in predicted standard deviations.

    Parameters
    ----------
    settings : (n, n_settings) of the others in the unit cube.
    values : (n,) read of them, on any scale.
    place : (n_settings,) where the value was read.
    """
    scaled = _scaled(np.append(values, value))
    known, new = scaled[:-1], float(scaled[-1])
    middle, spread = float(known.mean()), float(known.std())
    if spread < 1e-12:
        return 0.0
    targets = (known - middle) / spread
    n = len(targets)
    best = (-np.inf, 0.0, 1.0)
    for width, noise in product(WIDTHS, NOISES):
        covariance = _kernel(settings, settings, width) + noise * np.eye(n)
        lower = np.linalg.cholesky(covariance)
        half = np.linalg.solve(lower, targets)
        variance = float(half @ half) / n
        evidence = -0.5 * n * np.log(variance) - float(np.log(np.diag(lower)).sum())
        if evidence > best[0]:
            across = _kernel(settings, place[None, :], width)[:, 0]
            reach = np.linalg.solve(lower, across)
            own = float(_kernel(place[None, :], place[None, :], width)[0, 0])
            left = variance * max(own - float(reach @ reach) + noise, 1e-9)
            best = (evidence, float(reach @ half), left)
    return float(((new - middle) / spread - best[1]) / np.sqrt(best[2]))


def _kernel(one: FloatArray, other: FloatArray, width: float) -> FloatArray:
    apart = ((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(np.exp(-0.5 * apart / width**2) + (one - 0.5) @ (other - 0.5).T)


def _scaled(values: FloatArray) -> FloatArray:
    """Return values on a scale on which their noise is about even."""
    if values.min() >= 0 and values.max() <= 1:
        return np.asarray(np.arcsin(np.sqrt(values)))
    if values.min() > 0 and values.max() > SKEWED * values.min():
        return np.asarray(np.log(values))
    return values
