"""How does a quantity run over the whole space? Pure exploration.

The largest standard deviation sits in the corners, where a measurement tells of little else. A
candidate is worth what it tells about all of the space.
"""

from __future__ import annotations

import numpy as np

from planners.columns import Array


def variance_gain(covariance: Array, variance: Array) -> Array:
    """Return by how much one measurement lowers the mean predictive variance of the references.

    Exact for a Gaussian process, as its variance does not depend on the outcome: the mean over
    references of ``cov² / variance`` (Cohn 1996, "Neural network exploration using optimal
    experiment design", doi:10.1016/0893-6080(95)00137-9; Seo, Wallat, Graepel & Obermayer 2000,
    doi:10.1109/IJCNN.2000.861310).

    Parameters
    ----------
    covariance : between each candidate and each reference, shape (n_candidates, n_references).
    variance : of the measured value at each candidate, noise included, shape (n_candidates,).

    Returns
    -------
    In the squared unit of the quantity, shape (n_candidates,).
    """
    return np.asarray((covariance**2).mean(axis=1) / variance)
