"""Smoothness: a phase that a sample holds is held by samples near in composition, too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

FloatArray = NDArray[np.float64]

LONELY, PRESENT = 0.12, 0.05
"""A phase below the first share is dropped where no neighbour holds the second. Chosen on 24
spreads of `analysis.xrd.demixing_worlds`; fractions mixed with those of neighbours were worse."""


def without_islands(
    weights: FloatArray, composition: FloatArray, *, n_nearest: int = 6
) -> FloatArray:
    """Return weights, 0 where little of a phase stands in one sample alone, (n_samples, n_phases).

    Parameters
    ----------
    weights : (n_samples, n_phases), at least 0, no row all 0.
    composition : (n_samples, n_components).
    n_nearest : samples that are asked, those nearest in composition.
    """
    nearest = min(n_nearest, len(composition) - 1)
    _, found = KDTree(composition).query(composition, k=nearest + 1)
    # A sample may stand behind others of its own composition.
    others = [[j for j in row if j != i][:nearest] for i, row in enumerate(found)]
    fractions = weights / weights.sum(axis=1, keepdims=True)
    beside = (fractions[np.array(others)] >= PRESENT).any(axis=1)
    little = fractions < np.minimum(LONELY, fractions.max(axis=1, keepdims=True))
    return np.asarray(np.where(little & ~beside, 0.0, weights))
