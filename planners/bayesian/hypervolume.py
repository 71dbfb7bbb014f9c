"""Choosing for a front over a finite space: the hypervolume that an optimistic outcome would add.

Two or three targets are done here in closed form, in milliseconds; more are left to BoTorch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.marginal import CHUNK, log_feasible
from planners.bayesian.surrogate import Surrogates
from planners.columns import Array
from planners.objective import Objective
from planners.pareto import non_dominated

OPTIMISM = 2.0
"""Standard deviations above the mean at which an outcome is hoped for."""

BEYOND = 0.1
"""Share of the front's range by which the reference point lies below its worst end."""

NOTHING = -700.0
"""Value of a point that adds nothing even if it comes out well."""


def is_closed(objective: Objective) -> bool:
    """Return whether the front has two or three targets, each to be raised or lowered."""
    straight = all(t.goal in ("maximize", "minimize") for t in objective.targets)
    return objective.combine == "front" and len(objective.targets) in (2, 3) and straight


def improvement(u: Array, front: Array, reference: Array) -> Array:
    """Return the hypervolume that each point would add to a front.

    In two dimensions the room above the staircase is cut into strips; in three into slabs along
    the last target, each with its own staircase (the sweep of Beume et al. 2009,
    doi:10.1109/TEVC.2009.2015575, turned round).

    Parameters
    ----------
    u : points, higher is better, shape (n_points, m) with m 2 or 3.
    front : points of the front, shape (n_front, m); those below the reference play no role.
    reference : the corner from which volume is counted, shape (m,).

    Returns
    -------
    Shape (n_points,).
    """
    above = front[(front > reference).all(axis=1)]
    if u.shape[1] == 2:
        return _strips(u, above, reference)
    order = np.argsort(-above[:, 2], kind="stable")
    levels = np.concatenate([[np.inf], above[order, 2], [reference[2]]])
    total = np.zeros(len(u))
    for k in range(len(order) + 1):
        height = np.clip(np.minimum(u[:, 2], levels[k]) - levels[k + 1], 0.0, None)
        if height.any():
            total += height * _strips(u[:, :2], above[order[:k], :2], reference[:2])
    return total


def _strips(u: Array, front: Array, reference: Array) -> Array:
    stairs = front[non_dominated(front)] if len(front) else front
    stairs = np.unique(stairs, axis=0)  # the first coordinate rises, so the second falls
    left = np.concatenate([[reference[0]], stairs[:, 0]])
    right = np.concatenate([stairs[:, 0], [np.inf]])
    floor = np.concatenate([stairs[:, 1], [reference[1]]])
    width = np.clip(np.minimum(u[:, :1], right) - left, 0.0, None)
    return np.asarray((width * np.clip(u[:, 1:] - floor, 0.0, None)).sum(axis=1))


@dataclass(frozen=True, slots=True)
class FrontAcquisition:
    """Logarithm of the hypervolume added if every target comes out two standard deviations well.

    The counterpart of the upper bound for several targets (SMS-EGO, Ponweiser et al. 2008,
    doi:10.1007/978-3-540-87700-4_78, without its penalty). Volumes are in units of the targets'
    spreads over the experiments; ln P(feasible) and ln P(success) are added.

    Attributes
    ----------
    surrogates : with points under way believed in.
    front : predicted utilities of what was made and is under way, in spreads, shape (n, m).
    reference : shape (m,). spread : of each target's utility, shape (m,).
    """

    surrogates: Surrogates
    objective: Objective
    front: Array
    reference: Array
    spread: Array
    success: SuccessModel | None = None
    name: str = "UCB-HVI"
    log_unit: float = 0.0

    def score(self, x: Array) -> Array:
        """Return the value at each row of coordinates, shape (n_points,)."""
        parts = [self._score(x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _score(self, x: Array) -> Array:
        predicted = {q: s.predict(x) for q, s in self.surrogates.items()}
        mean, std = utilities(self.objective, predicted)
        hoped = (mean + OPTIMISM * std) / self.spread
        added = improvement(hoped, self.front, self.reference)
        least = NOTHING + np.tanh(hoped.mean(axis=1))
        value = np.where(added > 0, np.log(np.maximum(added, 1e-300)), least)
        value = value + log_feasible(self.objective.constraints, predicted)
        if self.success is not None:
            value = value + np.log(np.maximum(self.success.probability(x), 1e-300))
        return np.asarray(value, dtype=np.float64)


def utilities(
    objective: Objective, predicted: Mapping[str, tuple[Array, Array]]
) -> tuple[Array, Array]:
    """Return mean and std of each target's utility, shape (n_points, n_targets) each."""
    slopes = np.array([t.utility(1.0) - t.utility(0.0) for t in objective.targets])
    mean = np.stack([predicted[t.quantity][0] for t in objective.targets], axis=1)
    std = np.stack([predicted[t.quantity][1] for t in objective.targets], axis=1)
    return mean * slopes, std * np.abs(slopes)


def build(
    surrogates: Surrogates,
    objective: Objective,
    *,
    baseline: Array,
    pending: Array,
    success: SuccessModel | None,
) -> FrontAcquisition:
    """Return the acquisition function for one more experiment; see `marginal.build`."""
    x = np.concatenate([baseline, pending])
    predicted = {q: s.predict(x) for q, s in surrogates.items()}
    mean, _ = utilities(objective, predicted)
    spread = np.std(mean[: len(baseline)], axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = mean / spread
    likely = np.broadcast_to(
        np.asarray(log_feasible(objective.constraints, predicted)) > np.log(0.5), (len(x),)
    )
    counted = scaled[likely] if objective.constraints else scaled
    front = counted[non_dominated(counted)] if len(counted) else counted
    ends = front if len(front) else scaled
    size = np.where(np.ptp(ends, axis=0) > 0, np.ptp(ends, axis=0), np.ptp(scaled, axis=0))
    return FrontAcquisition(
        surrogates={q: s.believing(pending) for q, s in surrogates.items()},
        objective=objective,
        front=front,
        reference=ends.min(axis=0) - BEYOND * size,
        spread=spread,
        success=success,
    )
