"""How likely an experiment is to succeed, learnt from those that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from planners.bayesian.gaussian_process import distance, matern52
from planners.encoding import Array, Encoding
from planners.proposal import Observation

NOT_THE_RECIPE = frozenset({"measurement", "discarded"})
"""Causes of a failure that say nothing of the point. A person's veto does say something; that a
person discarded the sample, such as a dirty one, does not."""

REACH = 0.2
"""Length scale over which success or failure informs, times sqrt(n_columns)."""

PRIOR_VARIANCE = 0.25
LABEL_NOISE = 0.01
"""Variance of a label: one failure in a good neighbourhood may be an accident."""


@dataclass(frozen=True, slots=True)
class SuccessModel:
    """Probability of success by least-squares classification with a Gaussian process.

    Labels are 1 for an experiment that gave an outcome and 0 for one that failed; a process with
    prior mean 1, a Matérn-5/2 kernel of fixed length and `LABEL_NOISE` is conditioned on them, and
    ``p = Φ((μ - 1/2) / sqrt(v + LABEL_NOISE))`` (Rasmussen & Williams 2006, section 6.5). Far from
    every experiment p = 0.84, on a lonely failure about 0.001. Its length is not fitted and p is
    not calibrated; it keeps the planner from walking back into a region that breaks experiments.

    Attributes
    ----------
    x : coordinates of every experiment, shape (n, n_columns).
    weights : inverse covariance times (label - 1), shape (n,).
    inverse : inverse covariance of the labels, shape (n, n).
    length : of the kernel, in coordinates.
    """

    x: Array
    weights: Array
    inverse: Array
    length: float

    def probability(self, x: Array) -> Array:
        """Return the probability of success at coordinates, shape (n_points,)."""
        k = PRIOR_VARIANCE * matern52(distance(x, self.x) / self.length)
        mean = 1.0 + k @ self.weights
        variance = np.maximum(PRIOR_VARIANCE - ((k @ self.inverse) * k).sum(axis=1), 0.0)
        return np.asarray(norm.cdf((mean - 0.5) / np.sqrt(variance + LABEL_NOISE)))


def success_model(encoding: Encoding, observations: Sequence[Observation]) -> SuccessModel | None:
    """Return the model of success, None if no recipe failed yet.

    Failures that were not the recipe's (`NOT_THE_RECIPE`, or a sample lost and made again) teach
    nothing about it.
    """
    observations = [o for o in observations if not o.failed or _is_the_recipe(o)]
    if not any(o.failed for o in observations):
        return None
    x = encoding.encode_observations(observations)
    length = REACH * float(np.sqrt(len(encoding.columns)))
    covariance = PRIOR_VARIANCE * matern52(distance(x, x) / length)
    noisy = covariance + LABEL_NOISE * np.eye(len(x))
    inverse = np.asarray(np.linalg.inv(noisy), dtype=np.float64)
    labels = np.array([0.0 if o.failed else 1.0 for o in observations])
    return SuccessModel(x=x, weights=inverse @ (labels - 1.0), inverse=inverse, length=length)


def _is_the_recipe(observation: Observation) -> bool:
    return observation.cause not in NOT_THE_RECIPE and not observation.repeat
