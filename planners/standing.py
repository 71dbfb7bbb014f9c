"""Which experiments stand best: the one, or those that no other beats."""

from __future__ import annotations

from collections.abc import Sequence

from planners.errors import PlanningError
from planners.objective import Objective
from planners.pareto import non_dominated
from planners.proposal import Observation


def best_of(objective: Objective, observations: Sequence[Observation]) -> Observation | None:
    """Return the best experiment that obeys every constraint; None without one.

    By `Objective.rank` of the outcomes as told; the first of equals. Only experiments that told
    every quantity count.

    Raises
    ------
    PlanningError
        The objective has no single best experiment.
    """
    if objective.maps or (objective.combine == "front" and len(objective.targets) > 1):
        raise PlanningError(
            "the objective trades targets against each other or maps the space, so no single "
            "experiment is best; ask for the front, or read the observations"
        )
    counted = _counted(objective, observations)
    return max(counted, key=lambda o: objective.rank(o.outcomes)) if counted else None


def front_of(objective: Objective, observations: Sequence[Observation]) -> list[Observation]:
    """Return the experiments that no other beats in every target, in the order given.

    Only those that told every quantity and obey every constraint.
    """
    counted = _counted(objective, observations)
    if not counted:
        return []
    gains = [[t.utility(o.outcomes[t.quantity]) for t in objective.targets] for o in counted]
    return [o for o, free in zip(counted, non_dominated(gains), strict=True) if free]


def _counted(objective: Objective, observations: Sequence[Observation]) -> list[Observation]:
    return [
        o
        for o in observations
        if not o.failed and objective.is_complete(o.outcomes) and objective.is_feasible(o.outcomes)
    ]
