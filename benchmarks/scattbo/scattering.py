"""Total scattering of a one-element cluster: pair distances, Debye sum, S(Q), F(Q), G(r).

A cluster that only grows or shrinks keeps its pair distances but for one factor, so the Debye sum
is a function of ``x = Q · scale`` alone. It is tabulated once a cluster; a pattern then costs a
spline and, for G(r), one matrix product. Not modelled: counting noise, background, correlated
motion, any instrument but Q_max and Q_damp.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.spatial.distance import cdist, pdist

Array = npt.NDArray[np.float64]

Q_STEP = 0.01
Q_GRID: Array = 2.0 + Q_STEP * np.arange(800)
"""Momentum transfer, 2 to 9.99 Å⁻¹, shape (800,)."""

B_ISO = 0.3
"""Isotropic displacement parameter, Å²."""

Q_DAMP = 0.04
"""Damping of G(r) by the resolution in Q, Å⁻¹."""

R_MAX = 30.0

BIN = 5e-4
"""Pairs whose distances agree to this share one term at their mean distance. The sum then errs by
at most ``(x · BIN)² / 24`` of each term: 2e-5 at the largest x."""

X_RANGE = (4.9, 45.1)
X_STEP = 0.01
"""Nodes of the table, closer than a twentieth of the fastest oscillation of the largest cluster."""

BLOCK = 512
NODES = 64


@dataclass(frozen=True, slots=True)
class PairDistances:
    """The distinct pair distances of a cluster.

    Attributes
    ----------
    distance : in units of the cluster's length, ascending, shape (n_distances,).
    count : pairs i < j at each, shape (n_distances,).
    n_atoms : in the cluster.
    """

    distance: Array
    count: Array
    n_atoms: int


def pair_distances(positions: Array) -> PairDistances:
    """Return the distances within a cluster, those closer than `BIN` joined.

    Parameters
    ----------
    positions : shape (n_atoms, 3), in any unit of length.
    """
    extent = float(np.linalg.norm(np.ptp(positions, axis=0)))
    n_bins = int(extent / BIN) + 2
    count, total = np.zeros(n_bins), np.zeros(n_bins)
    for start in range(0, len(positions), BLOCK):
        block, rest = positions[start : start + BLOCK], positions[start + BLOCK :]
        for found in (pdist(block), cdist(block, rest).ravel()):
            which = (found / BIN).astype(np.intp)
            count += np.bincount(which, minlength=n_bins)
            total += np.bincount(which, weights=found, minlength=n_bins)
    filled = count > 0
    return PairDistances(total[filled] / count[filled], count[filled], len(positions))


def debye_sum(pairs: PairDistances, x: Array) -> Array:
    """Return ``(2/N) Σ_{i<j} sin(x d_ij) / (x d_ij)``, shape of `x` (Debye 1915).

    Parameters
    ----------
    x : momentum transfer times the cluster's length, dimensionless, shape (n_x,).

    Notes
    -----
    Debye, P. (1915), Ann. Phys. 351, 809, doi:10.1002/andp.19153510606.
    """
    weights = 2.0 / pairs.n_atoms * pairs.count / pairs.distance
    parts = [
        np.sin(np.outer(x[i : i + NODES], pairs.distance)) @ weights
        for i in range(0, len(x), NODES)
    ]
    return np.asarray(np.concatenate(parts) / x)


def direct_debye_sum(positions: Array, x: Array) -> Array:
    """Return the same sum pair by pair, without bins or tables: the check of the fast way."""
    d = pdist(positions)
    return np.array([2.0 / len(positions) * float((np.sin(v * d) / (v * d)).sum()) for v in x])


def tabulate(pairs: PairDistances) -> CubicSpline:
    """Return the Debye sum as a function of x within `X_RANGE`."""
    nodes = np.arange(X_RANGE[0], X_RANGE[1] + X_STEP, X_STEP)
    return CubicSpline(nodes, debye_sum(pairs, nodes))


def structure_function(table: CubicSpline, *, length: float) -> Array:
    """Return ``S(Q) - 1`` on `Q_GRID`, shape (800,).

    Every pair is damped by ``exp(-2 B (Q/4π)²)``: two atoms that move independently.

    Parameters
    ----------
    length : of the cluster, Å; `Q_GRID` times it must lie within `X_RANGE`.
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
