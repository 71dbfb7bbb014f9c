"""What the curves of a series are made of: patterns on a logarithmic axis that shift and widen.

On an axis of ln x a stretch is a shift, and in Fourier space a shift is a phase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
BoolArray = NDArray[np.bool_]
Nuisance = Literal["widen", "none"]

FADE = 0.3
"""Share of the room beyond the curves over which patterns fade."""

REACH = 2.0
"""Distance of the points between which curvature is taken, in steps at the axis's far end."""

MARGIN = 0.06
"""Empty room beside the axis, in ln x, so that a shift does not come in at the other end."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What curves are made of.

    Attributes
    ----------
    axis : (n_points,) evenly spaced in ln x.
    patterns : (n_phases, n_points).
    observed : (n_points,) True where curves were measured. The axis goes a little beyond at both
        ends, for what stretches bring in; there the model fills what is missing.
    exponent : a pattern stretched by s is s^−exponent times as high.
    nuisance : ``widen`` lets each curve have its peaks wider or narrower than the patterns by one
        variance in x, as thermal motion does.
    non_negative : patterns are at least 0.
    """

    axis: FloatArray
    patterns: FloatArray
    observed: BoolArray
    exponent: float = 0.0
    nuisance: Nuisance = "none"
    non_negative: bool = False

    @property
    def step(self) -> float:
        """Distance of two points in ln x."""
        return float(np.log(self.axis[1] / self.axis[0]))

    @property
    def window(self) -> FloatArray:
        """1 where curves were measured and a little beyond, fading to 0 at the axis's ends."""
        ends = np.flatnonzero(self.observed)[[0, -1]]
        room = max(ends[0], len(self.axis) - 1 - ends[1], 1)
        n = max(int(FADE * room), 1)
        window = np.ones(len(self.axis))
        rise = np.sin(0.5 * np.pi * np.arange(1, n + 1) / (n + 1)) ** 2
        window[:n], window[-n:] = rise, rise[::-1]
        return window

    @property
    def length(self) -> int:
        """Points of a spectrum's curve, margin included."""
        return int(next_fast_len(int(len(self.axis) + np.ceil(MARGIN / self.step)), real=True))

    @property
    def frequency(self) -> FloatArray:
        """Angular frequency of each point of a spectrum, per unit of ln x."""
        return np.asarray(2 * np.pi * np.fft.rfftfreq(self.length, self.step))

    def spectra(self, curves: FloatArray) -> ComplexArray:
        """Return the Fourier transforms of curves on the axis, (..., n_frequencies)."""
        return np.asarray(np.fft.rfft(curves, self.length, axis=-1))

    def curves(self, spectra: ComplexArray) -> FloatArray:
        """Return the curves of Fourier transforms, (..., n_points)."""
        return np.asarray(np.fft.irfft(spectra, self.length, axis=-1)[..., : len(self.axis)])


def widened(model: Model, curves: FloatArray) -> FloatArray:
    """Return d²y/dx² of k curves, then d⁴y/dx⁴, (2 k, n_points)."""
    second = _curvature(model, curves)
    return np.vstack([second, _curvature(model, second)])


def _curvature(model: Model, curves: FloatArray) -> FloatArray:
    # Differences over one length of x everywhere: points of the axis crowd at its low end, where
    # neighbours differ by noise, and in Fourier space its ends would ring through the whole curve.
    axis = model.axis
    reach = REACH * (axis[-1] - axis[-2])
    total = -2 * curves
    for there in (axis + reach, axis - reach):
        right = np.clip(np.searchsorted(axis, there), 1, len(axis) - 1)
        share = np.clip((there - axis[right - 1]) / (axis[right] - axis[right - 1]), 0, 1)
        total = total + (1 - share) * curves[:, right - 1] + share * curves[:, right]
    return np.asarray(total / reach**2)
