"""Least squares of a known crystal to a G(r).

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import toeplitz
from scipy.optimize import OptimizeResult, least_squares

from analysis.pdf.forward import CrystalParameters, CrystalPDF, parameters_of
from analysis.pdf.preprocess import FitRange
from analysis.pdf.transform import QRange
from analysis.physics.cell import CELL_NAMES, expand_cell, free_cell_parameters
from analysis.physics.crystal import Crystal
from analysis.physics.scattering_factors import Probe

FloatArray = NDArray[np.float64]

ZOOMS = (-0.018, -0.012, -0.006, 0.0, 0.006, 0.012, 0.018)
"""Strains of the cell from which the fit may start; the best of them does."""

DIAMETERS = (15.0, 30.0, 60.0, 120.0)
"""Diameters [Å] of grains from which the fit may start."""

CELL_RANGE = 0.035
"""Relative change of a cell length or angle that a fit may reach."""

MEMORY = 1.5
"""Distance [Å] beyond which residuals are taken for independent: six ripples of Q_max = 25 Å⁻¹."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A free number of a fit, ``name`` of ``what`` (an element or nothing), with its bounds."""

    name: str
    what: str
    start: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A refined crystal.

    Attributes
    ----------
    slots : what was free.
    values : (n_slots,) where it ended.
    covariance : (n_slots, n_slots) from the residuals as they are, correlated (see `covariance`).
    data : what was fitted.
    calculated : (n,) G(r) of the fit [1/Å²].
    converged : whether the search ended by itself.
    """

    slots: tuple[Slot, ...]
    values: FloatArray
    covariance: FloatArray
    data: FitRange
    calculated: FloatArray
    converged: bool

    @property
    def rw(self) -> float:
        """Return R_w = √(Σ(y − f)²/Σy²)."""
        y = self.data.g_r
        return float(np.linalg.norm(y - self.calculated) / np.linalg.norm(y))

    def at_limit(self) -> list[Slot]:
        """Return what stands at a bound of its range."""
        return [
            slot
            for slot, value in zip(self.slots, self.values, strict=True)
            if min(value - slot.low, slot.high - value) < 1e-3 * (slot.high - slot.low)
        ]


def free_numbers(crystal: Crystal, *, q_damp: float | None, finite: bool) -> tuple[Slot, ...]:
    """Return what a fit may change: scale, cell, U of each element, δ₂, Q_damp, diameter.

    Parameters
    ----------
    q_damp : known from a standard [1/Å]; None leaves it free.
    finite : whether the diameter of spherical grains is free.
    """
    own = dict(zip(CELL_NAMES, crystal.cell, strict=True))
    slots = [Slot("scale", "", 1.0, 0.0, 100.0)]
    for name in free_cell_parameters(crystal):
        start = own[name]
        slots.append(Slot(name, "", start, (1 - CELL_RANGE) * start, (1 + CELL_RANGE) * start))
    slots += [Slot("u_iso", element, 0.008, 5e-4, 0.1) for element in crystal.composition]
    slots.append(Slot("delta2", "", 1.5, 0.0, 6.0))
    if q_damp is None:
        slots.append(Slot("q_damp", "", 0.03, 0.0, 0.2))
    if finite:
        slots.append(Slot("diameter", "", 30.0, 6.0, 1000.0))
    return tuple(slots)


class Problem:
    """A crystal, data, and what is free between them.

    Parameters
    ----------
    crystal : the structure to start from.
    data : what it is fitted to.
    probe : what was scattered.
    q_damp, q_broad : the instrument's [1/Å]; a `q_damp` of None is refined.
    finite : refine the diameter of spherical grains.
    """

    def __init__(
        self,
        crystal: Crystal,
        data: FitRange,
        *,
        probe: Probe = "x-ray",
        q_damp: float | None = None,
        q_broad: float = 0.0,
        finite: bool = False,
    ) -> None:
        self.crystal, self.data = crystal, data
        self.slots = free_numbers(crystal, q_damp=q_damp, finite=finite)
        self._q_damp, self._q_broad = q_damp, q_broad
        # Programs that reduce data leave small angles out; the sum over a crystal has none there.
        self._model = CrystalPDF(crystal, data.r, QRange(0.0, data.q_max), probe=probe)
        self._index = {(slot.name, slot.what): i for i, slot in enumerate(self.slots)}
        self._elements = tuple(crystal.composition)
        self._own = parameters_of(crystal)
        self._cell_map = torch.from_numpy(_cell_map(crystal))

    def parameters(self, vector: torch.Tensor) -> CrystalParameters:
        """Return what the forward model takes from the free numbers."""
        n_cell = self._cell_map.shape[1]
        start = torch.tensor([s.start for s in self.slots[1 : 1 + n_cell]], dtype=torch.float64)
        shift = vector[1 : 1 + n_cell] - start
        u_of = torch.stack([vector[self._index["u_iso", e]] for e in self._elements])
        sites = [self._elements.index(e) for e in self._model.shells.elements]
        return CrystalParameters(
            cell=self._own.cell + self._cell_map @ shift,
            u_iso=u_of[sites],
            scale=vector[0],
            delta2=vector[self._index["delta2", ""]],
            q_damp=vector[self._index["q_damp", ""]] if self._q_damp is None else self._q_damp,
            q_broad=self._q_broad,
            diameter=vector[i] if (i := self._index.get(("diameter", ""))) is not None else None,
        )

    def curve(self, vector: torch.Tensor) -> torch.Tensor:
        """Return G(r) [1/Å²], (n,), of the free numbers (n_slots,)."""
        return self._model.g_r(self.parameters(vector))

    def start(self) -> FloatArray:
        """Return the best of some starts, its scale the one that fits best."""
        n_cell = self._cell_map.shape[1]
        plain = np.array([slot.start for slot in self.slots])
        diameter = self._index.get(("diameter", ""))
        found: list[tuple[float, FloatArray]] = []
        for zoom in ZOOMS:
            for size in DIAMETERS if diameter is not None else (0.0,):
                vector = plain.copy()
                lengths = [s.name in "abc" for s in self.slots[1 : 1 + n_cell]]
                vector[1 : 1 + n_cell] *= np.where(lengths, 1 + zoom, 1.0)
                if diameter is not None:
                    vector[diameter] = size
                g_r = self.curve(torch.from_numpy(vector)).numpy()
                vector[0] = max(float(g_r @ self.data.g_r / (g_r @ g_r)), 1e-3)
                found.append((float(np.sum((vector[0] * g_r - self.data.g_r) ** 2)), vector))
        return min(found, key=lambda pair: pair[0])[1]

    def fit(self) -> Fit:
        """Return the refined crystal; all points count alike."""
        jacobian = torch.func.jacfwd(self.curve)
        low, high = np.array([[s.low, s.high] for s in self.slots]).T

        def residuals(vector: FloatArray) -> FloatArray:
            return np.asarray(self.curve(torch.from_numpy(vector)).numpy() - self.data.g_r)

        def slopes(vector: FloatArray) -> FloatArray:
            return np.asarray(jacobian(torch.from_numpy(vector)).numpy())

        result: OptimizeResult = least_squares(
            residuals,
            np.clip(self.start(), low + 1e-9, high - 1e-9),
            jac=slopes,
            bounds=(low, high),
            x_scale="jac",
            max_nfev=60,
        )
        return Fit(
            slots=self.slots,
            values=result.x,
            covariance=covariance(result.jac, result.fun, self.data),
            data=self.data,
            calculated=self.data.g_r + result.fun,
            converged=bool(result.success),
        )


def covariance(jacobian: FloatArray, residuals: FloatArray, data: FitRange) -> FloatArray:
    """Return (JᵀJ)⁻¹ JᵀTJ (JᵀJ)⁻¹: the spread of a fit whose residuals err together.

    T holds the residuals' own autocovariance, faded out linearly over `MEMORY` (Newey & West 1987,
    doi:10.2307/1913610). It is enlarged by n/(n − p) with n the number of independent points.
    The calibration of Q is no part of it, nor is a model whose misfit reaches farther.

    Parameters
    ----------
    jacobian : (n, p) slopes.
    residuals : (n,).
    """
    step = float(np.median(np.diff(data.r)))
    n_lags = min(max(1, round(MEMORY / step)), len(residuals) - 1)
    correlation = np.correlate(residuals, residuals, "full")[len(residuals) - 1 :]
    autocovariance = correlation / len(residuals)
    faded = autocovariance * np.clip(1 - np.arange(len(residuals)) / n_lags, 0.0, None)
    norm = np.linalg.norm(jacobian, axis=0)
    norm[norm == 0] = 1.0
    scaled = jacobian / norm
    inverse = np.linalg.pinv(scaled.T @ scaled)
    spread = inverse @ (scaled.T @ toeplitz(faded) @ scaled) @ inverse
    n = data.n_independent
    spread *= n / max(n - jacobian.shape[1], 1.0)
    return np.asarray((spread + spread.T) / 2 / np.outer(norm, norm))


def names(slots: Sequence[Slot]) -> list[str]:
    """Return ``u_iso.Ni``, ``a``, … of slots."""
    return [f"{slot.name}.{slot.what}" if slot.what else slot.name for slot in slots]


def _cell_map(crystal: Crystal) -> FloatArray:
    """Return how the six cell parameters follow the free ones, (6, n_free) of 0 and 1."""
    free = free_cell_parameters(crystal)
    own = dict(zip(CELL_NAMES, crystal.cell, strict=True))
    start = [own[name] for name in free]
    here = np.asarray(expand_cell(crystal, start))
    columns = []
    for i in range(len(free)):
        moved = [value + (i == j) for j, value in enumerate(start)]
        columns.append(np.asarray(expand_cell(crystal, moved)) - here)
    return np.stack(columns, axis=1)
