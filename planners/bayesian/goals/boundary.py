"""Where does a quantity cross a level? Level sets and phase boundaries.

A space is classified by the sign of ``f - level``. What is wanted is not a point on the border but
few misclassified points over the whole space, so a candidate is worth the expected fall of the
misclassified share once its measurement is known.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import entr, ndtr

from planners.columns import Array

CONFIDENCE = 1.96
"""Standard deviations that the straddle heuristic puts on ignorance."""

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(8)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
"""Gauss-Hermite rule over the outcome of the measurement, a standard normal variable."""

TINY = 1e-300


def straddle(mean: Array, std: Array, *, level: float) -> Array:
    """Return ``1.96 std - |mean - level|``: high where the sign is open and little is known.

    Bryan, Schneider, Nichol, Miller, Genovese & Wasserman 2005, "Active learning for identifying
    function threshold boundaries", NIPS 18. Shape and unit of `mean`.
    """
    return np.asarray(CONFIDENCE * std - np.abs(mean - level))


def chance_above(mean: Array, std: Array, *, level: float) -> Array:
    """Return P(f > level) for normal predictions, in the shape of `mean`."""
    return np.asarray(ndtr((mean - level) / np.maximum(std, TINY)))


def sign_entropy(mean: Array, std: Array, *, level: float) -> Array:
    """Return the entropy of the side on which f lies, in bits: 0 where it is sure, at most 1."""
    p = chance_above(mean, std, level=level)
    return np.asarray((entr(p) + entr(1.0 - p)) / np.log(2.0))


def expected_misclassified(mean: Array, std: Array, *, level: float) -> float:
    """Return the share of points that the model expects to put on the wrong side, 0 to 0.5."""
    return float(_wrong(mean - level, std).mean())


def misclassified_share(mean: npt.ArrayLike, truth: npt.ArrayLike, *, level: float) -> float:
    """Return the share of points whose predicted side is not the true one.

    Parameters
    ----------
    mean, truth : predicted and true values over the space, shape (n_points,), in one unit.
    """
    return float(np.mean((np.asarray(mean) > level) != (np.asarray(truth) > level)))


def misclassification_gain(
    mean: Array, std: Array, covariance: Array, variance: Array, *, level: float
) -> Array:
    """Return by how much one measurement lowers the expected misclassified share.

    Parameters
    ----------
    mean, std : predictions at the reference points, shape (n_references,).
    covariance : between the quantity at each candidate and at each reference point, shape
        (n_candidates, n_references).
    variance : of the measured value at each candidate, noise included, shape (n_candidates,).
    level : what is crossed, in the unit of `mean`.

    Returns
    -------
    Shape (n_candidates,), never negative but for rounding.

    Notes
    -----
    Stepwise uncertainty reduction (Bect, Ginsbourger, Li, Picheny & Vazquez 2012,
    doi:10.1007/s11222-011-9241-4). A measurement moves the mean at a reference by
    ``z cov / sqrt(variance)``, z a standard normal variable, and lowers its variance by
    ``cov² / variance``; the chance of a wrong side, ``Φ(-|mean - level| / std)``, is averaged over
    z by an eight-point Gauss-Hermite rule.
    """
    shift = covariance / np.sqrt(variance)[:, None]
    left = np.sqrt(np.maximum(std**2 - shift**2, 0.0))
    after = np.zeros(len(covariance))
    for z, weight in zip(NODES, WEIGHTS, strict=True):
        after += weight * _wrong(mean - level + z * shift, left).mean(axis=1)
    return np.asarray(_wrong(mean - level, std).mean() - after)


def _wrong(above: Array, std: Array) -> Array:
    return np.asarray(ndtr(-np.abs(above) / np.maximum(std, TINY)))
