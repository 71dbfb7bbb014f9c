"""Expected improvement from draws of the utility, for goals that bend it out of the normal."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp, ndtri
from scipy.stats import qmc

from planners.columns import Array

SMOOTHING = 0.01
"""Width over which the kink of the improvement is rounded, in units of the utility's spread."""


def normal_draws(n: int, width: int, *, seed: int) -> Array:
    """Return quasi-random standard normal draws, shape (n, width): Sobol' points, scrambled."""
    points = qmc.Sobol(width, scramble=True, rng=np.random.default_rng(seed)).random(n)
    return np.asarray(ndtri(np.clip(points, 1e-9, 1.0 - 1e-9)))


def log_improvement(draws: Array, *, best: float, spread: float) -> Array:
    """Return the logarithm of the expected improvement over `best`.

    ``max(u - best, 0)`` is rounded to a softplus of width ``SMOOTHING * spread``, so that the
    logarithm stays finite where no draw improves (Ament et al. 2023, arXiv:2310.20708).

    Parameters
    ----------
    draws : utilities, shape (n_draws, n_points).
    best : utility to beat.
    spread : typical size of differences in utility, positive.
    """
    width = SMOOTHING * spread
    z = (draws - best) / width
    # ln softplus(z) = ln ln(1 + e^z); below -30 it is z to all digits
    log_softplus = np.where(z < -30.0, z, np.log(np.logaddexp(0.0, np.maximum(z, -30.0))))
    total = logsumexp(log_softplus, axis=0) - np.log(len(draws))
    return np.asarray(total + np.log(width))
