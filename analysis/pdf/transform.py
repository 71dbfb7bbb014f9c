"""Between F(Q) and G(r): the sine transform and what a measured range of Q does to it.

Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.errors import BadSettings

FloatArray = NDArray[np.float64]

RIPPLES = 8
"""Ripples of period 2π/Q_max by which a sum in real space reaches beyond the last r asked for."""


@dataclass(frozen=True, slots=True)
class QRange:
    """The momentum transfers [1/Å] that a G(r) was transformed from.

    Raises
    ------
    BadSettings
        The range is empty or starts below zero.
    """

    q_min: float = 0.0
    q_max: float = 25.0

    def __post_init__(self) -> None:
        if not 0 <= self.q_min < self.q_max < np.inf:
            raise BadSettings(
                f"Q from {self.q_min:g} to {self.q_max:g} Å⁻¹ is no range; 0 <= q_min < q_max was "
                "expected"
            )

    def grid(self, step: float) -> FloatArray:
        """Return the multiples of `step` [1/Å] within the range."""
        first, last = np.ceil(self.q_min / step - 1e-9), np.floor(self.q_max / step + 1e-9)
        return step * np.arange(max(first, 1.0), last + 1)


def even_grid(q_range: QRange, *, r_max: float, extent: float) -> FloatArray:
    """Return an even grid of Q [1/Å] from end to end of the range.

    G(r) of an object of some extent [Å] comes back, upside down, from 2π/ΔQ downwards. The step is
    a third of what keeps that beyond `r_max` [Å], because ripples of the range's ends reach on.
    """
    coarsest = 2 * np.pi / (3 * (r_max + extent))
    n_q = int(np.ceil((q_range.q_max - q_range.q_min) / coarsest)) + 1
    return np.linspace(q_range.q_min, q_range.q_max, n_q)


def g_r_kernel(q: FloatArray, r: FloatArray) -> torch.Tensor:
    """Return the (n_q, n_r) matrix of G(r) = (2/π) ∫ F(Q) sin(Qr) dQ for an even grid of Q.

    The trapezoidal rule: the first and the last Q count half.

    References
    ----------
    Farrow & Billinge (2009), doi:10.1107/S0108767309009714, eq. 41.
    """
    width = np.full_like(q, q[1] - q[0])
    width[[0, -1]] /= 2
    return torch.from_numpy((2 / np.pi) * width[:, None] * np.sin(np.outer(q, r)))


class Termination:
    """Takes a G(r) known on a fine grid to the one that a finite range of Q shows.

    F(Q) is the sine transform of the fine G(r); what lies in the range is transformed back, to any
    r. The fine grid ends `RIPPLES` ripples beyond the last r, where it is faded out.

    Parameters
    ----------
    r : (n_r,) distances [Å] at which G(r) is wanted.
    q_range : what was measured.
    step : of the fine grid [Å]; peaks should not be narrower.

    Attributes
    ----------
    fine_r : (n_fine,) the fine grid, from `step` upwards [Å].
    q : (n_q,) momentum transfer [1/Å].
    """

    def __init__(self, r: FloatArray, q_range: QRange, *, step: float = 0.02) -> None:
        margin = RIPPLES * 2 * np.pi / q_range.q_max
        n_fine = int(np.ceil((float(r.max()) + margin) / step))
        self.fine_r = step * np.arange(1, n_fine)
        self.q = q_range.grid(np.pi / (n_fine * step))
        self.r_max = n_fine * step
        faded = np.clip((self.r_max - self.fine_r) / (margin / 2), 0.0, 1.0)
        fade = np.sin(np.pi / 2 * faded) ** 2
        self._to_q = torch.from_numpy(step * fade[:, None] * np.sin(np.outer(self.fine_r, self.q)))
        width = (2 / np.pi) * (np.pi / self.r_max)
        self._to_r = torch.from_numpy(width * np.sin(np.outer(self.q, r)))

    def f_q(self, fine_g_r: torch.Tensor) -> torch.Tensor:
        """Return F(Q) = ∫ G(r) sin(Qr) dr [1/Å], (…, n_q), of (…, n_fine) values."""
        return fine_g_r @ self._to_q

    def g_r(self, fine_g_r: torch.Tensor) -> torch.Tensor:
        """Return G(r) [1/Å²] as the range shows it, (…, n_r), of (…, n_fine) values."""
        return self.f_q(fine_g_r) @ self._to_r
