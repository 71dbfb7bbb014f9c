"""Screen: which of many candidates a pattern could hold, by a fit of unrefined patterns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from analysis.xrd.artefacts import displaced
from analysis.xrd.background import background_basis

FloatArray = NDArray[np.float64]

DISPLACEMENTS = (-0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2)
"""Displacements [deg] that are tried."""

BACKGROUND_ORDER = 8


@dataclass(frozen=True, slots=True)
class Screened:
    """What a screen found.

    Attributes
    ----------
    shares : (n_phases,) share of the Bragg area given to each candidate, sum 1, or all 0.
    displacement : with which the pattern was described best [deg].
    """

    shares: FloatArray
    displacement: float


def screen(two_theta: FloatArray, counts: FloatArray, columns: FloatArray) -> Screened:
    """Return the non-negative combination of candidates nearest to a pattern.

    Weighted by counting statistics, over a Chebyshev background of either sign; the displacement
    that describes the pattern best is taken.

    Parameters
    ----------
    two_theta, counts : (n_points,) on an even grid; counts are NaN where nothing was measured.
    columns : (n_phases, n_points) a pattern of each candidate.
    """
    inside = np.isfinite(counts)
    two_theta, counts, columns = two_theta[inside], counts[inside], columns[:, inside]
    weight = 1.0 / np.sqrt(np.maximum(counts, 4.0))
    basis, _ = np.linalg.qr(background_basis(two_theta, order=BACKGROUND_ORDER) * weight[:, None])
    area = np.maximum(columns.sum(axis=1), 1e-300)
    unit = columns / area[:, None]
    target = counts * weight
    target = target - basis @ (basis.T @ target)
    best: tuple[float, FloatArray, float] | None = None
    for shift in DISPLACEMENTS:
        moved = displaced(unit, two_theta, np.full(len(unit), shift)).T * weight[:, None]
        moved = moved - basis @ (basis.T @ moved)
        gram = moved.T @ moved
        ridge = 1e-9 * np.trace(gram) / len(gram)
        root = np.linalg.cholesky(gram + ridge * np.eye(len(gram)))
        found, rest = nnls(root.T, np.linalg.solve(root, moved.T @ target))
        if best is None or rest < best[0]:
            best = float(rest), found, shift
    assert best is not None
    total = best[1].sum()
    return Screened(best[1] / total if total > 0 else best[1], best[2])
