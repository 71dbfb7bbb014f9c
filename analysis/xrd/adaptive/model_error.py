"""Model error: how far calculated peaks are from real ones, as a fit's own residuals show.

Texture, skewed profiles and rough structures make residuals that no counting time makes smaller.
They stand near strong peaks; far from them a pattern can be trusted down to its counting noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from scipy.optimize import minimize_scalar

FloatArray = NDArray[np.float64]

LEAST, MOST = 0.01, 0.5
"""Errors, relative to the highest Bragg rate nearby, between which the one that fits is sought."""

NEARBY = 0.2
"""How far the error of a peak reaches [deg]: profiles err most on their flanks."""

MEDIAN_CHI2 = 0.4549
"""Median of the square of a standard normal number."""


def highest_nearby(bragg: FloatArray, *, step: float) -> FloatArray:
    """Return the highest value within `NEARBY` of each point, (n_points,)."""
    width = 2 * int(NEARBY / step + 0.5) + 1
    return np.asarray(maximum_filter1d(bragg, width, mode="nearest"))


def shown_error(
    residual: FloatArray, *, noise: FloatArray, nearby: FloatArray
) -> tuple[float, float]:
    """Return the relative model error that residuals show, and by how much they err beyond it.

    The error is the likeliest of normal residuals of variance noise + (error · nearby)². A peak
    that no phase explains lies where there is little Bragg intensity, and hardly counts. The second
    number is what residuals are beyond that in the median, at least 1, times the number of
    neighbours that err together.

    Parameters
    ----------
    residual : (n_points,) observed minus calculated.
    noise : (n_points,) variance by counting.
    nearby : (n_points,) highest Bragg intensity near each point.
    """
    square = residual**2

    def unlikeliness(log_error: float) -> float:
        variance = noise + (np.exp(log_error) * nearby) ** 2
        return float((np.log(variance) + square / variance).sum())

    ends = (float(np.log(LEAST)), float(np.log(MOST)))
    error = float(np.exp(minimize_scalar(unlikeliness, bounds=ends, method="bounded").x))
    variance = noise + (error * nearby) ** 2
    beyond = float(np.median(square / variance)) / MEDIAN_CHI2
    return error, max(beyond, 1.0) * _correlation(residual / np.sqrt(variance))


def _correlation(residual: FloatArray) -> float:
    """Return 1 + 2 Σ ρ_k, summed until the autocorrelation ρ_k falls below 0.05."""
    n = len(residual)
    spectrum = np.fft.rfft(residual - residual.mean(), 2 * n)
    autocovariance = np.fft.irfft(spectrum * spectrum.conj())[: n // 2]
    rho = autocovariance[1:] / max(float(autocovariance[0]), 1e-300)
    return float(1 + 2 * rho[: int(np.argmax(rho < 0.05))].sum())
