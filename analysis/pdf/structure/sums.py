"""R_w of any number of shapes on one set of sites, by linear algebra over their pair counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.curves import Reading

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Thermal:
    """What a curve depends on besides the shape.

    Attributes
    ----------
    bond : shortest distance [Å].
    b_iso : displacement parameter B [Å²].
    delta2 : of correlated motion [Å²].
    """

    bond: float
    b_iso: float = 0.5
    delta2: float = 0.0


class PairSums:
    """The curve of a shape is Σ count · curve of a shell; R_w then needs their products alone.

    Parameters
    ----------
    rows : (n_shells, n) the curve of one pair at each distance.
    y : (n,) what was observed.
    """

    def __init__(self, rows: FloatArray, y: FloatArray) -> None:
        self.rows = rows
        self._along = rows @ y
        self._gram = rows @ rows.T
        self._total = float(y @ y)

    def rw(self, counts: FloatArray) -> FloatArray:
        """Return R_w of each row of pair counts (n, n_shells) at its best scale, never negative."""
        along = np.maximum(counts @ self._along, 0.0)
        size = np.einsum("ns,ns->n", counts @ self._gram, counts)
        explained = along**2 / np.maximum(size, 1e-300) / self._total
        return np.asarray(np.sqrt(np.clip(1 - explained, 0.0, 1.0)))


def fitted_sums(distance: FloatArray, reading: Reading, thermal: Thermal) -> PairSums:
    """Return the sums with the curve as it is fitted."""
    curves = _shell_curves(distance, reading.model_q, thermal)
    if reading.to_curve.ndim == 1:
        rows = curves * reading.to_curve
    else:
        rows = (curves @ reading.to_curve) * reading.fade
    y = without_constant(reading.y * reading.weight, reading.constant)
    return PairSums(without_constant(rows * reading.weight, reading.constant), y)


def scanned_sums(distance: FloatArray, reading: Reading, thermal: Thermal) -> PairSums:
    """Return the sums with the curve in Q that scans compare with; coarser, and faster."""
    rows = _shell_curves(distance, reading.scan_q, thermal) * reading.scan_weight
    y = without_constant(reading.scan_y * reading.scan_weight, reading.scan_constant)
    return PairSums(without_constant(rows, reading.scan_constant), y)


def _shell_curves(distance: FloatArray, q: FloatArray, thermal: Thermal) -> FloatArray:
    """Return sin(Qr)/(Qr) exp(−Q²U(1 − δ₂/r²)) of each distance [bonds], (n_shells, n_q)."""
    r = thermal.bond * distance[:, None]
    mean_square = thermal.b_iso / (8 * np.pi**2)
    variance = np.maximum(mean_square * (1 - thermal.delta2 / r**2), 0.0)
    x = q * r
    return np.asarray(np.sin(x) / x * np.exp(-variance * q**2))


def without_constant(y: FloatArray, constant: FloatArray | None) -> FloatArray:
    """Return y, (…, n), without its part along a constant's (n,) unit vector."""
    if constant is None:
        return y
    return np.asarray(y - (y @ constant)[..., None] * constant)
