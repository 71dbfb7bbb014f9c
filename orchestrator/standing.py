"""How far a campaign has come, and whether it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.run import Run
from orchestrator.scoring import probability_reached
from orchestrator.store.records import ActionRecord
from planners.proposal import Observation


@dataclass(frozen=True, slots=True)
class Spent:
    """What a campaign has used so far.

    Attributes
    ----------
    hours : instruments' laboratory time, summed over experiments.
    money : in the laboratory's currency.
    """

    experiments: int
    hours: float
    money: float


def hours_used(actions: Sequence[ActionRecord]) -> float:
    """Return the laboratory hours of settled actions, summed over instruments."""
    return sum(
        (a.finished - a.started).total_seconds() / 3600
        for a in actions
        if a.started is not None and a.finished is not None
    )


class Standing:
    """What the finished experiments of a campaign amount to.

    It is brought up to date with what is new, so the cost does not grow with the history.
    Experiments count in the order in which they ended.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._cursor = 0
        self.experiments = 0
        self._money = 0.0
        self._hours = 0.0
        self._hours_under_way = 0.0
        self._reached: int | None = None
        self._failures: list[str] = []
        self._best: tuple[bool, bool, float] | None = None
        self._since_best = 0
        self._is_timed = run.campaign.budget.hours is not None

    @property
    def used(self) -> Spent:
        """What was spent; hours are counted where the budget limits them, also of what is begun."""
        return Spent(self.experiments, self._hours + self._hours_under_way, self._money)

    def refresh(self) -> None:
        """Take in what ended since the last call."""
        history, name = self._run.history, self._run.id
        first = self._cursor == 0
        self._cursor, new = history.observations_since(name, self._cursor)
        for number, observation in new:
            self._add(number, observation)
        if self._is_timed:
            ended = {number for number, _ in new}
            for number in () if first else ended:
                self._hours += hours_used(history.actions(name, number))
            if first:
                actions = history.actions(name)
                self._hours += hours_used([a for a in actions if a.number in ended])
            self._hours_under_way = sum(
                hours_used(history.actions(name, number)) for number in self._run.under_way.points
            )

    def why_over(self) -> str | None:
        """Return why the campaign is over, or None if it goes on."""
        budget, stop = self._run.campaign.budget, self._run.campaign.stop
        used = self.used
        if stop.when_reached and self._reached is not None:
            return f"experiment {self._reached} satisfies every target"
        if used.experiments >= budget.experiments:
            return f"the budget of {budget.experiments} experiments is used up"
        if budget.hours is not None and used.hours >= budget.hours:
            return f"the budget of {budget.hours:g} hours is used up ({used.hours:.1f} h)"
        if budget.money is not None and used.money >= budget.money:
            return f"the budget of {budget.money:g} is used up ({used.money:.2f} spent)"
        if len(self._failures) >= stop.failures_in_a_row:
            n, latest = stop.failures_in_a_row, self._failures[-1]
            return f"the last {n} experiments failed, the latest because {latest}"
        if stop.no_improvement_for is not None and self._since_best >= stop.no_improvement_for:
            return f"no improvement over {stop.no_improvement_for} experiments"
        return None

    def _add(self, number: int, observation: Observation) -> None:
        self.experiments += 1
        self._money += observation.cost
        if self._reached is None and self._reaches(observation):
            self._reached = number
        if observation.failed:
            self._failures.append(observation.failure)
        else:
            self._failures.clear()
        self._compare(observation)

    def _reaches(self, observation: Observation) -> bool:
        campaign = self._run.campaign
        if not campaign.objective.is_reached(observation.outcomes):
            return False
        return probability_reached(campaign.objective, observation) >= campaign.stop.confidence

    def _compare(self, observation: Observation) -> None:
        """Count how many experiments were made since the best one."""
        objective, outcomes = self._run.campaign.objective, observation.outcomes
        if objective.is_complete(outcomes) and objective.is_feasible(outcomes):
            rank = objective.rank(outcomes)
            if self._best is None or rank > self._best:
                self._best, self._since_best = rank, 0
                return
        if self._best is not None:
            self._since_best += 1
