"""Several targets traded against each other: the front, and how much of the space it dominates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from orchestrator.campaign import Campaign
from planners.objective import Objective
from planners.pareto import hypervolume_course, non_dominated
from planners.proposal import Observation

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Front:
    """The experiments that count, and those of them that no other beats.

    An experiment counts if it told every quantity and obeys every constraint. The reference point
    of the hypervolume is the worst value of each target among them, so a volume can be compared
    within one history only.

    Attributes
    ----------
    counted : indices of the experiments that count, in order.
    members : indices of those on the front.
    gains : `Target.utility` of each that counts, shape (n_counted, n_targets).
    course : hypervolume after each that counts, shape (n_counted,).
    """

    counted: tuple[int, ...]
    members: tuple[int, ...]
    gains: Array
    course: Array

    @property
    def reference(self) -> Array:
        """The worst gain of each target, shape (n_targets,)."""
        return np.asarray(self.gains.min(axis=0))

    @property
    def ideal(self) -> Array:
        """The best gain of each target, shape (n_targets,)."""
        return np.asarray(self.gains.max(axis=0))

    @property
    def box(self) -> float:
        """Volume between the worst and the best gain of every target."""
        return float(np.prod(self.ideal - self.reference))

    @property
    def share(self) -> float | None:
        """Share of the box that the front dominates; None where all are equal in a target."""
        return float(self.course[-1]) / self.box if self.box > 0 else None


def is_front(objective: Objective) -> bool:
    """Return whether several targets are traded against each other."""
    return objective.combine == "front" and len(objective.targets) > 1


def front_of(objective: Objective, done: Sequence[Observation]) -> Front | None:
    """Return the front of finished experiments; None if none is sought or nothing counts."""
    if not is_front(objective):
        return None
    counted = [
        i
        for i, o in enumerate(done)
        if not o.failed and objective.is_complete(o.outcomes) and objective.is_feasible(o.outcomes)
    ]
    if not counted:
        return None
    gains = np.array(
        [[t.utility(done[i].outcomes[t.quantity]) for t in objective.targets] for i in counted]
    )
    members = np.array(counted)[non_dominated(gains)]
    return Front(
        counted=tuple(counted),
        members=tuple(int(i) for i in members),
        gains=gains,
        course=hypervolume_course(gains, gains.min(axis=0)),
    )


def front(campaign: Campaign, done: Sequence[Observation]) -> list[int]:
    """Return the indices of the experiments that no other beats in every target.

    Empty where the campaign does not trade several targets against each other.
    """
    found = front_of(campaign.objective, done)
    return [] if found is None else list(found.members)
