"""Measured curves on the grid of a comparison, with what their noise does there.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from analysis.errors import BadPattern
from analysis.pdf.aims.settings import CurveName
from analysis.pdf.aims.windows import Window, sine_kernel
from analysis.physics.scattering_factors import Probe, scattering_factor
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

SOURCES: dict[CurveName, tuple[str, ...]] = {
    "s_q": ("s_q", "f_q", "i_q"),
    "g_r": ("g_r", "s_q", "f_q"),
    "i_q": ("i_q",),
}
"""Curve → what it can be made from, the best first."""

LEAST_SHARE = 0.5
"""Share of a range below which nothing is said of its curve."""

WHOLE = 0.995
"""Share of a range that counts as all of it."""

_HALF = 0.5
"""Mean of a curve below which it is S(Q) − 1, whatever it is called."""

_WAVES = 1.5
"""Waves that make up noise of a G(r), per independent point."""

_NORMAL = 0.6745
"""Median of the size of a standard normal variable."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A measured curve on a grid.

    Attributes
    ----------
    x, y : (n,).
    noise : (n,) standard deviations of independent points; (n, m) matrix from m standard normal
        numbers to the noise of `y`; None if unknown.
    scatter : mean square of the measured points about `y`.
    peak : the highest measured point within the grid.
    source : what was measured.
    remarks : what a person should know of how it was read.
    """

    x: FloatArray
    y: FloatArray
    noise: FloatArray | None
    scatter: float
    peak: float
    source: str
    remarks: tuple[str, ...] = ()

    def repeats(self, count: int, *, rng: np.random.Generator) -> FloatArray | None:
        """Return `y` with its noise once more, (count, n); None if the noise is unknown."""
        if self.noise is None:
            return None
        if self.noise.ndim == 1:
            return np.asarray(self.y + self.noise * rng.normal(size=(count, self.y.size)))
        return np.asarray(self.y + rng.normal(size=(count, self.noise.shape[1])) @ self.noise.T)


def check_total_scattering(measurement: Measurement) -> None:
    """Raise BadPattern unless it is S(Q), F(Q), I(Q) or G(r) of technique ``pdf``."""
    m = measurement
    known = {"g_r": ("r", "Å"), "s_q": ("q", "1/Å"), "f_q": ("q", "1/Å"), "i_q": ("q", "1/Å")}
    if m.technique != "pdf" or known.get(m.y_name) != (m.x_name, m.x_unit):
        raise BadPattern(
            f"{m.id} is {m.y_name or 'nothing'} over {m.x_name} in {m.x_unit!r} by technique "
            f"{m.technique!r}; i_q, s_q or f_q over q in 1/Å or g_r over r in Å was expected"
        )


def sources_of(curve: CurveName, measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return the measurements that a curve can be made from, the best first."""
    return [m for name in SOURCES[curve] for m in measurements if m.y_name == name]


def is_over_q(measurement: Measurement, window: Window) -> bool:
    """Return whether a G(r) must be made from the measurement."""
    return measurement.x_name == "q" and window.curve == "g_r"


def overlap(measurement: Measurement, window: Window) -> tuple[float, float]:
    """Return the part of the window's range that a measurement covers; empty where they miss.

    For a G(r) that is made from a curve over Q it is the part of the range of Q.
    """
    low, high = _wanted(measurement, window)
    return max(low, float(measurement.x[0])), min(high, float(measurement.x[-1]))


def share(measurement: Measurement, window: Window) -> float:
    """Return the share of the window's range that a measurement covers, within a step of it."""
    first, last = _wanted(measurement, window)
    low, high = overlap(measurement, window)
    step = float(np.median(np.diff(measurement.x)))
    missing = max(low - first - step, 0.0) + max(last - high - step, 0.0)
    return float(np.clip(1 - missing / (last - first), 0.0, 1.0))


def _wanted(measurement: Measurement, window: Window) -> tuple[float, float]:
    if is_over_q(measurement, window):
        return window.q_range
    return float(window.x[0]), float(window.x[-1])


def show(measurement: Measurement, window: Window, *, element: str | None, probe: Probe) -> Shown:
    """Return a measurement on a window's grid; beyond its ends it stays as there.

    S(Q) is taken to S(Q) − 1, unless it lies around zero already. Over Q points within a step are
    averaged. The noise is the measurement's sigma, or where it has none the scatter of third
    differences; that of a G(r) cannot be told from the curve, whose points are not independent.

    Raises
    ------
    BadPattern
        An I(Q) must be divided by the form factor of an unknown element.
    """
    if window.curve == "g_r" and measurement.y_name == "g_r":
        return _g_r(measurement, window)
    q, y, sigma, remarks = _in_q(measurement, window, element=element, probe=probe)
    if window.curve == "g_r":
        inside = (q >= window.q_range[0] - 1e-9) & (q <= window.q_range[1] + 1e-9)
        kernel = sine_kernel(q[inside], window.x)
        made = y[inside] @ kernel
        noise = kernel.T * sigma[inside]
        top = float(made.max())
        return Shown(window.x, made, noise, 0.0, top, measurement.y_name, remarks)
    return _averaged(q, y, sigma, window, source=measurement.y_name, remarks=remarks)


