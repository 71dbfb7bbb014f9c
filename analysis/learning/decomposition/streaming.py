"""New curves beside a demixed set: read with its phases, or cause to demix anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.learning.decomposition.consensus import Demixed
from analysis.learning.decomposition.nmf import TINY
from analysis.learning.decomposition.shifts import resample
from analysis.learning.decomposition.stretched import Stretched, refine, unexplained_share

FloatArray = NDArray[np.float64]


def explain(
    demixed: Demixed, curve: FloatArray, *, n_iterations: int = 300
) -> tuple[FloatArray, float]:
    """Return the known phases' fractions in a new curve, (n_phases,), and what is left of it.

    What is left is a share of the curve's area. Patterns are held; see `place`.

    Parameters
    ----------
    curve : (n_points,) on the axis of `demixed`, at least 0.
    """
    placed = place(demixed, curve[None], n_iterations=n_iterations)
    on_axis = resample(curve[None] / curve.max(), demixed.x, placed.axis)
    left = unexplained_share(on_axis, placed.parts().sum(axis=1))
    return placed.fractions[0], float(left[0])


def place(demixed: Demixed, curves: FloatArray, *, n_iterations: int = 300) -> Stretched:
    """Return weights and shifts of the known phases in new curves.

    The set's factors, held, say by their weights (Kullback–Leibler updates) which phases are there
    and roughly how far each is shifted; weights and shifts are refined from there.

    Parameters
    ----------
    curves : (n_new, n_points) on the axis of `demixed`, at least 0, none all 0.
    n_iterations : updates of the factors' weights, and a tenth as many of the refinement.
    """
    scaled = curves / curves.max(axis=1, keepdims=True)
    factors = demixed.factors.patterns
    weights = np.repeat(scaled.sum(axis=1, keepdims=True) / factors.sum(), len(factors), axis=1)
    for _ in range(n_iterations):
        ratio = scaled / (weights @ factors + TINY)
        weights = weights * (ratio @ factors.T) / (factors.sum(axis=1) + TINY)
    start = replace(demixed.alignment.start(weights), patterns=demixed.stretched.patterns)
    on_axis = resample(scaled, demixed.x, start.axis)
    return refine(on_axis, start, hold_patterns=True, n_iterations=max(n_iterations // 10, 1))


def calls_for_demixing(demixed: Demixed, left: float, *, factor: float = 2.0) -> bool:
    """Return whether a new curve is so badly explained that the set should be demixed anew.

    Parameters
    ----------
    left : unexplained share of the new curve, from `explain`.
    factor : how many times worse than 95 % of the demixed curves it may be.
    """
    return left > factor * float(np.quantile(demixed.unexplained, 0.95))
