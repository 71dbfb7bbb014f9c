"""Which structure of a library explains a curve: a scan over all, then least squares of the best.

The scan compares in Q, where a change of the bond is a change of the axis alone; a G(r) is taken
there by its sine transform. The fit compares with the curve as it was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares

from analysis.pdf.curves import Reading
from analysis.pdf.library import Entry

FloatArray = NDArray[np.float64]

BOND_STEP = 0.006
"""Relative step of the scan over the bond: a third of a ripple of 35 Å at 10 Å⁻¹."""

TYPICAL_B = 0.5
"""Displacement parameter [Å²] of the scan; the fit refines it."""

FILE_RANGE = 0.03
"""Relative change of the distances that a file states."""

_X_STEP = 0.02
_X_BLOCK = 500
_ORDERS = 4
_KEPT = 300
"""Structures whose sums are kept for the next curve: 40 MB of them."""
_FIT_RANGE = 0.03
_B_RANGE = (0.02, 4.0)
_CORRELATED = 0.6
"""Largest δ₂ in units of the bond squared: beyond, neighbours would stop to move at all."""
_MOST_STEPS = 20
_LEAST_RELATIVE = 1e-4
"""Calibration of Q: no bond is known better, as a share of it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry as the scan leaves it: its best bond [Å] and R_w there."""

    entry: Entry
    bond: float
    rw: float


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A structure fitted to a curve.

    Attributes
    ----------
    bond, bond_std : shortest distance and its standard deviation [Å].
    b_iso : displacement parameter B [Å²].
    delta2 : of correlated motion [Å²].
    scale : factor of the curve.
    rw : √(Σ(y − f)²/Σy²), y without a constant that is fitted along in S(Q) and I(Q).
    calculated : (n,) the fitted curve.
    """

    entry: Entry
    bond: float
    bond_std: float
    b_iso: float
    delta2: float
    scale: float
    rw: float
    calculated: FloatArray


class Scanner:
    """A library's Debye sums as functions of Q · bond, tabulated once.

    Parameters
    ----------
    entries : the library.
    bond_range : lowest and highest bond [Å] of what states none itself.
    q_max : largest Q that will be scanned [1/Å].
    """

    def __init__(
        self, entries: Sequence[Entry], *, bond_range: tuple[float, float], q_max: float
    ) -> None:
        self.entries, self.bond_range = tuple(entries), bond_range
        longest = max([bond_range[1], *(e.bond * (1 + FILE_RANGE) for e in entries if e.bond)])
        shortest = min([bond_range[0], *(e.bond * (1 - FILE_RANGE) for e in entries if e.bond)])
        n_bonds = int(np.ceil(np.log(longest / shortest) / BOND_STEP)) + 1
        self.bonds = np.geomspace(shortest, longest, n_bonds)
        nodes = np.arange(1, int(q_max * longest / _X_STEP) + 3, dtype=np.float64)
        self.x = _X_STEP * nodes
        self._table = np.concatenate([debye(e, self.x) for e in entries]).astype(np.float32)
        self._allowed = np.stack([self._bonds_of(e) for e in entries])

    def _bonds_of(self, entry: Entry) -> NDArray[np.bool_]:
        if entry.bond is None:
            low, high = self.bond_range
        else:
            low, high = entry.bond * (1 - FILE_RANGE), entry.bond * (1 + FILE_RANGE)
        off = np.abs(np.log(self.bonds / np.sqrt(low * high)))
        return np.asarray((off <= np.log(high / low) / 2) | (off == off.min()))

    def scan(self, reading: Reading) -> list[Candidate]:
        """Return every entry at its best bond, the best entry first."""
        y, weight = reading.scan_y, reading.scan_weight
        y = _without_constant(y * weight, reading.scan_constant)
        y = y / np.linalg.norm(y)
        damping = np.exp(-2 * TYPICAL_B * (reading.scan_q / (4 * np.pi)) ** 2)
        score = np.empty((len(self.entries), len(self.bonds)))
        for column, bond in enumerate(self.bonds):
            place = reading.scan_q * bond / _X_STEP - 1
            below = np.clip(place.astype(np.intp), 0, len(self.x) - 2)
            part = (place - below).astype(np.float32)
            curve = self._table[:, below] * (1 - part) + self._table[:, below + 1] * part
            curve = _without_constant(curve * (damping * weight), reading.scan_constant)
            score[:, column] = curve @ y / np.linalg.norm(curve, axis=1)
        score[~self._allowed] = -1.0
        best = score.argmax(axis=1)
        top = np.clip(score[np.arange(len(best)), best], 0.0, 1.0)
        found = [
            Candidate(e, float(self.bonds[b]), float(np.sqrt(1 - t**2)))
            for e, b, t in zip(self.entries, best, top, strict=True)
        ]
        return sorted(found, key=lambda c: c.rw)


def chosen(candidates: Sequence[Candidate], *, best: int, each: int) -> list[Candidate]:
    """Return the best candidates, and the best of each kind besides, in their order."""
    seen: dict[str, int] = {}
    kept = []
    for rank, candidate in enumerate(candidates):
        kind = candidate.entry.kind
        if rank < best or seen.get(kind, 0) < each:
            kept.append(candidate)
        seen[kind] = seen.get(kind, 0) + 1
    return kept


