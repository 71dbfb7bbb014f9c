"""Least squares of bond, displacements and scale of one shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares

from analysis.pdf.curves import Reading
from analysis.pdf.library import Entry
from analysis.pdf.matching import debye
from analysis.pdf.structure.sites import BoolArray, Sites
from analysis.pdf.structure.sums import Thermal, without_constant

FloatArray = NDArray[np.float64]

_NEAR = 0.03
"""Relative distance from the first bond that is fitted."""
_B_RANGE = (0.02, 4.0)
_CORRELATED = 0.6
"""Largest δ₂ in units of the bond squared: beyond, neighbours would stop to move at all."""
_ORDERS = 9
"""Terms of exp(½Q²σ² δ₂/r²), which reaches the fourth power of e at 25 1/Å."""
_X_STEP = 0.03
_MOST_STEPS = 25
_LEAST_RELATIVE = 1e-5
"""Shells of sites are rounded: no bond is known better, as a share of it."""

_MEMORY = 0.09
"""Share of the range beyond which misfits no longer depend on each other: 2.5 Å of 30. Of 0.3 to
4 Å it is among those that tell simulated noise and slow errors most alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A shape fitted to a curve.

    Attributes
    ----------
    thermal : bond, B and δ₂.
    bond_std : [Å], were the shape and the calibration of Q right.
    scale : factor of the curve.
    rw : √(Σ(y − f)²/Σy²), y without a constant that is fitted along in S(Q) and I(Q).
    calculated : (n,) the fitted curve.
    """

    thermal: Thermal
    bond_std: float
    scale: float
    rw: float
    calculated: FloatArray

    @property
    def bond(self) -> float:
        """Shortest distance [Å]."""
        return self.thermal.bond


class ShapeCurve:
    """S(Q) − 1 of a shape near a bond, as a smooth function of bond, B and δ₂.

    Parameters
    ----------
    q : (n_q,) [1/Å].
    bonds : lowest and highest bond [Å].
    """

    def __init__(self, entry: Entry, q: FloatArray, *, bonds: tuple[float, float]) -> None:
        x = np.arange(q[0] * bonds[0] - 3 * _X_STEP, q[-1] * bonds[1] + 3 * _X_STEP, _X_STEP)
        x = x[x > 0]
        self._q = q
        self._table = CubicSpline(x, debye(entry, x, orders=_ORDERS).T)

    def __call__(self, bond: float, b_iso: float, delta2: float) -> FloatArray:
        """Return S(Q) − 1, (n_q,): exp(−½Q²σ²) with σ² = 2U(1 − δ₂/r²), U = B/8π²."""
        loss = 2 * b_iso * (self._q / (4 * np.pi)) ** 2
        gain = loss * delta2 / bond**2
        factor = np.exp(-loss)
        powers = np.empty((_ORDERS, len(self._q)))
        for k in range(_ORDERS):
            powers[k] = factor
            factor = factor * gain / (k + 1)
        return np.asarray(np.einsum("qk,kq->q", self._table(self._q * bond), powers))


def fit_shape(sites: Sites, mask: BoolArray, bond: float, reading: Reading) -> Fit:
    """Return the fit of the atoms on some sites (n_sites,), from a bond [Å] to begin with."""
    near = bond * (1 - _NEAR), bond * (1 + _NEAR)
    curve = ShapeCurve(_entry(sites, mask), reading.model_q, bonds=near)
    low = np.array([near[0], _B_RANGE[0], 0.0])
    high = np.array([near[1], _B_RANGE[1], _CORRELATED * near[0] ** 2])
    y = without_constant(reading.y * reading.weight, reading.constant)

    def shape(vector: FloatArray) -> FloatArray:
        return without_constant(reading.show(curve(*vector)) * reading.weight, reading.constant)

    def residuals(vector: FloatArray) -> FloatArray:
        f = shape(vector)
        return np.asarray(y - _scale(f, y) * f)

    result = least_squares(
        residuals,
        np.array([bond, 0.5, 0.5]),
        bounds=(low, high),
        x_scale=[0.01, 0.3, 1.0],
        xtol=1e-6,
        ftol=1e-4,
        max_nfev=_MOST_STEPS,
    )
    found = Thermal(*map(float, result.x))
    return Fit(
        found,
        _bond_std(result.jac, result.fun, bond=found.bond),
        _scale(shape(result.x), y),
        float(np.linalg.norm(result.fun) / np.linalg.norm(y)),
        reading.y - result.fun / reading.weight,
    )


def _entry(sites: Sites, mask: BoolArray) -> Entry:
    counts = sites.pair_counts(mask)
    used, n_atoms = counts > 0, int(mask.sum())
    return Entry(
        f"{sites.lattice} {n_atoms}",
        sites.lattice,
        sites.lattice,
        n_atoms,
        sites.distance[used],
        2 * counts[used] / n_atoms,
    )


def _scale(f: FloatArray, y: FloatArray) -> float:
    return max(float(f @ y / (f @ f)), 0.0)


def _bond_std(jacobian: FloatArray, residuals: FloatArray, *, bond: float) -> float:
    """Return the bond's std: the spread of a sum of what every misfit adds to the bond.

    Neighbouring misfits err together, and a slow error of F(Q) that widens a peak pulls on both its
    sides: what they add is summed with lags up to `_MEMORY` of the range, fading out linearly
    (Newey & West 1987, doi:10.2307/1913610).

    Parameters
    ----------
    jacobian, residuals : (n, 3), the bond first, and (n,).
    """
    norm = np.linalg.norm(jacobian, axis=0)
    norm[norm == 0] = 1.0
    pull = np.linalg.pinv(jacobian / norm)[0] / norm[0] * residuals
    covariance = np.correlate(pull, pull, "full")[len(pull) - 1 :]
    faded = np.clip(1 - np.arange(len(pull)) / max(_MEMORY * len(pull), 1.0), 0.0, None)
    variance = float(2 * covariance @ faded - covariance[0])
    return float(np.hypot(np.sqrt(max(variance, 0.0)), _LEAST_RELATIVE * bond))
