"""What is won by knowing more where the whole space is asked about: a surer map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from planners.actions.belief import Belief, Indices
from planners.bayesian.goals.boundary import expected_misclassified, misclassification_gain
from planners.bayesian.goals.exploration import variance_gain
from planners.columns import Array
from planners.objective import Objective, Target


@dataclass(frozen=True, slots=True)
class MapAim:
    """The fall of what is unknown of a map, summed over targets with their weights.

    For a boundary the share of the space expected on the wrong side of it; for exploration the
    mean variance over the space in units of what it is now.

    Attributes
    ----------
    now : beliefs before any action.
    first : index from which on the points stand for the whole space.
    """

    objective: Objective
    now: Mapping[str, Belief]
    first: int

    def after(
        self,
        beliefs: Mapping[str, Belief],
        i: int,
        variances: Mapping[str, float],
        *,
        among: Indices,
    ) -> tuple[float, Array]:
        """Return what a map is worth after an outcome at point i, and what it is worth now.

        See `planners.actions.aim.Aim.after`; whatever is recommended, the map is the same, so that
        all of the second, shape (n_among,), are equal.
        """
        worth = [
            -target.weight * self._left(target, beliefs[target.quantity], i, variances)
            for target in self.objective.targets
        ]
        before = [-t.weight * self._lost(t, self.now[t.quantity]) for t in self.objective.targets]
        return float(np.sum(worth)), np.full(len(among), np.sum(before))

    def _lost(self, target: Target, belief: Belief) -> float:
        mean, variance = belief.mean[self.first :], belief.variance[self.first :]
        if target.goal == "boundary":
            assert target.value is not None
            return expected_misclassified(mean, np.sqrt(variance), level=target.value)
        return float(variance.mean()) / self._unit(target)

    def _left(
        self, target: Target, belief: Belief, i: int, variances: Mapping[str, float]
    ) -> float:
        lost, variance = self._lost(target, belief), variances[target.quantity]
        if not np.isfinite(variance):
            return lost
        across = belief.covariance[i : i + 1, self.first :]
        spread = np.array([max(belief.variance[i] + variance, 1e-300)])
        if target.goal == "boundary":
            assert target.value is not None
            mean, std = belief.mean[self.first :], np.sqrt(belief.variance[self.first :])
            gain = misclassification_gain(mean, std, across, spread, level=target.value)
            return lost - float(gain[0])
        gain = variance_gain(across, spread, np.ones(across.shape[1]))
        return lost - float(gain[0]) / self._unit(target)

    def _unit(self, target: Target) -> float:
        return max(float(self.now[target.quantity].variance[self.first :].mean()), 1e-300)
