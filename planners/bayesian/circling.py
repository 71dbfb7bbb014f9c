"""Experiments that circle: the last ones repeat earlier ones and gain nothing worth having."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from planners.bayesian.feasibility import SuccessModel
from planners.encoding import Array
from planners.objective import Objective
from planners.proposal import Observation

NEAR = 0.03
"""Root-mean-square distance per column under which an experiment repeats an earlier one."""

LEAST_GAIN = 0.01
"""Rise of the best utility, in standard deviations of all, that makes a repetition worthwhile."""

ELSEWHERE = 0.05
"""Root-mean-square distance per column from which on a point lies elsewhere."""

LIKELY = 0.5
"""Probability of success from which on an experiment elsewhere is worth its sample."""

PATIENCE = 2
"""Repetitions in a row without such a gain, after which the next experiment is made elsewhere."""


def circles(objective: Objective, observations: Sequence[Observation], x: Array) -> bool:
    """Return whether the last experiments repeat earlier ones and gain nothing worth having.

    A model that is sure of its length scales spends a campaign on the last digit of one optimum.
    Only experiments that told every quantity and obey every constraint can gain. A front and a map
    have no single best, and never circle.

    Parameters
    ----------
    observations : those that gave outcomes, in the order in which they were made.
    x : their coordinates, shape (n, n_columns).
    """
    front = objective.combine == "front" and len(objective.targets) > 1
    if front or objective.maps or len(observations) <= PATIENCE:
        return False
    utilities = np.array([_utility(objective, o) for o in observations])
    counted = np.isfinite(utilities)
    if not counted[:-PATIENCE].any():
        return False
    best = np.maximum.accumulate(utilities)
    worth = LEAST_GAIN * float(utilities[counted].std())
    return all(
        nearest(x[i : i + 1], x[:i])[0] < NEAR and best[i] - best[i - 1] <= worth
        for i in range(len(x) - PATIENCE, len(x))
    )


def no_news(x: Array, made: Array, success: SuccessModel | None) -> npt.NDArray[np.bool_]:
    """Return whether each point repeats an experiment or will likely fail, shape (n_points,).

    Parameters
    ----------
    x : coordinates, shape (n_points, n_columns).
    made : those of the experiments that gave outcomes, shape (n, n_columns).
    success : None where no experiment has failed.
    """
    repeats = nearest(x, made) <= ELSEWHERE
    return repeats if success is None else repeats | (success.probability(x) < LIKELY)


def nearest(x: Array, others: Array) -> Array:
    """Return the root-mean-square distance per column to the nearest other, infinity to none.

    Parameters
    ----------
    x, others : coordinates, shapes (n_points, n_columns) and (n, n_columns).
    """
    if not len(others):
        return np.full(len(x), np.inf)
    return np.asarray(np.sqrt(((x[:, None, :] - others[None]) ** 2).mean(axis=2).min(axis=1)))


def _utility(objective: Objective, observation: Observation) -> float:
    """Return the utility, minus infinity of an experiment that cannot be best."""
    told = observation.outcomes
    if not objective.is_complete(told) or not objective.is_feasible(told):
        return -np.inf
    return objective.utility(told)
