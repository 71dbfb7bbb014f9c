"""Least squares of many trial cells at once, each with a displacement of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.indexing.lines import Lines

FloatArray = NDArray[np.float64]

N_STEPS = 5
WIDEST, NARROWEST = 0.06, 0.025
"""Width [deg] of the weight function at the first and at the last steps."""

DISPLACEMENT = 0.05
"""Standard deviation [deg] that is expected of the displacement."""

POSITION = 0.02
"""Standard deviation [deg] of a line's position, beside which that expectation weighs."""


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """Cells after refinement.

    Attributes
    ----------
    free : (n_cells, n_free) free numbers [Å⁻²].
    displacement : (n_cells,) peaks move by displacement · cos θ [deg].
    curvature : (n_cells, n_free + 1, n_free + 1) normal matrices, displacement last; times the
        variance of a line's position [deg²] their inverse is the covariance.
    """

    free: FloatArray
    displacement: FloatArray
    curvature: FloatArray


def refine(trials: FloatArray, rows: FloatArray, lines: Lines) -> Refined:
    """Return the cells that fit the lines best nearby.

    Each line is drawn to the nearest reflection; its residual r [deg] weighs (1 + r²/w²)⁻² times
    the probability that it is the phase's, w falling from `WIDEST` to `NARROWEST`, so that foreign
    lines lose their say.

    Parameters
    ----------
    trials : (n_cells, n_free) [Å⁻²], at least one.
    rows : (n_rows, n_free) coefficients of the reflections looked at.
    """
    free, displacement = trials.copy(), np.zeros(len(trials))
    n_free, width = free.shape[1], WIDEST
    lean = np.broadcast_to((lines.lean / lines.slope)[:, None], (len(trials), len(lines), 1))
    prior = (POSITION / DISPLACEMENT) ** 2
    diagonal = np.arange(n_free)
    curvature = np.zeros((len(trials), n_free + 1, n_free + 1))
    for _ in range(N_STEPS):
        target = lines.q - displacement[:, None] * lines.lean
        nearest, value = _nearest(free @ rows.T, target)
        residual = (target - value) / lines.slope
        weight = (1 - lines.foreign) / (1 + (residual / width) ** 2) ** 2
        design = np.concatenate([rows[nearest] / lines.slope[:, None], lean], axis=2)
        curvature = np.einsum("ni,nip,niq->npq", weight, design, design)
        slope = np.einsum("ni,nip,ni->np", weight, design, residual)
        # Numbers that no line decides stay where they are.
        trace = np.einsum("npp->n", curvature)[:, None]
        curvature[:, diagonal, diagonal] += 1e-6 * trace + 1e-9
        curvature[:, n_free, n_free] += prior
        slope[:, n_free] -= prior * displacement
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        free += step[:, :n_free]
        displacement += step[:, n_free]
        width = max(0.7 * width, NARROWEST)
    return Refined(free, displacement, curvature)


def _nearest(possible: FloatArray, target: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
    """Return the place and value of the reflection nearest to each line, (n_cells, n_lines)."""
    place = np.empty(target.shape, dtype=np.intp)
    order = np.argsort(possible, axis=1)
    for i, row in enumerate(order):
        rising = possible[i, row]
        right = np.clip(np.searchsorted(rising, target[i]), 1, len(rising) - 1)
        right -= target[i] - rising[right - 1] < rising[right] - target[i]
        place[i] = row[right]
    return place, np.take_along_axis(possible, place, axis=1)
