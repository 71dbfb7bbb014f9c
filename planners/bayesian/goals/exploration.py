"""How does a quantity run over the whole space? Pure exploration.

The largest standard deviation sits in the corners, where a measurement tells of little else. A
candidate is worth what it tells about all of the space.
"""

from __future__ import annotations

import numpy as np

from planners.bayesian.gaussian_process import distance, matern52
from planners.bayesian.surrogate import Surrogate
from planners.columns import Array

EVENNESS = 0.2
"""Weight that every point keeps, in units of the mean squared error."""

REACH = 0.5
"""How far the error of a prediction speaks for its neighbourhood, in length scales."""


def variance_gain(covariance: Array, variance: Array, weights: Array) -> Array:
    """Return by how much one measurement lowers the weighted mean variance of the references.

    Exact for a Gaussian process, as its variance does not depend on the outcome: the mean over
    references of ``weight cov² / variance`` (Cohn 1996, "Neural network exploration using optimal
    experiment design", doi:10.1016/0893-6080(95)00137-9; Seo, Wallat, Graepel & Obermayer 2000,
    doi:10.1109/IJCNN.2000.861310).

    Parameters
    ----------
    covariance : between each candidate and each reference, shape (n_candidates, n_references).
    variance : of the measured value at each candidate, noise included, shape (n_candidates,).
    weights : of the references, shape (n_references,).

    Returns
    -------
    In the squared unit of the quantity, shape (n_candidates,).
    """
    return np.asarray(covariance**2 @ weights / len(weights) / variance)


def error_weights(surrogate: Surrogate, x: Array) -> Array:
    """Return how much of the model's error lies around coordinates, about 1 on average.

    A process of one length scale everywhere does not know that a quantity is rough here and smooth
    there; its own errors tell. Each measurement is predicted from all the others, and the squared
    errors, in units of their mean, are averaged over the neighbourhood (Liu, Xu & Wang 2015,
    doi:10.1007/s00158-015-1395-9, weigh a sampling criterion by such errors).

    Parameters
    ----------
    x : coordinates, shape (n_points, n_columns).

    Returns
    -------
    Shape (n_points,).
    """
    process = surrogate.process
    told, _ = process.leave_one_out()
    squared = (process.y - told) ** 2
    mean = float(squared.mean())
    if mean <= 0.0:
        return np.ones(len(x))
    scales = REACH * process.parameters.lengths[process.groups]
    near = matern52(distance(x / scales, process.x / scales))
    local = near @ (squared / mean) / np.maximum(near.sum(axis=1), 1e-9)
    return np.asarray(EVENNESS + local)
