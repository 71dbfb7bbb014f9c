"""Fractions, cells and sizes read from many patterns at once: networks propose, a fit disposes.

Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis.xrd.rapid_fit import OUTSIDE, RapidFit, Refined, joined

FloatArray = NDArray[np.float64]

BATCH = 256
"""Patterns that are worked on at once: more make no faster."""

STEPS = 2
"""Steps that every pattern gets."""

MORE_ROUNDS = 4
"""Times that as many steps are added where the last one still took more than `SETTLED` off."""

SETTLED = 1.0
"""Change of the weighted sum of squares from which a fit has not ended."""

BIN = 10
"""Points over which intensities are integrated, four full widths of the narrowest peak."""

SIGNIFICANT = 3.0
"""Excess of a bin, in its standard deviation, from which it counts as unexplained."""


class Proposes(Protocol):
    """What starts the fit."""

    def start(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return z, (n, n_numbers), and how much those who propose disagree, (n,)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was read from patterns.

    Attributes
    ----------
    fractions : (n, n_phases) weight fractions, each row sums to 1.
    z : (n, n_numbers) the world's numbers.
    covariance : (n, m, m) of fractions, then z; by counting statistics, inflated by χ²_red and the
        number of neighbouring points that err together (Bérar & Lelann 1991, J. Appl. Cryst. 24,
        1).
    signal : (n, n_phases) scale of each phase in its standard deviations.
    limits : (n, n_numbers) whether a number stands at the limit of the world.
    disagreement : (n,) of those who proposed.
    chi2_reduced : (n,) of the fit.
    inflation : (n,) of variances, by χ²_red and correlated residuals; 1 for a perfect model.
    unexplained : (n,) area of peaks that no phase explains, relative to all Bragg intensity.
    calculated, background : (n, n_points) in counts.
    """

    fractions: FloatArray
    z: FloatArray
    covariance: FloatArray
    signal: FloatArray
    limits: NDArray[np.bool_]
    disagreement: FloatArray
    chi2_reduced: FloatArray
    inflation: FloatArray
    unexplained: FloatArray
    calculated: FloatArray
    background: FloatArray


class Reader:
    """Reads patterns on the grid of a world.

    Parameters
    ----------
    proposes : gives each fit its start.
    fit : of the world.
    """

    def __init__(self, proposes: Proposes, fit: RapidFit) -> None:
        self.proposes = proposes
        self.fit = fit

    def read(self, counts: FloatArray, sigma: FloatArray, *, w: float = 0.0) -> Reading:
        """Return what counts with their standard deviations, (n, n_points) each, tell.

        Parameters
        ----------
        w : added to the instrument's Caglioti w [deg²].
        """
        y = torch.as_tensor(counts, dtype=torch.float32)
        s = torch.as_tensor(sigma, dtype=torch.float32)
        wider = torch.full((len(y),), w) if w else None
        with torch.no_grad():
            parts = [y[i : i + BATCH] for i in range(0, len(y), BATCH)]
            started = [self.proposes.start(part) for part in parts]
            z = torch.cat([start for start, _ in started])
            found = self._refined(y, s, z, wider)
            rows = torch.nonzero(found.gain > SETTLED)[:, 0]
            for _ in range(MORE_ROUNDS):
                if not len(rows):
                    break
                some = None if wider is None else wider[rows]
                more = self._refined(y[rows], s[rows], found.z[rows], some)
                found = found.replaced(rows, more)
                rows = rows[more.gain > SETTLED]
            return _reading(y, s, found, torch.cat([apart for _, apart in started]))

    def _refined(self, y: Tensor, s: Tensor, z: Tensor, w: Tensor | None) -> Refined:
        """Return patterns after `STEPS` steps, taken batch by batch."""
        parts = []
        for i in range(0, len(y), BATCH):
            some = slice(i, i + BATCH)
            wider = None if w is None else w[some]
            parts.append(self.fit.refine(y[some], s[some], z[some], steps=STEPS, w=wider))
        return joined(parts)


def _reading(y: Tensor, s: Tensor, refined: Refined, disagreement: Tensor) -> Reading:
    scales = refined.scales.double()
    whole = scales.sum(dim=1, keepdim=True)
    empty = whole <= 0
    fractions = scales / torch.where(empty, 1.0, whole)
    residual = (y - refined.calculated) / s
    inflation = refined.chi2_reduced.clamp_min(1.0).double() * _correlation(residual).double()
    covariance = refined.covariance * inflation[:, None, None]
    n_phases = scales.shape[1]
    deviation = covariance.diagonal(dim1=1, dim2=2)[:, :n_phases].clamp_min(1e-30).sqrt()
    rows = torch.eye(covariance.shape[1], dtype=torch.float64).repeat(len(y), 1, 1)
    mixing = torch.eye(n_phases, dtype=torch.float64) - fractions[:, :, None]
    rows[:, :n_phases, :n_phases] = mixing / torch.where(empty, 1.0, whole)[:, :, None]
    return Reading(
        fractions=fractions.numpy(),
        z=refined.z.double().numpy(),
        covariance=(rows @ covariance @ rows.transpose(1, 2)).numpy(),
        signal=(scales / deviation).numpy(),
        limits=(refined.z.abs() >= OUTSIDE - 1e-3).numpy(),
        disagreement=disagreement.double().numpy(),
        chi2_reduced=refined.chi2_reduced.double().numpy(),
        inflation=inflation.numpy(),
        unexplained=_unexplained(y, s, refined).double().numpy(),
        calculated=refined.calculated.double().numpy(),
        background=refined.background.double().numpy(),
    )


def _correlation(residual: Tensor) -> Tensor:
    """Return 1 + 2 Σ ρ_k of each row, summed until the autocorrelation ρ_k falls below 0.05."""
    n = residual.shape[1]
    centred = residual - residual.mean(dim=1, keepdim=True)
    power = torch.fft.rfft(centred, n=2 * n).abs() ** 2
    lags = torch.fft.irfft(power, n=2 * n)[:, : n // 4]
    rho = lags[:, 1:] / lags[:, :1].clamp_min(1e-20)
    counted = torch.cumprod((rho >= 0.05).int(), dim=1)
    correlation: Tensor = 1 + 2 * (rho * counted).sum(dim=1)
    return correlation


def _unexplained(y: Tensor, s: Tensor, refined: Refined) -> Tensor:
    """Return the area of peaks that no phase explains over that of all, as `misfit` finds it."""
    bragg = _binned(refined.calculated - refined.background).clamp_min(0)
    off = _binned(y - refined.calculated)
    noise = _binned(s**2).sqrt()
    extra = torch.where(off > SIGNIFICANT * noise, off, 0.0)
    area = (extra**2 / (bragg + extra).clamp_min(1e-20)).sum(dim=1)
    return area / bragg.sum(dim=1).clamp_min(1e-20)


def _binned(x: Tensor) -> Tensor:
    whole = x.shape[1] // BIN * BIN
    return x[:, :whole].reshape(len(x), -1, BIN).sum(dim=2)
