"""A level that is asked for and not reached yet: only what exceeds it counts as improvement.

Goal seeking (Jones 2001, doi:10.1023/A:1012771025575, section 7): the last per cent of a phase that
cannot reach the level is worth nothing, and phases that nobody has made yet are worth a look.
"""

from __future__ import annotations

import numpy as np

from planners.bayesian import marginal
from planners.bayesian.surrogate import Surrogates
from planners.columns import Array
from planners.objective import Objective

SAID = "The level asked for is not reached, so only what exceeds it counts."
"""What a reason says meanwhile."""


def is_sought(objective: Objective, surrogates: Surrogates, x: Array) -> bool:
    """Return whether a level is asked for that no experiment at `x` is expected to have reached.

    Never of values to be matched, maps and fronts.
    """
    goal = aimed_at(objective)
    if not np.isfinite(goal) or not len(x) or not marginal.is_normal(objective):
        return False
    mean, _ = marginal.utility(objective, {q: s.predict(x) for q, s in surrogates.items()})
    return bool(mean.max() < goal)


def aimed_at(objective: Objective) -> float:
    """Return the utility at which every target has reached its level, -inf if one has none."""
    levels = {t.quantity: t.value for t in objective.targets}
    known = {q: v for q, v in levels.items() if v is not None}
    return objective.utility(known) if len(known) == len(levels) else -np.inf
