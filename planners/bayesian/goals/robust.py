"""How good is a recipe when the laboratory does not hit it exactly? Risk under input errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from planners.bayesian.goals.improvement import normal_draws
from planners.bayesian.goals.posterior import block_moments
from planners.bayesian.surrogate import Surrogates
from planners.columns import Array
from planners.encoding import Encoding
from planners.errors import PlanningError
from planners.objective import Objective

N_ERRORS = 16
"""Errors tried around every recipe; the same ones everywhere, so that recipes compare fairly."""

N_DRAWS = 64
TAIL = 0.1
"""Share of the worst outcomes that ``worst_tenth`` averages."""

RELATIVE_JITTER = 1e-8

Risk = Literal["expected", "worst_tenth"]


def perturbed(encoding: Encoding, x: Array, errors: Mapping[str, float]) -> Array:
    """Return every recipe with each of `N_ERRORS` errors of its settings.

    Errors are independent and normal, a fixed set of scrambled Sobol' points. They may leave the
    bounds of the space, as a furnace may; a mixture is not closed again.

    Parameters
    ----------
    x : coordinates, shape (n_points, n_columns).
    errors : name → standard deviation of what is really set, in the unit of the name.

    Returns
    -------
    Shape (n_points, N_ERRORS, n_columns); without errors (n_points, 1, n_columns).
    """
    if not errors:
        return x[:, None, :]
    blocks = np.repeat(x[:, None, :], N_ERRORS, axis=1)
    # a fixed seed: what is compared between turns must not change with the draw
    draws = normal_draws(N_ERRORS, len(errors), seed=0)
    draws = (draws - draws.mean(axis=0)) / draws.std(axis=0)
    for draw, (name, std) in zip(draws.T, errors.items(), strict=True):
        for i, column in enumerate(encoding.columns):
            if column.name != name:
                continue
            values = column.low + x[:, i] * (column.high - column.low)
            if column.log:
                values = column.low * (column.high / column.low) ** x[:, i]
            blocks[:, :, i] = column.to_unit(values[:, None] + std * draw[None, :])
    return blocks


def robust_draws(
    encoding: Encoding, objective: Objective, surrogates: Surrogates, x: Array, *, seed: int
) -> Array:
    """Return draws of the risk-adjusted utility at recipes, shape (N_DRAWS, n_points).

    One draw is one function out of the posterior: its utility at every error of the recipe, then
    the mean of those (``expected``), or the mean of the worst tenth (``worst_tenth``, conditional
    value at risk; Rockafellar & Uryasev 2000, doi:10.21314/JOR.2000.038; with Gaussian processes
    Cakmak et al. 2020, arXiv:2007.05554). The errors of one recipe are drawn jointly.

    Parameters
    ----------
    seed : of the draws; equal seeds give comparable draws for different recipes.
    """
    blocks = perturbed(encoding, x, objective.input_errors)
    size = blocks.shape[1]
    total = np.zeros((N_DRAWS, len(x), size))
    for k, target in enumerate(objective.targets):
        mean, covariance = block_moments(surrogates[target.quantity], blocks)
        normal = normal_draws(N_DRAWS, size, seed=seed + k)
        values = mean + np.einsum("nab,sb->sna", _root(covariance), normal)
        total += target.weight * target.utilities(values)
    return risk_adjusted(total, objective.risk)


def risk_adjusted(utilities: Array, risk: Risk) -> Array:
    """Return the mean over the last axis, or the mean of its worst tenth.

    The tenth of `N_ERRORS` values is a whole value and a share of the next.
    """
    if risk == "expected":
        return np.asarray(utilities.mean(axis=-1))
    ordered = np.sort(utilities, axis=-1)
    count = TAIL * utilities.shape[-1]
    weights = np.clip(count - np.arange(utilities.shape[-1]), 0.0, 1.0)
    return np.asarray((ordered * weights).sum(axis=-1) / count)


def _root(covariances: Array) -> Array:
    """Return the Cholesky factor of each covariance; it changes smoothly from point to point."""
    largest = float(np.max(np.diagonal(covariances, axis1=1, axis2=2), initial=1e-300))
    jitter = RELATIVE_JITTER * largest
    size = covariances.shape[-1]
    while jitter < largest:
        try:
            return np.asarray(np.linalg.cholesky(covariances + jitter * np.eye(size)))
        except np.linalg.LinAlgError:
            jitter *= 10.0
    raise PlanningError(
        "a joint covariance of the surrogate is not positive, whatever is added to its diagonal; "
        "look for observations of wildly different size"
    )
