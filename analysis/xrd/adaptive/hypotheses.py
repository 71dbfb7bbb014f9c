"""Hypotheses: the sets of phases that a sample may hold, each with its probability.

The probability of a set is its prior times its evidence, the likelihood averaged over what the
scales may be: Laplace's approximation, exact for a linear model (MacKay 1992,
doi:10.1162/neco.1992.4.3.415), as CrystalShift does for whole fits (Chang et al. 2023,
arXiv:2308.07897).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

FloatArray = NDArray[np.float64]

EXPECTED_PHASES = 2.5
"""Phases that a sample is expected to hold, before it is looked at."""

SCALE_PRIOR = 0.3
"""Standard deviation of a phase's scale if it is there, relative to the sum of all scales."""

LEAST_WEIGHT = 1e-4
MOST_SETS = 32
"""Sets that are kept: those of at least this probability, and at most so many."""


@dataclass(frozen=True, slots=True, eq=False)
class Hypotheses:
    """Phase sets that are worth a thought, likeliest first.

    Attributes
    ----------
    holds : (n_sets, n_phases) whether a phase is in a set.
    weights : (n_sets,) probabilities, sum 1.
    means : (n_sets, n_phases) scales under each set, 0 for a phase that is not in it.
    covariances : (n_sets, n_phases, n_phases) of the scales, 0 likewise.
    """

    holds: NDArray[np.bool_]
    weights: FloatArray
    means: FloatArray
    covariances: FloatArray

    @property
    def presence(self) -> FloatArray:
        """(n_phases,) probability that each phase is there."""
        return np.asarray(self.weights @ self.holds, dtype=np.float64)

    @property
    def fraction_std(self) -> FloatArray:
        """(n_phases,) standard deviation of each phase's share of the scales, from set to set."""
        total = self.means.sum(axis=1, keepdims=True)
        shares = self.means / np.where(total > 0, total, 1.0)
        mean = self.weights @ shares
        return np.asarray(np.sqrt(np.maximum(self.weights @ (shares - mean) ** 2, 0.0)))

    @property
    def entropy(self) -> float:
        """Entropy of the probabilities [nats]."""
        positive = self.weights[self.weights > 0]
        return float(-(positive * np.log(positive)).sum())


def hypotheses(
    information: FloatArray, statistic: FloatArray, *, total: float, log_odds: FloatArray
) -> Hypotheses:
    """Return the probability of every set of the proposed phases.

    A scale is 0 if its phase is absent, and else half-normal, of standard deviation
    `SCALE_PRIOR` · `total`. The half is taken phase by phase, from each scale's marginal.

    Parameters
    ----------
    information : (n_phases, n_phases) Λ of the scales.
    statistic : (n_phases,) Λ times their estimate.
    total : sum of all scales.
    log_odds : (n_phases,) logarithm of the odds that a phase is there, before the pattern.
    """
    n = len(statistic)
    holds = (np.arange(2**n)[:, None] >> np.arange(n)) % 2 == 1
    spread = SCALE_PRIOR * total
    logs = np.empty(len(holds))
    means, covariances = np.zeros((len(holds), n)), np.zeros((len(holds), n, n))
    for row, inside in enumerate(holds):
        held = np.flatnonzero(inside)
        logs[row] = log_odds[held].sum()
        if not len(held):
            continue
        block = np.ix_(held, held)
        precision = information[block] + np.eye(len(held)) / spread**2
        covariance = np.linalg.inv(precision)
        mean = covariance @ statistic[held]
        std = np.sqrt(np.diag(covariance))
        logs[row] += (
            0.5 * float(statistic[held] @ mean)
            - 0.5 * float(np.linalg.slogdet(precision)[1])
            - len(held) * float(np.log(spread))
            + float((np.log(2.0) + log_ndtr(mean / std)).sum())
        )
        means[row, held] = mean
        covariances[row][block] = covariance
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    order = np.argsort(-weights, kind="stable")[:MOST_SETS]
    order = order[weights[order] >= min(LEAST_WEIGHT, weights[order[0]])]
    kept = weights[order] / weights[order].sum()
    return Hypotheses(holds[order], kept, np.maximum(means[order], 0.0), covariances[order])


def prior_log_odds(n_proposed: int, *, n_candidates: int) -> FloatArray:
    """Return the logarithm of each candidate's odds, (n_proposed,): `EXPECTED_PHASES` of all."""
    share = min(EXPECTED_PHASES / n_candidates, 0.5)
    return np.full(n_proposed, np.log(share / (1.0 - share)))
