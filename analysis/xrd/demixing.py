"""Patterns of many samples → curves over one axis of q that can be demixed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from analysis.errors import BadPattern
from analysis.physics.units import q_from_two_theta
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

FEWEST = 6
"""Patterns below which phases cannot be told from samples."""

OVERLAP = 0.8
"""Share of the first pattern's range of q that every other one must cover."""

BACKGROUND_WIDTH = 0.07
"""Width of the rolling minimum, as a share of the range."""


def common_curves(
    measurements: Sequence[Measurement], *, subtract_background: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Return q [1/Å], (n_points,), and every pattern over it, (n_patterns, n_points), at least 0.

    Angles become q with each measurement's own wavelength; other patterns are interpolated onto the
    axis of the first, in the range that all share.

    Parameters
    ----------
    subtract_background : take away a rolling minimum.

    Raises
    ------
    BadPattern
        Fewer than six patterns, no powder pattern, unknown wavelength, negative counts, ranges that
        do not overlap, or a pattern without peaks.
    """
    if len(measurements) < FEWEST:
        raise BadPattern(
            f"{len(measurements)} patterns cannot be demixed; at least {FEWEST} of samples that "
            "hold the phases in different shares are needed"
        )
    axes = [_q(m) for m in measurements]
    low, high = max(q[0] for q in axes), min(q[-1] for q in axes)
    first = axes[0]
    if high - low < OVERLAP * (first[-1] - first[0]):
        raise BadPattern(
            f"the patterns share q = {low:.3g} … {high:.3g} 1/Å, but {measurements[0].id} covers "
            f"{first[0]:.3g} … {first[-1]:.3g}; demix patterns of one range together"
        )
    q = first[(first >= low) & (first <= high)]
    curves = np.array([np.interp(q, own, m.y) for own, m in zip(axes, measurements, strict=True)])
    if subtract_background:
        curves = np.array([without_background(curve) for curve in curves])
    empty = np.flatnonzero(curves.max(axis=1) <= 0)
    if empty.size:
        raise BadPattern(f"{measurements[empty[0]].id} shows no peak; leave it out of the set")
    return q, curves


def compositions(
    measurements: Sequence[Measurement], components: Sequence[str]
) -> FloatArray | None:
    """Return the share of each component in each sample, (n_samples, n_components), rows sum to 1.

    None if no components are named.

    Parameters
    ----------
    components : names of the measurements' settings that state amounts, in any one unit.

    Raises
    ------
    BadPattern
        A measurement does not state a component, or states amounts that are no composition.
    """
    if not components:
        return None
    rows = np.array([[_amount(m, name) for name in components] for m in measurements])
    wrong = np.flatnonzero((rows.min(axis=1) < 0) | ~(rows.sum(axis=1) > 0))
    if wrong.size:
        raise BadPattern(
            f"{measurements[wrong[0]].id} states {rows[wrong[0]].tolist()} of {list(components)}; "
            "amounts of at least 0, not all 0, were expected"
        )
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _amount(measurement: Measurement, component: str) -> float:
    amount = measurement.settings.get(component)
    if not isinstance(amount, int | float):
        raise BadPattern(
            f"{measurement.id} has the setting {component} = {amount!r}; a number was expected. "
            "State every component in the settings of every measurement, or name no components"
        )
    return float(amount)


def without_background(counts: FloatArray) -> FloatArray:
    """Return counts above a rolling minimum, (n_points,), at least 0.

    The minimum of counts averaged over nine points, itself smoothed; broad humps of amorphous
    matter are taken for background.
    """
    width = max(int(BACKGROUND_WIDTH * len(counts)), 3)
    lowest = minimum_filter1d(uniform_filter1d(counts, 9), width)
    return np.asarray(np.maximum(counts - uniform_filter1d(lowest, width), 0.0))


def _q(measurement: Measurement) -> FloatArray:
    m = measurement
    if m.technique != "xrd" or m.n_points < 50:
        raise BadPattern(
            f"{m.id} is a measurement of {m.technique!r} with {m.n_points} points; powder patterns "
            "('xrd') of at least 50 points can be demixed"
        )
    if np.any(m.y < 0):
        raise BadPattern(
            f"{m.id} has {int(np.sum(m.y < 0))} negative counts; give raw counts, without a "
            "subtracted background"
        )
    wavelength = m.settings.get("wavelength")
    if (m.x_name, m.x_unit) == ("two_theta", "deg") and isinstance(wavelength, int | float):
        q = np.asarray(q_from_two_theta(two_theta=m.x, wavelength=float(wavelength)))
    elif (m.x_name, m.x_unit) in {("q", "1/Å"), ("q", "Å⁻¹")}:
        q = m.x
    else:
        raise BadPattern(
            f"{m.id} has the axis {m.x_name!r} in {m.x_unit!r} and wavelength {wavelength!r}; "
            "two_theta in deg with a wavelength in Å, or q in 1/Å, was expected"
        )
    if q[0] <= 0:
        raise BadPattern(f"{m.id} starts at q = {q[0]:g}; leave out points at or below 0")
    return q
