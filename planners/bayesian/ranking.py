"""How well processes rank outcomes: the weights of the ranking-weighted ensemble."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.bayesian.gaussian_process import GaussianProcess
from planners.columns import Array

N_DRAWS = 512
"""Draws of each process behind the weights."""

MISLEADS = 0.95
"""Quantile of the own process's ranking loss above which the median of an earlier one's is out."""

NEAR_CHANCE = 0.4
"""Share of pairs ranked wrongly, half being chance, from which on an earlier process is out."""

LEAST_RANKED = 3
"""Outcomes; fewer rank nothing."""


def ranking_weights(
    own: GaussianProcess, earlier: Sequence[GaussianProcess], *, rng: np.random.Generator
) -> Array:
    """Return the weights of the own process and the earlier ones, sum 1, shape (1 + n_earlier,).

    They are those of the ranking-weighted ensemble (RGPE, Feurer, Letham & Bakshy 2018,
    arXiv:1802.02219): the share of joint draws in which a process ranks the pairs of outcomes
    better than every other; the own process is drawn from its leave-one-out predictions, and wins
    ties. Against a dilution of the weights, an earlier process whose median loss lies above the
    95 % quantile of the own one's, or near that of chance, gets none. With fewer than three
    outcomes nothing can be ranked, and the own process stands alone.

    Parameters
    ----------
    earlier : on the scale of the own outcomes.
    rng : for the draws.
    """
    if not earlier or len(own.y) < LEAST_RANKED:
        return np.concatenate([np.ones(1), np.zeros(len(earlier))])
    mean, std = own.leave_one_out()
    told = mean + std * rng.standard_normal((N_DRAWS, len(mean)))
    losses = [_misranked(told, own.y, against=own.y)]
    for process in earlier:
        draws = _joint_draws(process, own.x, rng=rng)
        losses.append(_misranked(draws, own.y, against=None))
    table = np.stack(losses)
    n_pairs = len(own.y) * (len(own.y) - 1)
    limit = min(np.quantile(table[0], MISLEADS), NEAR_CHANCE * n_pairs)
    out = np.median(table, axis=1) > limit
    out[0] = False
    table = np.where(out[:, None], np.inf, table)
    best = table == table.min(axis=0)
    best[1:, best[0]] = False
    return np.asarray((best / best.sum(axis=0)).mean(axis=1))


def _misranked(draws: Array, y: Array, *, against: Array | None) -> Array:
    """Return how many ordered pairs each draw ranks wrongly, shape (n_draws,).

    Parameters
    ----------
    against : values that a draw's value is compared with; by default the draw itself.
    """
    losses = np.zeros(len(draws))
    for k in range(len(y)):
        other = draws[:, k : k + 1] if against is None else against[k]
        apart = (draws < other) != (y < y[k])
        apart[:, k] = False
        losses += apart.sum(axis=1)
    return losses


def _joint_draws(process: GaussianProcess, x: Array, *, rng: np.random.Generator) -> Array:
    mean, covariance = process.joint(x)
    eigenvalues, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(eigenvalues, 0.0))
    return np.asarray(mean + rng.standard_normal((N_DRAWS, len(x))) @ root.T)
