"""The points that matter to a choice of action, and what is believed of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from planners.actions.belief import Belief, Indices
from planners.columns import Array
from planners.proposal import Observation
from planners.space import Point

MAX_P_WRONG = 0.999
"""Greatest probability of being wrong that is told apart from certainty."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A value as it entered a belief, in the quantity's unit.

    Attributes
    ----------
    variance : of its noise, the chance that the analysis is wrong included.
    doubt : the part of `variance` that stands for that chance.
    """

    value: float
    variance: float
    doubt: float

    @property
    def own(self) -> float:
        """Variance of the value's own noise."""
        return max(self.variance - self.doubt, 0.0)


class Worth(Protocol):
    """What is won by an outcome: see `planners.actions.aim.Aim`."""

    def after(
        self,
        beliefs: Mapping[str, Belief],
        i: int,
        variances: Mapping[str, float],
        *,
        among: Indices,
    ) -> tuple[float, Array]:
        """Return what is best worth after an outcome, and what each point is expected to be."""
        ...


@dataclass(frozen=True, slots=True)
class Scene:
    """Observations, then candidates, then what else a belief is judged by: points in this order.

    Attributes
    ----------
    beliefs : quantity → joint belief at all points.
    entries : of each observation, quantity → how its value entered; empty if it failed.
    population : quantity → mean and standard deviation of the values, from which wrong ones come.
    noise : quantity → variance expected of a new sample's value.
    succeeds : probability that a new sample succeeds at each point, (n_points,).
    candidates : the points that follow the observations; the first is what the planner would make.
    """

    aim: Worth
    observations: tuple[Observation, ...]
    beliefs: Mapping[str, Belief]
    entries: tuple[Mapping[str, Entry], ...]
    population: Mapping[str, tuple[float, float]]
    noise: Mapping[str, float]
    succeeds: Array
    candidates: tuple[Point, ...]

    @property
    def quantities(self) -> tuple[str, ...]:
        """All that is wanted, in the objective's order."""
        return tuple(self.beliefs)

    @property
    def made(self) -> Indices:
        """The points that can be recommended now: those of samples that told something."""
        return np.array([i for i, entry in enumerate(self.entries) if entry], dtype=np.int64)


def odds(p_wrong: float) -> float:
    """Return the variance that a chance of being wrong adds, in that of the population.

    See `planners.bayesian.surrogate.fit_quantity`.
    """
    p = min(p_wrong, MAX_P_WRONG)
    return p / (1.0 - p)
