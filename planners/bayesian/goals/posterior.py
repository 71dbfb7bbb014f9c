"""Covariances under a surrogate: what a measurement here would tell about the quantity there."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular

from planners.bayesian.gaussian_process import GaussianProcess, distance, matern52
from planners.bayesian.surrogate import Surrogate
from planners.columns import Array

SMALLEST_SHARE = 1e-9
"""Least posterior variance, as a share of the prior's: rounding must not make it negative."""


def cross_covariance(surrogate: Surrogate, a: Array, b: Array) -> Array:
    """Return the posterior covariance between two sets of coordinates, in squared units.

    Parameters
    ----------
    a, b : coordinates, shapes (n_a, n_columns) and (n_b, n_columns).

    Returns
    -------
    Shape (n_a, n_b).
    """
    process = surrogate.process
    prior = _kernel(process, a, b)
    return np.asarray(_unit(surrogate) * (prior - _half(process, a).T @ _half(process, b)))


def paired_covariance(surrogate: Surrogate, a: Array, b: Array) -> Array:
    """Return the posterior covariance of each row of `a` with the same row of `b`, shape (n,)."""
    process = surrogate.process
    scales = process.parameters.lengths[process.groups]
    apart = np.sqrt((((a - b) / scales) ** 2).sum(axis=1))
    prior = process.parameters.signal * matern52(apart)
    shared = (_half(process, a) * _half(process, b)).sum(axis=0)
    return np.asarray(_unit(surrogate) * (prior - shared))


def block_moments(surrogate: Surrogate, blocks: Array) -> tuple[Array, Array]:
    """Return mean and covariance of the quantity within each block of coordinates.

    Parameters
    ----------
    blocks : shape (n_blocks, size, n_columns).

    Returns
    -------
    Means of shape (n_blocks, size), covariances of shape (n_blocks, size, size).
    """
    process = surrogate.process
    n, size, width = blocks.shape
    scales = process.parameters.lengths[process.groups]
    scaled = blocks / scales
    square = ((scaled[:, :, None, :] - scaled[:, None, :, :]) ** 2).sum(axis=3)
    prior = process.parameters.signal * matern52(np.sqrt(square))
    rows = blocks.reshape(-1, width)
    half = _half(process, rows).reshape(-1, n, size)
    covariance = _unit(surrogate) * (prior - np.einsum("tna,tnb->nab", half, half))
    mean, _ = surrogate.predict(rows)
    return mean.reshape(n, size), covariance


def measured_variance(surrogate: Surrogate, x: Array) -> Array:
    """Return the variance of a measurement's value at coordinates, noise included, shape (n,).

    The noise is the typical one of the measurements so far (their median).
    """
    _, std = surrogate.predict(x)
    noise = float(np.median(surrogate.process.variances))
    floor = surrogate.process.parameters.signal * SMALLEST_SHARE
    return std**2 + _unit(surrogate) * max(noise, floor)


def _unit(surrogate: Surrogate) -> float:
    return (surrogate.record.widening * surrogate.scale) ** 2


def _kernel(process: GaussianProcess, a: Array, b: Array) -> Array:
    scales = process.parameters.lengths[process.groups]
    return np.asarray(process.parameters.signal * matern52(distance(a / scales, b / scales)))


def _half(process: GaussianProcess, x: Array) -> Array:
    """Return L⁻¹ k(training, x), shape (n_training, n_points)."""
    cross = _kernel(process, process.x, x)
    return np.asarray(solve_triangular(process.factor, cross, lower=True))
