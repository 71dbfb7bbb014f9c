"""How long ago the best experiment, or the front, last became better."""

from __future__ import annotations

from planners.objective import Objective
from planners.proposal import Observation


class Improvement:
    """Counts the experiments since the last one that was better than everything before it.

    With one utility an experiment is better if it satisfies every target as the first one, or if
    its utility exceeds that of the last better one by more than the tolerance, so that many small
    steps count as one. A front becomes better by an experiment that no other matches within the
    tolerance in every target (additive epsilon-dominance, Laumanns et al. 2002,
    doi:10.1162/106365602760234108). Experiments that break a constraint are never better.

    Parameters
    ----------
    tolerance : rise of utility that does not count.

    Attributes
    ----------
    since : experiments since then; 0 before anything could be ranked.
    """

    def __init__(self, objective: Objective, *, tolerance: float = 0.0) -> None:
        self._objective = objective
        self._tolerance = tolerance
        self._best: tuple[bool, float] | None = None
        self._front: list[tuple[float, ...]] = []
        self.since = 0

    def add(self, observation: Observation) -> None:
        """Take in an experiment, failed ones included."""
        outcomes, objective = observation.outcomes, self._objective
        counts = objective.is_complete(outcomes) and objective.is_feasible(outcomes)
        if counts and (self._extends(observation) if self._is_front else self._tops(observation)):
            self.since = 0
        elif self._best is not None or self._front:
            self.since += 1

    def pass_by(self) -> None:
        """Count an experiment that made no sample, but measured an earlier one again."""
        if self._best is not None or self._front:
            self.since += 1

    @property
    def _is_front(self) -> bool:
        return self._objective.combine == "front" and len(self._objective.targets) > 1

    def _tops(self, observation: Observation) -> bool:
        _, reached, utility = self._objective.rank(observation.outcomes)
        if self._best is not None:
            was_reached, before = self._best
            higher = utility > before + self._tolerance
            if not (reached > was_reached or (reached == was_reached and higher)):
                return False
        self._best = reached, utility
        return True

    def _extends(self, observation: Observation) -> bool:
        own = tuple(t.utility(observation.outcomes[t.quantity]) for t in self._objective.targets)
        if any(
            all(a + self._tolerance >= b for a, b in zip(member, own, strict=True))
            for member in self._front
        ):
            return False
        self._front.append(own)
        return True
