"""Information: what a further scan is expected to tell of which phase set is right.

The expected information is the mutual information between the set and the scan's counts. Its lower
bound from pairwise distances of a mixture's components (Kolchinsky & Tracey 2017,
doi:10.3390/e19070361) is used: it never promises more than a scan holds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from analysis.xrd.adaptive.hypotheses import Hypotheses

FloatArray = NDArray[np.float64]

MOST_COMPARED = 12
"""Likeliest sets that are compared; the others hardly matter and cost as much."""


def expected_information(gain: FloatArray, sets: Hypotheses) -> float:
    """Return the information [nats] that a scan is expected to bring, at least 0.

    A scan adds ΔΛ to the information on the scales. Under set j it tells z = R s + noise of unit
    variance, RᵀR = ΔΛ, so z is normal with mean R m_j and covariance 1 + R V_j Rᵀ: the scales'
    own doubt is part of what the scan will look like. With Bhattacharyya distances B,

        I ≥ −Σ_j w_j ln Σ_k w_k exp(−B_jk).

    Parameters
    ----------
    gain : (n_phases, n_phases) ΔΛ, positive semi-definite.
    sets : what may be there. Scales that cannot be negative are taken as normal with the mean and
        the standard deviation of the part above 0.
    """
    n = min(len(sets.weights), MOST_COMPARED)
    if n < 2:
        return 0.0
    weights = sets.weights[:n] / sets.weights[:n].sum()
    means, covariances = _above_zero(sets.means[:n], sets.covariances[:n])
    values, vectors = np.linalg.eigh((gain + gain.T) / 2)
    root = vectors.T * np.sqrt(np.maximum(values, 0.0))[:, None]
    seen = means @ root.T
    spread = np.eye(len(gain)) + root @ covariances @ root.T
    distances = _bhattacharyya(seen, spread)
    return max(float(-(weights * np.log(np.exp(-distances) @ weights)).sum()), 0.0)


def _above_zero(means: FloatArray, covariances: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return means and covariances of scales above 0, each by its marginal."""
    std = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    there = std > 0
    safe = np.where(there, std, 1.0)
    z = np.where(there, means / safe, 0.0)
    hazard = np.exp(-0.5 * z**2 - 0.5 * np.log(2.0 * np.pi) - log_ndtr(z))
    shrink = np.sqrt(np.maximum(1.0 - hazard * (hazard + z), 1e-6))
    shifted = np.where(there, means + safe * hazard, 0.0)
    return shifted, covariances * shrink[:, :, None] * shrink[:, None, :]


def _bhattacharyya(means: FloatArray, covariances: FloatArray) -> FloatArray:
    """Return the distances between normal distributions, (n, n).

    B = Δᵀ S⁻¹ Δ / 8 + ½ ln(det S / √(det S_j det S_k)), S the mean of both covariances
    (Bhattacharyya 1943, Bull. Calcutta Math. Soc. 35, 99).
    """
    first, second = np.triu_indices(len(means), 1)
    between = (covariances[first] + covariances[second]) / 2
    apart = means[first] - means[second]
    square = (apart * np.linalg.solve(between, apart[:, :, None])[:, :, 0]).sum(axis=1)
    size = np.linalg.slogdet(covariances)[1]
    mixed = np.linalg.slogdet(between)[1]
    found = np.zeros((len(means), len(means)))
    found[first, second] = square / 8 + 0.5 * (mixed - (size[first] + size[second]) / 2)
    return np.asarray(found + found.T)
