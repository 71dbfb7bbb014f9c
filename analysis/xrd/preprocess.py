"""Preprocessing: a measurement → the angles, counts and sigmas that a fit uses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from analysis.errors import BadPattern
from analysis.xrd.radiation import CU_K_ALPHA, Radiation
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

MIN_POINTS = 200
"""Fewest points that a full-profile fit of a background and one phase can be trusted with."""

FINEST_STEP = 0.022
"""Points closer than this [deg] are averaged: narrower than any laboratory peak needs.

At wavelengths shorter than Cu Kα, where peaks crowd, in proportion to the wavelength.
"""

WAVELENGTH_TOLERANCE = 1e-3
"""Largest relative difference between a measurement's wavelength and the agent's."""

SMOOTHING = 5
"""Points over which variances are averaged, so that low counts do not get high weights."""


@dataclass(frozen=True, slots=True, eq=False)
class FitRange:
    """A pattern ready for fitting.

    Attributes
    ----------
    two_theta : (n_points,) [deg].
    counts : (n_points,) in the measurement's unit.
    sigma : (n_points,) standard deviation of `counts`, above 0 everywhere.
    sigma_known : False where it was taken from counting statistics.
    """

    two_theta: FloatArray
    counts: FloatArray
    sigma: FloatArray
    sigma_known: bool


def prepare(
    measurement: Measurement,
    *,
    radiation: Radiation,
    two_theta_range: tuple[float, float] | None = None,
) -> FitRange:
    """Return the part of a powder pattern that a fit uses.

    Points denser than `FINEST_STEP` are averaged in groups. Where the measurement has no sigma,
    `y` is taken as counts and sigma is its square root. Variances are averaged over five points:
    weights from single low counts would pull a fit down.

    Parameters
    ----------
    radiation : what the analysis assumes; contradicting the measurement is an error.
    two_theta_range : lowest and highest angle [deg]; the whole pattern if None.

    Raises
    ------
    BadPattern
        Wrong technique, axis or wavelength, negative counts, or too few points.
    """
    check_measurement(measurement, radiation=radiation)
    low, high = two_theta_range or (-np.inf, np.inf)
    inside = (measurement.x >= low) & (measurement.x <= high) & (measurement.x > 0)
    if int(inside.sum()) < MIN_POINTS:
        raise BadPattern(
            f"{measurement.id} has {int(inside.sum())} points between {low:g} and {high:g}°; a "
            f"full-profile fit needs at least {MIN_POINTS}. Measure a longer range or widen the "
            "agent's two_theta"
        )
    two_theta, counts = measurement.x[inside], measurement.y[inside]
    known = measurement.sigma is not None
    # One count squared keeps an empty channel from having no uncertainty at all.
    variance = (
        np.maximum(counts, 1.0) if measurement.sigma is None else measurement.sigma[inside] ** 2
    )
    finest = FINEST_STEP * min(radiation.wavelength / CU_K_ALPHA.wavelength, 1.0)
    group = max(int(finest / float(np.median(np.diff(two_theta))) + 1e-9), 1)
    two_theta, counts = _average(two_theta, group), _average(counts, group)
    variance = _average(variance, group) / group
    smooth = uniform_filter1d(variance, SMOOTHING, mode="nearest")
    sigma = np.sqrt(_raised(smooth, counts=counts))
    return FitRange(two_theta, counts, sigma, sigma_known=known)


def check_measurement(measurement: Measurement, *, radiation: Radiation) -> None:
    """Raise BadPattern with a sentence if this is no powder pattern taken with `radiation`."""
    m = measurement
    if m.technique != "xrd":
        raise BadPattern(
            f"{m.id} is a measurement of {m.technique!r}; diffraction agents read 'xrd'. Route it "
            "to an agent of its technique"
        )
    if m.n_points == 0:
        raise BadPattern(f"{m.id} holds readings but no pattern; a powder pattern was expected")
    if m.x_name != "two_theta" or m.x_unit != "deg":
        raise BadPattern(
            f"{m.id} has the axis {m.x_name!r} in {m.x_unit!r}; two_theta in deg was expected. "
            "Convert it with analysis.physics.units"
        )
    if m.x[-1] > 180:
        raise BadPattern(
            f"{m.id} reaches 2θ = {m.x[-1]:g}°, but no angle exceeds 180°; is the axis in "
            "centidegrees?"
        )
    if np.any(m.y < 0):
        first = float(m.x[np.argmax(m.y < 0)])
        raise BadPattern(
            f"{m.id} has {int(np.sum(m.y < 0))} negative counts, the first at 2θ = {first:g}°; "
            "give raw counts, without a subtracted background"
        )
    if not np.any(m.y > 0):
        raise BadPattern(f"{m.id} has no counts at all; check the beam and the detector")
    _check_wavelength(m, radiation=radiation)


def _check_wavelength(measurement: Measurement, *, radiation: Radiation) -> None:
    found = measurement.settings.get("wavelength")
    if not isinstance(found, int | float):
        raise BadPattern(
            f"{measurement.id} names no wavelength ({found!r}); its settings need `wavelength` in "
            f"Å, such as {radiation.wavelength:g}"
        )
    lines = [wavelength for wavelength, _ in radiation.lines]
    mean = float(np.dot(lines, radiation.shares))
    nearest = min([*lines, mean], key=lambda wavelength: abs(wavelength - found))
    if abs(found - nearest) > WAVELENGTH_TOLERANCE * nearest:
        raise BadPattern(
            f"{measurement.id} was measured at {found:g} Å, but the agent assumes "
            f"{radiation.wavelength:g} Å; set the agent's radiation to what the instrument has"
        )


def _average(values: FloatArray, group: int) -> FloatArray:
    """Return means over consecutive groups; points beyond the last full group are left out."""
    whole = len(values) // group * group
    return np.asarray(values[:whole].reshape(-1, group).mean(axis=1), dtype=np.float64)


def _raised(variance: FloatArray, *, counts: FloatArray) -> FloatArray:
    """Return variances with zeros raised to the smallest positive one."""
    positive = variance[variance > 0]
    floor = float(positive.min()) if positive.size else max(float(counts.max()), 1.0) * 1e-6
    return np.maximum(variance, floor)
