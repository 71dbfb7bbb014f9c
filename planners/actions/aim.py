"""What recommendations are worth, and what they gain by an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr

from planners.actions.belief import Belief, Indices
from planners.actions.gains import expected_best, nodes
from planners.columns import Array
from planners.objective import Objective, Target

FARTHEST = 1e-3
"""Std over distance from which on a normal variable stays on its side for all that matters."""

Beliefs = Mapping[str, Belief]
"""Quantity → what is believed of it at the same points."""


@dataclass(frozen=True, slots=True)
class Aim:
    """The worth of points as recommendations, in units of the objective's utility.

    A point is worth its expected utility. Where outcomes are bound, it is worth what its utility
    is above `floor`, as far as it is likely to keep the bounds.

    Attributes
    ----------
    floor : utility of a recommendation that breaks a bound; not used without bounds.
    """

    objective: Objective
    floor: float = 0.0

    @property
    def is_straight(self) -> bool:
        """Whether worth is a straight line of one quantity, so that there are closed forms."""
        (target, *others) = self.objective.targets
        straight = target.goal in ("maximize", "minimize")
        return straight and not others and not self.objective.constraints

    def worth(self, mean: Mapping[str, Array], variance: Mapping[str, Array]) -> Array:
        """Return what points are worth under normal beliefs, in the shape of a mean.

        Parameters
        ----------
        mean, variance : quantity → of each point, in the quantity's unit; any shapes that
            broadcast.
        """
        total: Array | float = 0.0
        for target in self.objective.targets:
            q = target.quantity
            total = total + target.weight * _utility(target, mean[q], np.sqrt(variance[q]))
        if not self.objective.constraints:
            return np.asarray(total)
        return np.asarray((total - self.floor) * np.exp(self._log_kept(mean, variance)))

    def _log_kept(self, mean: Mapping[str, Array], variance: Mapping[str, Array]) -> Array | float:
        total: Array | float = 0.0
        for c in self.objective.constraints:
            std = np.sqrt(variance[c.quantity]) + 1e-300
            if c.lower is not None:
                total = total + log_ndtr((mean[c.quantity] - c.lower) / std)
            if c.upper is not None:
                total = total + log_ndtr((c.upper - mean[c.quantity]) / std)
        return total

    def after(
        self, beliefs: Beliefs, i: int, variances: Mapping[str, float], *, among: Indices
    ) -> tuple[float, Array]:
        """Return what the best point is worth after an outcome, and what each is expected to be.

        The best is taken after each possible outcome and averaged, ``E[max_a w_a(outcome)]``; the
        worth of each point is ``E[w_a(outcome)]``, shape (n_among,). What the outcome is worth is
        the first less the greatest of the second.

        Parameters
        ----------
        i : the point at which an outcome of each quantity comes.
        variances : quantity → variance of its noise; infinite where the outcome tells nothing.
        among : the points that can be recommended.
        """
        if self.is_straight:
            (target,) = self.objective.targets
            belief = beliefs[target.quantity]
            slope = target.weight * (target.utility(1.0) - target.utility(0.0))
            each = slope * belief.mean[among]
            moved = slope * belief.slopes(i, variances[target.quantity])[among]
            return expected_best(each, moved), each
        return self._sampled(beliefs, i, variances, among)

    def _sampled(
        self, beliefs: Beliefs, i: int, variances: Mapping[str, float], among: Indices
    ) -> tuple[float, Array]:
        outcomes = nodes(len(beliefs))
        means, left = {}, {}
        for (q, belief), z in zip(beliefs.items(), outcomes.T, strict=True):
            moved = z[:, None] * belief.slopes(i, variances[q])[among]
            means[q] = belief.mean[among] + moved
            left[q] = belief.left(i, variances[q])[among]
        worth = self.worth(means, left)
        return float(worth.max(axis=1).mean()), np.asarray(worth.mean(axis=0))


def _utility(target: Target, mean: Array, std: Array) -> Array:
    """Return the expected utility of a normal variable; a folded normal where a value is hit."""
    if target.goal != "match":
        return target.utilities(mean)
    assert target.value is not None
    away = np.abs(mean - target.value)
    ratio = away / np.maximum(std, FARTHEST * away + 1e-300)
    folded = std * np.sqrt(2.0 / np.pi) * np.exp(-0.5 * ratio**2) + away * (
        1.0 - 2.0 * ndtr(-ratio)
    )
    return np.asarray(-folded / (target.scale or target.tolerance or 1.0))
