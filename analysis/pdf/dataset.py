"""Simulated F(Q) of shapes under random conditions, as networks see them.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from torch import Tensor

from analysis.pdf.artefacts import draw_faults
from analysis.pdf.batches import Conditions, DebyeTable, pair_histograms
from analysis.pdf.structure.features import Q_GRID
from analysis.pdf.structure.shapes import Shape

FloatArray = NDArray[np.float64]

BONDS = (1.9, 3.6)
"""Shortest distances [Å] that are learnt."""

_B_ISO = (0.15, 1.6)
_Q_MIN = (0.5, 1.4)
_Q_MAX = (9.0, 14.0)
"""Ends of the range [1/Å]; beyond the networks' last Q an end makes no difference."""

_WINDOWS = ((15.0, 0.02), (22.0, 0.04), (30.0, 0.03), (30.0, 0.06))
"""Last r [Å] and Q_damp [1/Å] of G(r) that curves may have gone through."""

_FIRST_R = 1.5
_N_KNOTS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Curves and what they are of.

    Attributes
    ----------
    shape : (n,) number of the shape.
    curve : (n, n_q) F(Q) on `analysis.pdf.structure.features.Q_GRID`, of unit size.
    log_bond : (n, 1) logarithm of the bond [Å].
    """

    shape: Tensor
    curve: Tensor
    log_bond: Tensor


class SimulatedCurves:
    """Curves of given shapes.

    Parameters
    ----------
    shapes : what is drawn from.
    """

    def __init__(self, shapes: Sequence[Shape]) -> None:
        histograms = pair_histograms([s.atoms for s in shapes], bin_width=0.006)
        self._table = DebyeTable(histograms, x_max=Q_GRID[-1] * BONDS[1] + 0.5, step=0.04, orders=3)
        self._q = torch.from_numpy(Q_GRID)
        knots = np.linspace(Q_GRID[0], Q_GRID[-1], _N_KNOTS)
        self._slow = CubicSpline(knots, np.eye(_N_KNOTS))(Q_GRID).T
        self._through = [_window(*w) for w in _WINDOWS]

    def draw(self, shape: NDArray[np.int64], *, rng: np.random.Generator) -> Batch:
        """Return one curve of each of the numbered shapes, (n,)."""
        n = len(shape)
        bond = _log_uniform(BONDS, n, rng)
        said = Conditions(
            cluster=torch.from_numpy(shape),
            bond=torch.from_numpy(bond),
            b_iso=torch.from_numpy(_log_uniform(_B_ISO, n, rng)),
            delta2=torch.from_numpy(rng.uniform(0.0, 0.4, n) * bond**2),
            q_min=torch.from_numpy(rng.uniform(*_Q_MIN, n)),
            q_max=torch.from_numpy(rng.uniform(*_Q_MAX, n)),
            q_damp=torch.zeros(n),
        )
        f_q = self._table.f_q(said, self._q).numpy().astype(np.float64)
        inside = f_q != 0
        f_q = inside * self._with_faults(f_q, rng)
        route = rng.integers(2 * len(self._through), size=n)
        for number, window in enumerate(self._through):
            chosen = route == number
            f_q[chosen] = inside[chosen] * (f_q[chosen] @ window)
        f_q /= np.linalg.norm(f_q, axis=1, keepdims=True)
        return Batch(
            torch.from_numpy(shape),
            torch.from_numpy(f_q.astype(np.float32)),
            torch.from_numpy(np.log(bond)[:, None].astype(np.float32)),
        )

    def _with_faults(self, f_q: FloatArray, rng: np.random.Generator) -> FloatArray:
        drawn = [draw_faults(rng) for _ in f_q]
        noise, factor, offset = np.array(
            [(f.noise, f.slow_factor, f.slow_offset) for f in drawn]
        ).T[:, :, None]
        slow = rng.normal(size=(2, len(f_q), _N_KNOTS)) @ self._slow
        s_q = offset * slow[0] + noise * rng.normal(size=f_q.shape)
        return np.asarray(f_q * (1 + factor * slow[1]) + Q_GRID * s_q)


def _log_uniform(ends: tuple[float, float], n: int, rng: np.random.Generator) -> FloatArray:
    return np.asarray(np.exp(rng.uniform(np.log(ends[0]), np.log(ends[1]), n)))


def _window(last_r: float, q_damp: float) -> FloatArray:
    """Return the matrix from F(Q) to what is left of it after a G(r) from 1.5 Å to its last r."""
    r = np.arange(_FIRST_R, last_r, 0.1)
    sine = np.sin(np.outer(Q_GRID, r))
    step = (2 / np.pi) * (Q_GRID[1] - Q_GRID[0]) * 0.1
    return np.asarray(step * (sine * np.exp(-0.5 * (q_damp * r) ** 2)) @ sine.T)
