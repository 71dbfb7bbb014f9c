"""What an experiment promises beyond the best so far, by the structure it is foretold to give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planners.bayesian.feasibility import SuccessModel
from planners.columns import Array
from planners.objective import Objective
from planners.structural.foretelling import Foretold, StructureModel
from planners.structural.known import KnownFunction

FAINT = 1e-6
"""What likeness itself counts beside a gain, so that points differ where none promises one."""

FARTHEST = 50.0
"""Utility above the best that is as good as any."""


@dataclass(frozen=True, slots=True)
class Aim:
    """An objective, and what has been reached of it.

    Utilities here are in units of the known functions' softness.

    Attributes
    ----------
    reached : (n_readings,) utility of each structure read.
    success : model of failed experiments, None if none failed.
    """

    objective: Objective
    model: StructureModel
    reached: Array
    success: SuccessModel | None

    def worth(self, x: Array) -> Array:
        """Return what each point promises, times its probability to succeed, (n_points,)."""
        found = self.gain(self.model.foretell(x))
        return found if self.success is None else found * self.success.probability(x)

    def gain(self, foretold: Foretold) -> Array:
        """Return the likeness to what is wanted that points promise beyond the best, (n_points,).

        Likeness is exp(utility), not the utility itself, whose expected value asks for the best
        experiment again, and betters the wrong answer for long before it looks for the right one.
        """
        above = np.minimum(self._above(foretold), FARTHEST)
        likeness = np.expm1(np.maximum(above, 0.0)) + FAINT * np.exp(above)
        return foretold.expected(likeness)

    def chance(self, foretold: Foretold) -> Array:
        """Return the probability that points are better than the best so far, (n_points,)."""
        return foretold.expected((self._above(foretold) > 0).astype(np.float64))

    def _above(self, foretold: Foretold) -> Array:
        found = utility(self.objective, self.model.functions, foretold.quantities)
        return found - float(self.reached.max())


def aim_at(objective: Objective, model: StructureModel, success: SuccessModel | None) -> Aim:
    """Return the aim: an experiment is worth what was measured, else what was read of it.

    Readings that are more likely wrong than right count as the worst where nothing was measured.
    """
    measured = model.readings.measured
    seen = np.isfinite(measured)
    values = np.where(seen, measured, model.shown.mean)
    by_quantity = {f.quantity: v for f, v in zip(model.functions, values.T, strict=True)}
    reached = utility(objective, model.functions, by_quantity)
    sure = seen.all(axis=1) | (model.right > 0.5)
    return Aim(objective, model, np.where(sure, reached, reached.min()), success)


def utility(
    objective: Objective, functions: Sequence[KnownFunction], values: Mapping[str, Array]
) -> Array:
    """Return the weighted mean of the targets' utilities, each in units of its softness.

    A mean, not a sum: likeness is its exponential, and two curves of one structure are no reason
    to take twice the risk.
    """
    total, weights = np.zeros(1), 0.0
    for f in functions:
        target = next(t for t in objective.targets if t.quantity == f.quantity)
        unit = (target.scale or target.tolerance or 1.0) / f.softness
        total = total + target.weight * unit * target.utilities(values[f.quantity])
        weights += target.weight
    return np.asarray(total / weights)
