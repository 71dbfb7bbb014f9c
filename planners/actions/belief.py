"""A joint normal belief about one quantity at some points, and how an outcome would change it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planners.columns import Array

Indices = npt.NDArray[np.int64]

LEAST_LEFT = 0.02
"""Share of a reading's variance by which it stays above that of the belief it entered, so that a
belief that is no exact posterior can still be told without it."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one quantity at points, all in the quantity's unit.

    Attributes
    ----------
    mean : (n_points,) expected noise-free values.
    covariance : (n_points, n_points).
    """

    mean: Array
    covariance: Array

    @property
    def variance(self) -> Array:
        """Variance at each point, (n_points,)."""
        return np.maximum(np.diag(self.covariance), 0.0)

    def told(self, i: int, value: float, variance: float) -> Belief:
        """Return the belief after `value`, with noise of some variance, was seen at point i.

        Conditioning of a normal distribution on one noisy outcome.
        """
        return self._conditioned(i, value, float(self.variance[i]) + variance)

    def without(self, i: int, value: float, variance: float) -> Belief:
        """Return the belief as if `value`, which entered it with that variance, were unknown.

        It is conditioned on the same outcome with variance ``-variance``, which undoes it.
        """
        return self._conditioned(i, value, -self._left(i, variance))

    def at_other_noise(self, i: int, value: float, before: float, after: float) -> Belief:
        """Return the belief had `value` entered it with variance `after` instead of `before`."""
        if after == before:
            return self
        if after < before:
            return self.told(i, value, extra_variance(before, after))
        return self.without(i, value, before).told(i, value, after)

    def slopes(self, i: int, variance: float) -> Array:
        """Return by how much each mean moves for one std of an outcome at point i, (n_points,).

        ``Σ_ai / sqrt(Σ_ii + variance)``; an outcome without any doubt about it moves nothing.
        """
        spread = float(self.variance[i]) + variance
        if not np.isfinite(spread) or spread <= 0.0:
            return np.zeros(len(self.mean))
        return np.asarray(self.covariance[:, i] / np.sqrt(spread))

    def left(self, i: int, variance: float) -> Array:
        """Return the variance that is left at each point after an outcome at i, (n_points,)."""
        return np.asarray(np.maximum(self.variance - self.slopes(i, variance) ** 2, 0.0))

    def _left(self, i: int, variance: float) -> float:
        return max(variance - float(self.variance[i]), LEAST_LEFT * variance, 1e-300)

    def _conditioned(self, i: int, value: float, spread: float) -> Belief:
        if not np.isfinite(spread) or spread == 0.0:
            return self
        column = self.covariance[:, i]
        mean = self.mean + column * (value - self.mean[i]) / spread
        return Belief(mean, self.covariance - np.outer(column, column) / spread)


def extra_variance(before: float, after: float) -> float:
    """Return the variance of a second outcome that takes a first one's variance to `after`.

    ``1 / (1/after - 1/before)``; infinite where nothing is gained.
    """
    if after >= before:
        return float("inf")
    return before * after / (before - after) if after > 0 else 0.0