def roughness(y: FloatArray) -> float:
    """Return the standard deviation of independent noise on a smooth, evenly sampled curve."""
    if y.size < 8:
        return 0.0
    return float(np.median(np.abs(np.diff(y, 3))) / _NORMAL / np.sqrt(20.0))


def _in_q(
    m: Measurement, window: Window, *, element: str | None, probe: Probe
) -> tuple[FloatArray, FloatArray, FloatArray, tuple[str, ...]]:
    """Return q, S(Q) − 1 or I(Q), its sigma, (n,), and remarks."""
    kept = m.x > 0
    q, y = m.x[kept], m.y[kept]
    sigma = np.full_like(y, roughness(y)) if m.sigma is None else m.sigma[kept]
    if window.curve == "i_q":
        return q, y, sigma, ()
    if m.y_name == "f_q":
        return q, y / q, sigma / q, ()
    if m.y_name == "i_q":
        if element is None:
            raise BadPattern(
                f"{m.id} is an intensity, which needs a form factor; say element in the settings"
            )
        f = scattering_factor(element, q, probe=probe)
        return q, y / f**2 - 1, sigma / f**2, ()
    if float(y.mean()) < _HALF:
        return q, y, sigma, (f"{m.id} lies around zero and was taken for S(Q) − 1",)
    return q, y - 1, sigma, ()


def _averaged(
    q: FloatArray,
    y: FloatArray,
    sigma: FloatArray,
    window: Window,
    *,
    source: str,
    remarks: tuple[str, ...],
) -> Shown:
    x = window.x
    step = float(x[1] - x[0])
    cell = np.round((q - x[0]) / step).astype(np.intp)
    inside = (cell >= 0) & (cell < x.size)
    cell, values, variances = cell[inside], y[inside], sigma[inside] ** 2
    count = np.bincount(cell, minlength=x.size)
    filled = count > 0
    some = np.maximum(count, 1)
    mean = np.bincount(cell, weights=values, minlength=x.size) / some
    middle = np.bincount(cell, weights=q[inside], minlength=x.size) / some
    variance = np.bincount(cell, weights=variances, minlength=x.size) / some**2
    shown = np.interp(x, middle[filled], mean[filled])
    scatter = float(np.mean((values - np.interp(q[inside], x, shown)) ** 2))
    noise = np.sqrt(variance[filled])
    if not filled.all():
        noise = _interpolation(x, middle[filled]) * noise
    return Shown(x, shown, noise, scatter, float(values.max()), source, remarks)


def _interpolation(x: FloatArray, nodes: FloatArray) -> FloatArray:
    """Return the (n, n_nodes) matrix of linear interpolation; beyond the ends, the ends."""
    above = np.clip(np.searchsorted(nodes, x), 1, nodes.size - 1)
    part = np.clip((x - nodes[above - 1]) / (nodes[above] - nodes[above - 1]), 0.0, 1.0)
    matrix = np.zeros((x.size, nodes.size))
    rows = np.arange(x.size)
    matrix[rows, above - 1], matrix[rows, above] = 1 - part, part
    return matrix


def _g_r(m: Measurement, window: Window) -> Shown:
    r = window.x
    y = np.asarray(CubicSpline(m.x, m.y)(np.clip(r, m.x[0], m.x[-1])))
    inside = (m.x >= r[0] - 1e-9) & (m.x <= r[-1] + 1e-9)
    noise = None if m.sigma is None else _band_limited(np.interp(r, m.x, m.sigma), window)
    return Shown(r, y, noise, 0.0, float(m.y[inside].max()), "g_r")


def _band_limited(sigma: FloatArray, window: Window) -> FloatArray:
    """Return the matrix to noise of that sigma, (n, m), whose Q reach to Q_max alike.

    Two points are correlated by sinc(Q_max Δr), as white noise of F(Q) leaves them.
    """
    r, q_max = window.x, window.q_range[1]
    count = int(np.ceil(_WAVES * q_max * float(r[-1]) / np.pi))
    phase = np.outer(r, q_max * (np.arange(count) + 0.5) / count)
    waves = np.concatenate([np.cos(phase), np.sin(phase)], axis=1) / np.sqrt(count)
    return np.asarray(sigma[:, None] * waves)