def debye(entry: Entry, x: FloatArray, *, orders: int = 1) -> FloatArray:
    """Return Σ weight · sin(x d)/(x d) / d^(2k) for k below `orders`, (orders, n_x) (Debye 1915).

    Parameters
    ----------
    x : (n_x,) Q times the bond.
    orders : powers of 1/d² by which correlated motion enters.
    """
    powers = entry.distance[:, None] ** (-2.0 * np.arange(orders) - 1)
    weight = entry.weight[:, None] * powers
    parts = [
        np.sin(np.outer(x[i : i + 256], entry.distance)) @ weight for i in range(0, len(x), 256)
    ]
    return np.asarray(np.concatenate(parts).T / x)


@lru_cache(maxsize=_KEPT)
def _debye_to(entry: Entry, blocks: int) -> FloatArray:
    """Return `debye` at every step up to a number of blocks, (orders, n_x); kept once made."""
    steps = np.arange(1, blocks * _X_BLOCK + 1, dtype=np.float64)
    return debye(entry, _X_STEP * steps, orders=_ORDERS)


class EntryCurve:
    """S(Q) − 1 of one entry near a bond, as a smooth function of bond, B and δ₂.

    Parameters
    ----------
    q : (n_q,) [1/Å].
    bonds : lowest and highest bond [Å].
    """

    def __init__(self, entry: Entry, q: FloatArray, *, bonds: tuple[float, float]) -> None:
        first = max(int(q[0] * bonds[0] / _X_STEP) - 3, 1)
        last = int(q[-1] * bonds[1] / _X_STEP) + 3
        blocks = -(-last // _X_BLOCK)
        sums = _debye_to(entry, blocks)[:, first - 1 : last]
        x = _X_STEP * np.arange(first, last + 1)
        self._q = q
        self._tables = [CubicSpline(x, row) for row in sums]

    def __call__(self, bond: float, b_iso: float, delta2: float) -> FloatArray:
        """Return S(Q) − 1, (n_q,): exp(−½Q²σ²) with σ² = 2U(1 − δ₂/r²), U = B/8π²."""
        loss = 2 * b_iso * (self._q / (4 * np.pi)) ** 2
        factor, gain = np.exp(-loss), loss * delta2 / bond**2
        x = self._q * bond
        total = np.zeros_like(self._q)
        for k, table in enumerate(self._tables):
            total += factor * table(x)
            factor = factor * gain / (k + 1)
            if delta2 == 0.0:
                break
        return total


def fit(candidate: Candidate, reading: Reading) -> Match:
    """Return the candidate with bond, B, δ₂ and scale by least squares."""
    near = candidate.bond * (1 - _FIT_RANGE), candidate.bond * (1 + _FIT_RANGE)
    curve = EntryCurve(candidate.entry, reading.model_q, bonds=near)
    low = np.array([near[0], _B_RANGE[0], 0.0])
    high = np.array([near[1], _B_RANGE[1], _CORRELATED * near[0] ** 2])
    y = _without_constant(reading.y * reading.weight, reading.constant)

    def shape(vector: FloatArray) -> FloatArray:
        return _without_constant(reading.show(curve(*vector)) * reading.weight, reading.constant)

    def residuals(vector: FloatArray) -> FloatArray:
        f = shape(vector)
        return np.asarray(y - max(float(f @ y / (f @ f)), 0.0) * f)

    start = np.clip([candidate.bond, TYPICAL_B, 0.1], low + 1e-9, high - 1e-9)
    result = least_squares(
        residuals,
        start,
        bounds=(low, high),
        x_scale=[0.01, 0.3, 1.0],
        xtol=1e-6,
        ftol=1e-4,
        max_nfev=_MOST_STEPS,
    )
    f = shape(result.x)
    scale = max(float(f @ y / (f @ f)), 0.0)
    rw = float(np.linalg.norm(result.fun) / np.linalg.norm(y))
    return Match(
        entry=candidate.entry,
        bond=float(result.x[0]),
        bond_std=_bond_std(result.jac, result.fun, reading, bond=float(result.x[0])),
        b_iso=float(result.x[1]),
        delta2=float(result.x[2]),
        scale=scale,
        rw=rw,
        calculated=reading.y - result.fun / reading.weight,
    )


def _bond_std(
    jacobian: FloatArray, residuals: FloatArray, reading: Reading, *, bond: float
) -> float:
    """Return the bond's std: residuals as noise, of which `n_independent` points tell apart.

    At least a ten-thousandth of the bond, what a calibration of Q is good for.
    """
    norm = np.linalg.norm(jacobian, axis=0)
    norm[norm == 0] = 1.0
    inverse = np.linalg.pinv((jacobian / norm).T @ (jacobian / norm)) / np.outer(norm, norm)
    freedom = max(reading.n_independent - jacobian.shape[1] - 1, 1.0)
    variance = float(residuals @ residuals) / freedom * inverse[0, 0]
    return float(np.hypot(np.sqrt(max(variance, 0.0)), _LEAST_RELATIVE * bond))


def _without_constant(y: FloatArray, constant: FloatArray | None) -> FloatArray:
    """Return y, (…, n), without its part along a constant's (n,) unit vector."""
    if constant is None:
        return y
    return np.asarray(y - (y @ constant)[..., None] * constant)
