"""From counts to I(Q), S(Q), F(Q) and G(r), as a total-scattering instrument reduces them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """What a curve is drawn over.

    Attributes
    ----------
    q : (n_q,) momentum transfer [1/Å], in even steps.
    r : (n_r,) distances [Å] of a G(r).
    q_damp : damping of a G(r) [1/Å].
    """

    q: FloatArray
    r: FloatArray
    q_damp: float


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One curve.

    Attributes
    ----------
    x, y : (n,) axis and values.
    sigma : (n,) standard deviation, None where nothing was counted.
    x_name, x_unit, y_unit : what they are.
    """

    x: FloatArray
    y: FloatArray
    sigma: FloatArray | None
    x_name: str
    x_unit: str
    y_unit: str


def even(low: float, high: float, step: float) -> FloatArray:
    """Return `low` and its steps up to below `high`."""
    return low + step * np.arange(round((high - low) / step), dtype=np.float64)


def shown(
    name: str,
    s_minus_one: FloatArray,
    sigma: FloatArray | None,
    *,
    axes: Axes,
    squared_form_factor: FloatArray,
) -> Shown:
    """Return the curve called `name`, absolute.

    S(Q); F(Q) = Q (S − 1) [1/Å]; I(Q) = f² S per atom [electrons²]; and
    G(r) = (2/π) Σ F(Q) sin(Qr) ΔQ exp(−(Q_damp r)²/2) [1/Å²] (Johansen et al. 2024,
    doi:10.21105/joss.06024), whose std follows from independent errors of F(Q).

    Parameters
    ----------
    s_minus_one, sigma : (n_q,) S(Q) − 1 and its standard deviation, None where nothing was counted.
    squared_form_factor : (n_q,) f² [electrons²].
    """
    q = axes.q
    if name == "g_r":
        kernel = (2.0 / np.pi) * (q[1] - q[0]) * np.sin(np.outer(q, axes.r))
        kernel *= np.exp(-0.5 * (axes.q_damp * axes.r) ** 2)
        g_r = (q * s_minus_one) @ kernel
        std = None if sigma is None else np.sqrt((q * sigma) ** 2 @ kernel**2)
        return Shown(axes.r, g_r, std, "r", "Å", "1/Å²")
    factor, offset, unit = {
        "s_q": (np.ones_like(q), 1.0, ""),
        "f_q": (q, 0.0, "1/Å"),
        "i_q": (squared_form_factor, 1.0, "electrons²"),
    }[name]
    std = None if sigma is None else factor * sigma
    return Shown(q, factor * (s_minus_one + offset), std, "q", "1/Å", unit)


def to_highest_peak(name: str, curve: Shown) -> Shown | None:
    """Return a curve whose highest peak is one, of S(Q) S − 1; None where nothing rises above zero.

    This is how ScattBO compares curves. The std leaves out how uncertain the peak itself is.
    """
    y = curve.y - 1.0 if name == "s_q" else curve.y
    peak = float(y.max())
    if peak <= 0:
        return None
    sigma = None if curve.sigma is None else curve.sigma / peak
    return Shown(curve.x, y / peak, sigma, curve.x_name, curve.x_unit, "")
