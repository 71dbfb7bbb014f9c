"""How far a campaign has come, and whether it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.acting.current import NOTHING_NEW, current
from orchestrator.campaign import Campaign
from orchestrator.forecast import price_of_point
from orchestrator.run import Run
from orchestrator.scoring import probability_reached
from orchestrator.stopping.expectations import Expectations
from orchestrator.stopping.improvement import Improvement
from orchestrator.store.records import ActionRecord
from planners.proposal import Observation, Proposal


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


class Tally:
    """What finished experiments amount to, one added after the other in the order of ending."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self.experiments = 0
        self.money = 0.0
        self._failures: list[str] = []
        self._ended: list[tuple[int, Observation]] = []
        self._look_at(())

    def add(self, number: int, observation: Observation) -> None:
        """Count an experiment; one that measured a sample again changes what is known of it."""
        self.experiments += 1
        self.money += observation.cost
        if observation.failed:
            self._failures.append(observation.failure)
        else:
            self._failures.clear()
        self._ended.append((number, observation))
        if observation.supersedes is not None:
            self._look_at(self._ended)
        elif observation.cause == NOTHING_NEW:
            self._improvement.pass_by()
        else:
            self._take_in(number, observation)

    def why_over(self, *, hours: float) -> str | None:
        """Return why the campaign is over, or None if it goes on.

        Parameters
        ----------
        hours : laboratory time used so far.
        """
        budget, stop = self._campaign.budget, self._campaign.stop
        if stop.when_reached and self._reached is not None:
            return f"experiment {self._reached} satisfies every target"
        if self.experiments >= budget.experiments:
            return f"the budget of {budget.experiments} experiments is used up"
        if budget.hours is not None and hours >= budget.hours:
            return f"the budget of {budget.hours:g} hours is used up ({hours:.1f} h)"
        if budget.money is not None and self.money >= budget.money:
            return f"the budget of {budget.money:g} is used up ({self.money:.2f} spent)"
        if len(self._failures) >= stop.failures_in_a_row:
            n, latest = stop.failures_in_a_row, self._failures[-1]
            return f"the last {n} experiments failed, the latest because {latest}"
        return self._stuck()

    def _look_at(self, ended: Sequence[tuple[int, Observation]]) -> None:
        """Judge from the beginning by what stands now; every turn counts for the rules."""
        stop = self._campaign.stop
        self._reached: int | None = None
        self._improvement = Improvement(
            self._campaign.objective, tolerance=stop.improvement_tolerance
        )
        standing = dict(current(ended))
        for number, observation in ended:
            if observation.supersedes is not None or observation.cause == NOTHING_NEW:
                self._improvement.pass_by()
            else:
                self._take_in(number, standing[number])

    def _take_in(self, number: int, observation: Observation) -> None:
        if self._reached is None and self._reaches(observation):
            self._reached = number
        self._improvement.add(observation)

    def _stuck(self) -> str | None:
        stop = self._campaign.stop
        n, least = stop.no_improvement_for, stop.improvement_tolerance
        if n is None or self._improvement.since < n:
            return None
        return f"no improvement{f' by more than {least:g}' if least else ''} over {n} experiments"

    def _reaches(self, observation: Observation) -> bool:
        objective = self._campaign.objective
        if not objective.is_reached(observation.outcomes):
            return False
        return probability_reached(objective, observation) >= self._campaign.stop.confidence


class Standing:
    """How far a campaign has come by its history, read as far as it is new.

    So the cost of asking does not grow with the history.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tally = Tally(run.campaign)
        stop, n_settings = run.campaign.stop, len(run.campaign.space.names)
        self._expectations = Expectations(
            stop,
            needed=stop.experiments_needed(n_settings),
            price=self._price,
            currency=run.laboratory.currency,
        )
        self._proposals = 0
        self._cursor = 0
        self._hours = 0.0
        self.refresh()

    @property
    def experiments(self) -> int:
        """Number of finished experiments."""
        return self._tally.experiments

    def refresh(self) -> None:
        """Take in what ended since the last call."""
        is_first = self._cursor == 0
        self._cursor, new = self._run.history.observations_since(self._run.id, self._cursor)
        for number, observation in new:
            self._tally.add(number, observation)
        if self._is_timed and new:
            self._hours += self._hours_of({n for n, _ in new}, at_once=is_first)
        if self._run.campaign.stop.asks_the_model:
            self._hear_the_model()

    def why_over(self) -> str | None:
        """Return why the campaign is over, or None if it goes on.

        Hours of experiments under way count as far as their actions have ended. What the model
        told goes first: had something else ended the campaign before, it would not have been asked.
        """
        if self._expectations.why_over is not None:
            return self._expectations.why_over
        begun = set(self._run.under_way.points) if self._is_timed else set()
        return self._tally.why_over(hours=self._hours + self._hours_of(begun))

    def _hear_the_model(self) -> None:
        """Take in the proposals since the last call, those of experiments under way included."""
        run = self._run
        while (known := run.history.experiment(run.id, self._proposals)) is not None:
            told = known.number if known.told is None else known.told
            self._expectations.add(known.number, known.proposal, told=told)
            self._proposals += 1

    def _price(self, number: int, proposal: Proposal) -> float | None:
        run = self._run
        return price_of_point(run.campaign, run.laboratory, run.match, number, proposal.values)

    @property
    def _is_timed(self) -> bool:
        return self._run.campaign.budget.hours is not None

    def _hours_of(self, numbers: set[int], *, at_once: bool = False) -> float:
        """Return the hours of some experiments; `at_once` reads the whole history in one go."""
        history, name = self._run.history, self._run.id
        if at_once:
            return hours_used([a for a in history.actions(name) if a.number in numbers])
        return sum(hours_used(history.actions(name, number)) for number in sorted(numbers))
