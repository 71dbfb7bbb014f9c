"""Starting patterns of a series: curves that no stretched mixture of the others explains."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.learning.decomposition.curve_fit import CurveFit, fit_curve
from analysis.learning.decomposition.series import (
    Series,
    read_series,
    refine_series,
    squared_misfits,
)
from analysis.learning.decomposition.stretched_model import Model

FloatArray = NDArray[np.float64]

ENOUGH = 0.35
"""A further phase must take away this share of the squared misfit."""

NOISY = 20.0
"""Squared misfit, over that between neighbours in the series, at which no phase is added. On 36
simulated series with too few phases it was 100 and more, with enough 1 to 10."""

TURNS, LAST_TURNS = 4, 10
"""Of the refinement after each further phase, and at the end."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A factorised series whose number of phases was found.

    Attributes
    ----------
    series : the answer.
    misfits : share of the curves' squared norm that 1, 2, … phases leave, as far as was tried.
    """

    series: Series
    misfits: tuple[float, ...]


def unmix(
    model: Model,
    curves: FloatArray,
    *,
    most_phases: int,
    n_phases: int | None = None,
    n_frozen: int = 0,
    held: FloatArray | None = None,
) -> Found:
    """Return a series as few stretched patterns.

    Each further pattern starts as the curve that the ones before explain worst, so that patterns
    are as pure as the purest curves: without that, patterns of either sign would be any mixtures.

    Parameters
    ----------
    model : axis and kind of the curves; its first `n_frozen` patterns are known and held, others
        are ignored.
    curves : (n_curves, n_points), in the order of the series.
    most_phases : to try.
    n_phases : where it is known; else phases are added while each takes away much of the misfit.
    held : (n_curves, n_phases) weights that are known, NaN where not; needs `n_phases`.

    Raises
    ------
    ValueError
        Held weights are not those of the curves and phases.
    """
    if held is not None and held.shape != (len(curves), n_phases or 0):
        raise ValueError(
            f"weights of shape {held.shape} are held, those of {len(curves)} curves and "
            f"{n_phases} phases were expected; say n_phases"
        )
    limit = most_phases if n_phases is None else n_phases
    series = _first(model, curves, n_frozen=n_frozen)
    misfits = [_misfit(curves, series)]
    floor = NOISY * between_neighbours(curves[:, model.observed])
    while len(series.model.patterns) < limit:
        if n_phases is None and misfits[-1] <= floor:
            break
        further = _refined(curves, _with_corner(curves, series), n_frozen, TURNS)
        misfits.append(_misfit(curves, further))
        if n_phases is None and misfits[-1] > (1 - ENOUGH) * misfits[-2]:
            break
        series = further
    if held is not None:
        series = read_series(series.model, curves, series.stretches, held=held)
    series = _refined(curves, series, n_frozen, LAST_TURNS, held=held)
    return Found(series, tuple(misfits))


def between_neighbours(curves: FloatArray) -> float:
    """Return the share of the squared norm in which curves differ from their neighbours' mean.

    Scaled so that independent noise gives its own share; half of the curves count, those that
    differ least, so that a jump is not taken for noise. 0 for fewer than three curves.
    """
    if len(curves) < 3:
        return 0.0
    differences = curves[1:-1] - (curves[:-2] + curves[2:]) / 2
    norm = float(np.mean((curves**2).sum(axis=1)))
    return float(np.median((differences**2).sum(axis=1))) / 1.5 / norm


def _first(model: Model, curves: FloatArray, *, n_frozen: int) -> Series:
    if n_frozen:
        return _tracked(replace(model, patterns=model.patterns[:n_frozen]), curves, 0)
    one = _tracked(replace(model, patterns=curves[:1]), curves, 0)
    far = _worst(curves, one)
    return _tracked(replace(model, patterns=curves[far : far + 1]), curves, far)


def _worst(curves: FloatArray, series: Series) -> int:
    return int(squared_misfits(curves, series).argmax())


def _misfit(curves: FloatArray, series: Series) -> float:
    seen = curves[:, series.model.observed]
    return float(squared_misfits(curves, series).sum() / (seen**2).sum())


def _with_corner(curves: FloatArray, series: Series) -> Series:
    worst = _worst(curves, series)
    patterns = np.vstack([series.model.patterns, curves[worst]])
    return _tracked(replace(series.model, patterns=patterns), curves, worst, known=series.stretches)


def _tracked(
    model: Model, curves: FloatArray, origin: int, *, known: FloatArray | None = None
) -> Series:
    """Return the series read outward from a curve, each begun where its neighbour ended.

    Parameters
    ----------
    origin : curve in which the last pattern is not stretched.
    known : (n_curves, n_phases − 1) stretches of the patterns before; None starts all from 0.
    """
    fits: dict[int, CurveFit] = {}
    for way in (range(origin, len(curves)), range(origin - 1, -1, -1)):
        last = np.zeros(len(model.patterns)) if way.start == origin else fits[origin].stretches
        for i in way:
            start = last if known is None else np.append(known[i], last[-1])
            fits[i] = fit_curve(model, curves[i], start, n_steps=6)
            last = fits[i].stretches
    return Series(model, tuple(fits[i] for i in range(len(curves))))


def _refined(
    curves: FloatArray,
    series: Series,
    n_frozen: int,
    n_turns: int,
    *,
    held: FloatArray | None = None,
) -> Series:
    frozen = np.arange(len(series.model.patterns)) < n_frozen
    return refine_series(curves, series, n_turns=n_turns, frozen=frozen, held=held)
