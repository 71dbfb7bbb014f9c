"""Has a series changed since some turn? The evidence for a step, a slope or more scatter.

A series is a constant, a smooth function of the settings of each sample, and noise of unknown
size. Against it stand the same with a step or a slope from a turn on, or with noise that is larger
from a turn on. All are Gaussian processes, and the noise is integrated over, so the evidence is a
ratio of Student densities in closed form (Rasmussen & Williams 2006, chapter 5; O'Hagan & Forster
2004, Kendall's Advanced Theory of Statistics 2B, chapter 11). Summed over turns with a hazard it is
the statistic of Shiryaev (1963, doi:10.1137/1108002), which may be looked at after every turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

HAZARD = 0.03
"""Probability a turn that a series begins to change."""

STEP, SLOPE, SCATTER = 4.0, 1.0, 4.0
"""Typical size of a step, of a slope a turn, and factor of the noise; in units of the noise."""

REACH = 0.4
"""Distance in the unit cube of the settings over which a series may vary by itself."""

SMOOTH = (0.0, 1.0, 4.0)
"""Variances of what varies with the settings that are weighed, in units of the noise's."""

MEAN = 100.0
"""Variance of the constant; it is as good as unknown."""

SHAPE = 1.0
"""Half the degrees of freedom that the noise is known with beforehand."""

BEFORE, AFTER = 5, 2
"""Turns needed before and after a change."""

OUTLIER = 3.5
"""Deviations in robust standard deviations beyond which a value is drawn in."""


@dataclass(frozen=True, slots=True)
class Change:
    """How probable it is that a series changed.

    Attributes
    ----------
    log_odds : logarithm of the summed evidence of all changes, each times the hazard.
    since : index of the most probable beginning.
    """

    log_odds: float
    since: int


def change(series: FloatArray, settings: FloatArray | None = None) -> Change | None:
    """Return how probable a change is; None if the series is too short or constant.

    Parameters
    ----------
    series : (n,) one value a turn, in order.
    settings : (n, n_settings) of the samples in the unit cube; None if they say nothing.
    """
    n = len(series)
    if n < BEFORE + AFTER:
        return None
    values = _standardised(series)
    if values is None:
        return None
    onsets = np.arange(BEFORE, n - AFTER + 1)
    found = np.full((3, len(onsets)), -np.inf)
    still = -np.inf
    for smooth in SMOOTH if settings is not None else SMOOTH[:1]:
        unchanged, changed = _evidence(values, onsets, _smooth(n, settings, smooth))
        still = np.logaddexp(still, unchanged)
        found = np.logaddexp(found, changed)
    ratios = np.logaddexp.reduce(found, axis=0) - np.log(3.0) - still
    total = float(np.logaddexp.reduce(ratios + np.log(HAZARD)))
    return Change(total, int(onsets[np.argmax(ratios)]))


def _standardised(series: FloatArray) -> FloatArray | None:
    middle = np.median(series)
    scale = 1.4826 * float(np.median(np.abs(series - middle))) or float(np.std(series))
    if not np.isfinite(scale) or scale < 1e-12 * max(1.0, abs(float(middle))):
        return None
    return np.asarray(np.clip((series - middle) / scale, -OUTLIER, OUTLIER))


def _smooth(n: int, settings: FloatArray | None, variance: float) -> FloatArray:
    """Return the covariance (n, n) of a series without change, its noise being 1."""
    covariance = np.eye(n) + MEAN
    if settings is not None and variance > 0:
        apart = ((settings[:, None, :] - settings[None, :, :]) ** 2).sum(axis=2)
        covariance += variance * np.exp(-0.5 * apart / REACH**2)
    return np.asarray(covariance)


def _evidence(
    values: FloatArray, onsets: NDArray[np.intp], covariance: FloatArray
) -> tuple[float, FloatArray]:
    """Return log densities up to a common constant: unchanged, and (3, n_onsets) of changes."""
    n = len(values)
    after = np.arange(n)[:, None] - onsets[None, :]
    inverse = np.linalg.inv(covariance)
    log_volume = float(np.linalg.slogdet(covariance)[1])
    square = float(values @ inverse @ values)
    unchanged = _student(square, log_volume, n)
    step = np.where(after >= 0, STEP, 0.0)
    slope = np.where(after >= 0, SLOPE * (after + 1.0), 0.0)
    changed = np.empty((3, len(onsets)))
    for row, shape in enumerate((step, slope)):
        turned = inverse @ shape
        grown = 1.0 + (shape * turned).sum(axis=0)
        explained = (values @ turned) ** 2 / grown
        changed[row] = _student(square - explained, log_volume + np.log(grown), n)
    for column in range(len(onsets)):
        noisier = covariance + np.diag(np.where(after[:, column] >= 0, SCATTER**2 - 1.0, 0.0))
        spread = float(values @ np.linalg.solve(noisier, values))
        changed[2, column] = _student(spread, float(np.linalg.slogdet(noisier)[1]), n)
    return float(unchanged), changed


def _student(square: FloatArray | float, log_volume: FloatArray | float, n: int) -> FloatArray:
    """Return the log density of n values whose noise variance is inverse-gamma distributed."""
    return np.asarray(
        -0.5 * log_volume - (SHAPE + n / 2) * np.log(SHAPE + 0.5 * np.asarray(square))
    )
