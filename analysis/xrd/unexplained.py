"""What a quick screen leaves unexplained of a pattern, without refining anything.

The screen names the candidates that matter and the displacement; each of them in several cells and
sizes is then combined once more. Peaks that are still in excess belong to no candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from analysis.physics.cell import scale_cell
from analysis.physics.crystal import Crystal
from analysis.xrd.artefacts import displaced
from analysis.xrd.background import background_basis
from analysis.xrd.forward import PhaseState, phase_columns
from analysis.xrd.misfit import BIN, SIGNIFICANT
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import Radiation
from analysis.xrd.screen import BACKGROUND_ORDER, DISPLACEMENTS, screen

FloatArray = NDArray[np.float64]

STRAINS = (-0.008, -0.004, 0.0, 0.004, 0.008)
"""Relative changes of all cell lengths that are combined."""

SIZES = (150.0, 800.0)
"""Crystallite sizes [Å] that are combined."""

SCREENED, MOST = 0.003, 8
"""Share of the Bragg area from which a candidate is combined in variants, and how many at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """A pattern as candidates describe it, and what is left.

    Attributes
    ----------
    two_theta, observed, calculated, excess : (n_points,) of the measured points [deg], [counts];
        excess is the part of observed less calculated that counts as unexplained.
    area : of excess peaks relative to all Bragg intensity, as `analysis.xrd.misfit.Misfit` has it.
    std : of the area by counting.
    rwp : weighted profile R factor, background included.
    shares : (n_phases,) of the Bragg area by the screen, sum 1, or all 0.
    """

    two_theta: FloatArray
    observed: FloatArray
    calculated: FloatArray
    excess: FloatArray
    area: float
    std: float
    rwp: float
    shares: FloatArray


class QuickScreen:
    """Candidates with their variants on one grid.

    Parameters
    ----------
    two_theta : (n_points,) even grid [deg].
    columns : (n_phases, n_points) pattern of each candidate, as `analysis.xrd.screen` takes them.
    """

    def __init__(
        self,
        crystals: Sequence[Crystal],
        two_theta: FloatArray,
        columns: FloatArray,
        *,
        radiation: Radiation,
        resolution: Resolution,
    ) -> None:
        self._two_theta, self._columns = two_theta, columns
        states = [
            PhaseState(c, cell=scale_cell(c, 1.0 + strain), size=size)
            for c in crystals
            for strain in STRAINS
            for size in SIZES
        ]
        made = phase_columns(two_theta, states, radiation=radiation, resolution=resolution)
        self._variants = made.T.reshape(len(crystals), -1, len(two_theta)).astype(np.float32)

    def rest(self, counts: FloatArray) -> Rest:
        """Return what candidates leave of counts, (n_points,), NaN where nothing was measured."""
        found = screen(self._two_theta, counts, self._columns)
        order = np.argsort(-found.shares, kind="stable")[:MOST]
        chosen = [int(i) for i in order if found.shares[i] > SCREENED]
        inside = np.isfinite(counts)
        grid, observed = self._two_theta[inside], counts[inside]
        sigma = np.sqrt(np.maximum(observed, 4.0))
        basis = background_basis(grid, order=BACKGROUND_ORDER)
        best: tuple[float, FloatArray, FloatArray] | None = None
        for shift in _near(found.displacement):
            bragg, background, square = self._combined(
                chosen, shift, inside, observed, sigma, basis
            )
            if best is None or square < best[0]:
                best = square, bragg, background
        assert best is not None
        return _rest(grid, observed, sigma, best[1], best[2], shares=found.shares)

    def _combined(
        self,
        chosen: Sequence[int],
        shift: float,
        inside: NDArray[np.bool_],
        observed: FloatArray,
        sigma: FloatArray,
        basis: FloatArray,
    ) -> tuple[FloatArray, FloatArray, float]:
        """Return Bragg part and background that are nearest, and the weighted sum of squares."""
        span, triangle = np.linalg.qr(basis / sigma[:, None])
        target = observed / sigma
        bragg = np.zeros_like(observed)
        if chosen:
            table = self._variants[list(chosen)].reshape(-1, len(inside)).astype(np.float64)
            moved = displaced(table, self._two_theta, np.full(len(table), shift))[:, inside]
            moved /= np.maximum(moved.sum(axis=1, keepdims=True), 1e-300)
            weighted = moved.T / sigma[:, None]
            bare = weighted - span @ (span.T @ weighted)
            gram = bare.T @ bare
            ridge = 1e-6 * np.trace(gram) / len(gram)
            root = np.linalg.cholesky(gram + ridge * np.eye(len(gram)))
            scales = nnls(root.T, np.linalg.solve(root, bare.T @ target))[0]
            bragg = scales @ moved
        left = target - bragg / sigma
        background = basis @ np.linalg.solve(triangle, span.T @ left)
        residual = left - background / sigma
        return bragg, background, float(residual @ residual)


def _near(displacement: float) -> tuple[float, ...]:
    half = (DISPLACEMENTS[1] - DISPLACEMENTS[0]) / 2
    return displacement - half, displacement, displacement + half


def _rest(
    grid: FloatArray,
    observed: FloatArray,
    sigma: FloatArray,
    bragg: FloatArray,
    background: FloatArray,
    *,
    shares: FloatArray,
) -> Rest:
    """Return what is left: Σ_b e_b² / (I_b + e_b) over bins b, e_b their significant excess."""
    bins = ((grid - grid[0]) / BIN).astype(np.intp)
    difference = observed - bragg - background
    of_all = np.bincount(bins, bragg)
    off = np.bincount(bins, difference)
    noise = np.sqrt(np.bincount(bins, sigma**2))
    extra = np.where(off > SIGNIFICANT * noise, off, 0.0)
    share = extra / np.maximum(of_all + extra, 1e-300)
    whole = float(max(of_all.sum() + extra.sum(), 1e-300))
    slope = np.where(extra > 0, share * (2.0 - share), 0.0)
    weighted = float((observed / sigma) @ (observed / sigma))
    return Rest(
        two_theta=grid,
        observed=observed,
        calculated=bragg + background,
        excess=np.maximum(difference, 0.0) * share[bins],
        area=float((extra * share).sum()) / whole,
        std=float(np.sqrt(((slope * noise) ** 2).sum())) / whole,
        rwp=float(np.sqrt(((difference / sigma) ** 2).sum() / weighted)),
        shares=shares,
    )
