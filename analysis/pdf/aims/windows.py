"""Where two curves are compared: an even grid, and how S(Q) − 1 looks on it.

Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.aims.settings import CurveName
from analysis.pdf.transform import QRange, even_grid
from analysis.physics.scattering_factors import Probe, scattering_factor

FloatArray = NDArray[np.float64]

Q_STEP = 0.01
"""Step in Q [1/Å]: a mean over it loses 0.7 % of a pair at 40 Å."""

R_STEP = 0.05
"""Step in r [Å]: a sixth of π/Q_max at 10 1/Å."""

_LEAST_STEPS = 6
"""Steps in r per π/Q_max, at least."""

_LARGEST = 40.0
"""Extent of particles [Å] that G(r) is made for."""

_LEAST_Q = 1e-3
"""Q [1/Å] that stands for zero, where Debye's equation divides by it."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The grid of one curve.

    S(Q) is compared as S(Q) − 1, I(Q) per atom.

    Attributes
    ----------
    curve : which.
    x : (n,) the grid [1/Å or Å].
    q : (n_q,) momentum transfer [1/Å] at which S(Q) − 1 is needed.
    to_curve : (n_q, n) matrix from S(Q) − 1 to G(r), or (n_q,) factors.
    constant : (n,) what is added: I(Q) of an atom alone.
    q_range : that a G(r) is made from.
    q_damp : by which it fades [1/Å].
    """

    curve: CurveName
    x: FloatArray
    q: FloatArray
    to_curve: FloatArray
    constant: FloatArray
    q_range: tuple[float, float]
    q_damp: float

    def show(self, s_minus_one: FloatArray) -> FloatArray:
        """Return the curve, (..., n), that S(Q) − 1, (..., n_q), gives."""
        if self.to_curve.ndim == 1:
            return np.asarray(s_minus_one * self.to_curve + self.constant)
        return np.asarray(s_minus_one @ self.to_curve)


def s_q_window(q_range: tuple[float, float]) -> Window:
    """Return the grid of S(Q) − 1 over a range [1/Å]."""
    q = _grid(q_range, Q_STEP)
    return Window("s_q", q, q, np.ones_like(q), np.zeros_like(q), q_range, 0.0)


def i_q_window(q_range: tuple[float, float], *, element: str | None, probe: Probe) -> Window:
    """Return the grid of I(Q) = f² S(Q) over a range [1/Å]; without an element f is one."""
    q = _grid(q_range, Q_STEP)
    f = np.ones_like(q) if element is None else scattering_factor(element, q, probe=probe)
    return Window("i_q", q, q, f**2, f**2, q_range, 0.0)


def g_r_window(
    r_range: tuple[float, float], *, q_range: tuple[float, float], q_damp: float
) -> Window:
    """Return the grid of G(r) = (2/π) ∫ Q (S − 1) sin(Qr) dQ · exp(−(Q_damp r)²/2).

    References
    ----------
    Farrow & Billinge (2009), doi:10.1107/S0108767309009714, eq. 41.

    Parameters
    ----------
    r_range : [Å].
    q_range : of the integral [1/Å].
    q_damp : of the instrument [1/Å].
    """
    r = _grid(r_range, min(R_STEP, np.pi / q_range[1] / _LEAST_STEPS))
    span = QRange(*q_range)
    q = np.maximum(even_grid(span, r_max=r_range[1], extent=_LARGEST), _LEAST_Q)
    kernel = sine_kernel(q, r) * np.exp(-0.5 * (q_damp * r) ** 2)
    return Window("g_r", r, q, kernel, np.zeros_like(r), q_range, q_damp)


def sine_kernel(q: FloatArray, r: FloatArray) -> FloatArray:
    """Return the (n_q, n_r) matrix from S(Q) − 1 on any rising grid to G(r), by trapezoids."""
    width = np.gradient(q)
    width[[0, -1]] /= 2
    return np.asarray((2 / np.pi) * (width * q)[:, None] * np.sin(np.outer(q, r)))


def _grid(ends: tuple[float, float], step: float) -> FloatArray:
    n = max(round((ends[1] - ends[0]) / step), 1) + 1
    return np.maximum(np.linspace(ends[0], ends[1], n), _LEAST_Q)
