"""Measurement: a curve with its uncertainty and the settings under which it was taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """A single number an instrument reports by itself, such as a magnetisation.

    Attributes
    ----------
    std : standard deviation in `unit`, None if the instrument does not tell.
    """

    value: float
    std: float | None
    unit: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"a reading of {self.value} {self.unit} is no finite number")
        if self.std is not None and not (math.isfinite(self.std) and self.std >= 0):
            raise ValueError(f"a reading's std of {self.std} is no finite number >= 0")


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One measured curve, single readings, or both.

    Attributes
    ----------
    id : unique in the laboratory, ``<sample>/<technique>/<ordinal>``.
    sample_id : the sample it was taken on.
    technique : ``xrd``, ``pdf``, ``sas``, ``xas``, ``ins``, or ``table`` for readings alone.
    x, y : (n_points,) axis and signal; both empty if there are only readings. `x` increases.
    sigma : (n_points,) standard deviation of `y`, or None if unknown.
    x_name, x_unit, y_name, y_unit : what the axes are, e.g. ``two_theta``, ``deg``.
    settings : name → value under which it was taken; units by convention of the technique
        (``wavelength`` in Å, ``counting_time`` in s per point).
    readings : name → single number the instrument reports by itself.
    instrument : name of the instrument.
    simulated : True if no sample was touched.
    started, finished : laboratory time; virtual on a twin.
    flags : what the instrument warns of, e.g. ``saturated``.
    source : file or table it came from, with its sha256, where there is one.

    Raises
    ------
    ValueError
        Shapes differ, a value is not finite, `x` does not increase, or a sigma is negative.
    """

    id: str
    sample_id: str
    technique: str
    x: FloatArray
    y: FloatArray
    sigma: FloatArray | None
    x_name: str
    x_unit: str
    y_name: str
    y_unit: str
    instrument: str
    simulated: bool
    started: datetime
    finished: datetime
    settings: Mapping[str, float | str] = field(default_factory=dict)
    readings: Mapping[str, Reading] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_curve(self.x, self.y, self.sigma, x_name=self.x_name or "x")
        if self.x.size == 0 and not self.readings:
            raise ValueError(f"measurement {self.id} has neither a curve nor readings")

    @property
    def n_points(self) -> int:
        """Number of points of the curve, 0 if there are only readings."""
        return int(self.x.size)


def check_curve(x: FloatArray, y: FloatArray, sigma: FloatArray | None, *, x_name: str) -> None:
    """Raise ValueError with a sentence if arrays do not make a curve."""
    if x.ndim != 1 or y.shape != x.shape or (sigma is not None and sigma.shape != x.shape):
        shapes = [x.shape, y.shape] + ([sigma.shape] if sigma is not None else [])
        raise ValueError(f"x, y and sigma must be one-dimensional and alike; found {shapes}")
    for name, values in (("x", x), ("y", y)) + ((("sigma", sigma),) if sigma is not None else ()):
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise ValueError(
                f"{name} holds {bad.size} values that are no finite numbers, the first at point "
                f"{bad[0]}; remove or mask them"
            )
    falling = np.flatnonzero(np.diff(x) <= 0)
    if falling.size:
        i = int(falling[0])
        raise ValueError(
            f"{x_name} must increase; point {i + 1} is {x[i + 1]:g} after {x[i]:g}. "
            "Sort the file or split the scans in it"
        )
    if sigma is not None and np.any(sigma < 0):
        raise ValueError(f"sigma is negative at point {int(np.argmax(sigma < 0))}")
