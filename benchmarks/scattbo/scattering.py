"""Total scattering of a one-element cluster as ScattBO compares it: S(Q), F(Q), G(r).

A cluster's Debye sum is tabulated once (`analysis.physics.debye_table`, also the simulated
laboratory's); a pattern then costs a spline and, for G(r), one matrix product. Not modelled:
counting noise, background, correlated motion, any instrument but Q_max and Q_damp. The simulated
laboratory, `orchestrator.gold_twin`, adds the first two.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from instruments.simulated.gold_batch import B_ISO

Array = npt.NDArray[np.float64]

Q_STEP = 0.01
Q_GRID: Array = 2.0 + Q_STEP * np.arange(800)
"""Momentum transfer, 2 to 9.99 Å⁻¹, shape (800,)."""

Q_DAMP = 0.04
"""Damping of G(r) by the resolution in Q, Å⁻¹."""

R_MAX = 30.0

X_MAX = 45.1
"""Largest Q times length that is tabulated."""


def structure_function(table: CubicSpline, *, length: float) -> Array:
    """Return ``S(Q) - 1`` on `Q_GRID`, shape (800,).

    Every pair is damped by ``exp(-2 B (Q/4π)²)``: two atoms that move independently.

    Parameters
    ----------
    length : of the cluster, Å; `Q_GRID` times it must lie below `X_MAX`.
    """
    damping = np.exp(-2.0 * B_ISO * (Q_GRID / (4.0 * np.pi)) ** 2)
    return np.asarray(table(Q_GRID * length) * damping)


def reduced_pdf(s_minus_one: Array, *, r_step: float) -> Array:
    """Return the reduced pair distribution function G(r) on `r_grid`, Å⁻².

    ``G(r) = (2/π) Σ F(Q) sin(Q r) ΔQ · exp(-(Q_damp r)² / 2)`` with ``F = Q (S - 1)``
    (Johansen et al. 2024, doi:10.21105/joss.06024). No term for the density of the cluster.
    """
    kernel, damping = _sine_transform(r_step)
    return np.asarray((Q_GRID * s_minus_one) @ kernel * damping)


def r_grid(r_step: float) -> Array:
    """Return the distances of G(r), from 0 to below `R_MAX`, Å."""
    return r_step * np.arange(round(R_MAX / r_step))


@cache
def _sine_transform(r_step: float) -> tuple[Array, Array]:
    r = r_grid(r_step)
    kernel = (2.0 / np.pi) * Q_STEP * np.sin(np.outer(Q_GRID, r))
    return kernel, np.exp(-0.5 * (Q_DAMP * r) ** 2)


def rwp(target: Array, simulated: Array) -> float:
    """Return ``sqrt(Σ (target - simulated)² / Σ target²)``, without weights or a free scale."""
    return float(np.sqrt(((target - simulated) ** 2).sum() / (target**2).sum()))
