"""Patterns on a logarithmic axis, where a change of scale is a shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def logarithmic_axis(x: FloatArray, *, step: float | None = None) -> FloatArray:
    """Return points from the first to the last of `x`, evenly spaced in ln x, (n_points,).

    Parameters
    ----------
    x : (n,) increasing, above 0.
    step : between points in ln x; the finest spacing of `x` if None.
    """
    if x[0] <= 0:
        raise ValueError(f"the axis starts at {x[0]:g}; a logarithm needs values above 0")
    finest = float(np.diff(np.log(x)).min()) if step is None else step
    n_points = int(np.log(x[-1] / x[0]) / finest + 1e-9) + 1
    return np.asarray(x[0] * np.exp(finest * np.arange(n_points)))


def resample(curves: FloatArray, x: FloatArray, axis: FloatArray) -> FloatArray:
    """Return curves, (n, n_points of `axis`), interpolated linearly."""
    return np.array([np.interp(axis, x, curve) for curve in curves])


def best_shifts(patterns: FloatArray, *, largest: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return how alike each two patterns are where one is shifted best, and that shift.

    The likeness is the cosine Σ a(u) b(u + s) / (|a| |b|), the normalised cross-correlation of
    Stanev et al. (2018, doi:10.1038/s41524-018-0099-2), here over shifts of a logarithmic axis.
    What a shift moves over an end counts as missing.

    Parameters
    ----------
    patterns : (n, n_points) on an even axis.
    largest : shift that is tried, in points.

    Returns
    -------
    likeness, shift : (n, n) each; pattern j shifted by −shift[i, j] points lies on pattern i.
    """
    n_points = patterns.shape[1]
    length = n_points + largest
    norms = np.linalg.norm(patterns, axis=1)
    scaled = patterns / np.where(norms > 0, norms, 1.0)[:, None]
    spectra = np.fft.rfft(scaled, length, axis=1)
    cross = np.fft.irfft(spectra[:, None].conj() * spectra[None], length, axis=2)
    steps = np.arange(-largest, largest + 1)
    window = cross[:, :, steps]
    return window.max(axis=2), steps[window.argmax(axis=2)]


def shifted(pattern: FloatArray, shifts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return copies of a pattern, each shifted, and their derivatives to the shift, (n, n_points).

    Interpolated linearly; what comes in over an end is 0.

    Parameters
    ----------
    pattern : (n_points,) on an even axis.
    shifts : (n,) to higher values of the axis [points].
    """
    whole = np.floor(shifts).astype(int)
    part = (shifts - whole)[:, None]
    margin = int(np.abs(whole).max(initial=0)) + 2
    padded = np.pad(pattern, margin)
    here = np.arange(len(pattern)) - whole[:, None] + margin
    right, left = padded[here], padded[here - 1]
    return (1 - part) * right + part * left, left - right


def shifted_back(curves: FloatArray, shifts: FloatArray) -> FloatArray:
    """Return each curve with its own shift taken back, (n, n_points).

    The adjoint of `shifted`: Σ shifted(p, s) · c is Σ p · shifted_back(c, s), but at the ends.

    Parameters
    ----------
    curves : (n, n_points) on an even axis.
    shifts : (n,) that they have [points].
    """
    whole = np.floor(shifts).astype(int)
    part = (shifts - whole)[:, None]
    margin = int(np.abs(whole).max(initial=0)) + 2
    padded = np.pad(curves, ((0, 0), (margin, margin)))
    there = np.arange(curves.shape[1]) + whole[:, None] + margin
    left = np.take_along_axis(padded, there, axis=1)
    right = np.take_along_axis(padded, there + 1, axis=1)
    return np.asarray((1 - part) * left + part * right)
