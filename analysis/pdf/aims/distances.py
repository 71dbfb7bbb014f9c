"""Distances between a target's curve and many others on one grid.

R_wp is what the literature counts. It rises steeply and then waves: of a G(r) of hundreds of atoms
a search downhill finds the target from half of the bonds within 15 %. The others trade steepness
for a slope that reaches further, `stretched` the furthest (`benchmarks/pdf_target.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.aims.settings import CurveName, DistanceName

FloatArray = NDArray[np.float64]
Distance = Callable[[FloatArray], FloatArray]
"""Curves (..., n) → their distances (...) from a target."""

WIDTHS = (0.0, 0.1, 0.2, 0.4)
"""Standard deviations of the smoothing, Å or 1/Å."""

FULL_STRETCH = 0.2
"""ln of a stretch that is as far as a curve that has nothing in common."""

SOFTNESS: dict[DistanceName, float] = {
    "rwp": 0.1,
    "rwp_scaled_to_peak": 0.1,
    "shape": 0.1,
    "smoothed": 0.07,
    "cumulative": 0.05,
    "stretched": 0.03,
    "transport": 0.002,
}
"""Distances that make two structures unlike each other: what half a percent of the bond adds, as
`benchmarks/pdf_target.py` simulates it."""

_STRETCHES = 0.001 * np.arange(-200, 201)
_PARALLEL = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """A target's curve on a grid.

    Attributes
    ----------
    curve : which.
    x, y : (n,) grid and values.
    inside : which points of samples' curves lie on the grid.
    noise : mean square of what points of a measured target scatter about `y`; counted by R_wp as
        it is where the measured points themselves are compared.
    peak : its highest point; None finds it in `y`.
    keeps_height : it is not scaled where samples are scaled to their highest point.
    """

    curve: CurveName
    x: FloatArray
    y: FloatArray
    noise: float = 0.0
    peak: float | None = None
    keeps_height: bool = False
    inside: slice = field(default_factory=lambda: slice(None))


def distance(name: DistanceName, goal: Goal) -> Distance:
    """Return the distance of that name from a goal, of curves that may reach beyond its grid."""
    measure, inside = _MAKERS[name](goal), goal.inside
    if name == "rwp_scaled_to_peak":
        return lambda curves: measure(scaled_to_peak(curves)[..., inside])
    return lambda curves: measure(curves[..., inside])


def rwp(goal: Goal) -> Distance:
    """Return √(Σ(target − curve)² / Σ target²), without a free scale."""
    return _misfit(goal.y, goal.noise)


def rwp_scaled_to_peak(goal: Goal) -> Distance:
    """Return R_wp of curves that are scaled to a highest point of one, after Anker's ScattBO.

    A curve without a positive point counts as zero everywhere. Here the target is scaled;
    `distance` scales the others, by their highest point anywhere.
    """
    height = 1.0
    if not goal.keeps_height:
        height = goal.peak if goal.peak is not None else float(peak(goal.y))
    return _misfit(goal.y / height, goal.noise / height**2)


def shape(goal: Goal) -> Distance:
    """Return R_wp with the best scale ≥ 0, between 0 and 1."""
    return lambda curves: _sine(curves, goal.y)


def smoothed(goal: Goal) -> Distance:
    """Return the mean of `shape` over curves smoothed by Gaussians of `WIDTHS`."""
    kernels = [_smoothing(goal.x, width) for width in WIDTHS if width > 0]
    goals = [goal.y @ kernel for kernel in kernels]

    def mean(curves: FloatArray) -> FloatArray:
        total = _sine(curves, goal.y)
        for kernel, aim in zip(kernels, goals, strict=True):
            total = total + _sine(curves @ kernel, aim)
        return np.asarray(total / len(WIDTHS))

    return mean


def cumulative(goal: Goal) -> Distance:
    """Return `shape` of the running integrals, their means taken off."""

    def integral(curves: FloatArray) -> FloatArray:
        total = np.cumsum(curves, axis=-1)
        return np.asarray(total - total.mean(axis=-1, keepdims=True))

    aim = integral(goal.y)
    return lambda curves: _sine(integral(curves), aim)


def stretched(goal: Goal) -> Distance:
    """Return the least sum, over stretches s of the target, of shape and |ln s| / `FULL_STRETCH`.

    A target stretched by s is y(x/s) for G(r) and y(xs) over Q, where a bond longer by s moves
    peaks; what reaches beyond the grid is left out on both sides.
    """
    sign = -1.0 if goal.curve == "g_r" else 1.0
    at = goal.x[:, None] * np.exp(sign * _STRETCHES)
    inside = ((at >= goal.x[0]) & (at <= goal.x[-1])).astype(np.float64)
    aims = np.interp(at, goal.x, goal.y) * inside
    aims = aims / np.maximum(np.linalg.norm(aims, axis=0), _PARALLEL)
    price = np.abs(_STRETCHES) / FULL_STRETCH

    def best(curves: FloatArray) -> FloatArray:
        norm = np.sqrt(np.maximum(curves**2 @ inside, _PARALLEL**2))
        cosine = np.clip(curves @ aims / norm, 0.0, 1.0)
        return np.asarray((np.sqrt(1 - cosine**2) + price).min(axis=-1))

    return best


def transport(goal: Goal) -> Distance:
    """Return how far the positive part must be moved, as the mean change of ln x.

    The first Wasserstein distance between the positive parts, each of unit area, over ln x: for
    curves that are stretched by s it is |ln s|. A curve without a positive point is as far as
    the grid is long.
    """
    step = np.diff(np.log(goal.x))
    aim = _shares(goal.y)

    def moved(curves: FloatArray) -> FloatArray:
        return np.asarray(np.abs(_shares(curves) - aim)[..., :-1] @ step)

    return moved


def peak(curves: FloatArray) -> FloatArray:
    """Return the highest point of curves, (...), by a parabola through its neighbours."""
    return -_least(-curves)


def scaled_to_peak(curves: FloatArray) -> FloatArray:
    """Return curves with a highest point of one, zero where none is positive, (..., n)."""
    height = peak(curves)[..., None]
    return np.asarray(np.where(height > 0, curves / np.where(height > 0, height, 1.0), 0.0))


def _misfit(aim: FloatArray, noise: float) -> Distance:
    added = noise * aim.size
    total = float(aim @ aim) + added

    def misfit(curves: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt((((curves - aim) ** 2).sum(axis=-1) + added) / total))

    return misfit


def _sine(curves: FloatArray, aim: FloatArray) -> FloatArray:
    norm = np.linalg.norm(curves, axis=-1) * np.linalg.norm(aim)
    cosine = np.clip(curves @ aim / np.maximum(norm, _PARALLEL), 0.0, 1.0)
    return np.asarray(np.sqrt(1 - cosine**2))


def _smoothing(x: FloatArray, width: float) -> FloatArray:
    """Return the matrix to means by a Gaussian's weights, (n, n_means), two means a width."""
    stride = max(1, int(width / 2 / (x[1] - x[0])))
    weights = np.exp(-0.5 * ((x[:, None] - x[::stride]) / width) ** 2)
    return np.asarray(weights / weights.sum(axis=0))


def _shares(curves: FloatArray) -> FloatArray:
    total = np.cumsum(np.maximum(curves, 0.0), axis=-1)
    return np.asarray(total / np.maximum(total[..., -1:], _PARALLEL))


def _least(values: FloatArray) -> FloatArray:
    """Return the least of the last axis, (...), by a parabola through it and its neighbours."""
    at = np.clip(values.argmin(axis=-1), 1, values.shape[-1] - 2)[..., None]
    left, middle, right = (
        np.take_along_axis(values, at + move, axis=-1)[..., 0] for move in (-1, 0, 1)
    )
    bend = left + right - 2 * middle
    slope = (right - left) / 2
    inner = (bend > 0) & (np.abs(slope) <= bend)
    lowest = middle - np.where(inner, slope**2 / (2 * np.where(inner, bend, 1.0)), 0.0)
    return np.asarray(np.where(inner, lowest, values.min(axis=-1)))


_MAKERS: dict[DistanceName, Callable[[Goal], Distance]] = {
    "rwp": rwp,
    "rwp_scaled_to_peak": rwp_scaled_to_peak,
    "shape": shape,
    "smoothed": smoothed,
    "cumulative": cumulative,
    "stretched": stretched,
    "transport": transport,
}
