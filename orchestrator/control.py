"""A whole campaign: turn after turn until a budget or a stop rule ends it."""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.campaign import Campaign
from orchestrator.errors import WaitsForPerson
from orchestrator.flight import Flight, TakeTurn
from orchestrator.loop import turn
from orchestrator.run import Run
from orchestrator.standing import Spent, Standing, hours_used
from planners.errors import NothingLeftToPropose
from planners.proposal import Observation

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a campaign ended.

    Attributes
    ----------
    status : ``finished`` if the campaign came to its own end, ``interrupted`` if a person or a
        signal ended it and it can be resumed, ``waiting`` if a person must answer first,
        ``stopped`` after an emergency stop, ``cancelled`` if a person ended it for good.
    reason : one sentence.
    """

    status: Literal["finished", "interrupted", "waiting", "stopped", "cancelled"]
    reason: str
    experiments: int


@dataclass(slots=True)
class _Course:
    """How a campaign goes on: what is left to finish, and what speaks against going on.

    Attributes
    ----------
    begun : experiments that an earlier process left unfinished.
    numbers : numbers of new experiments.
    over : why the campaign is over.
    broken : the first error that broke off a turn.
    """

    begun: deque[int]
    numbers: Iterator[int]
    over: str | None = None
    broken: Exception | None = None

    def next(self) -> int:
        """Return the experiment to go on with."""
        return self.begun.popleft() if self.begun else next(self.numbers)

    def learn(self, number: int, error: BaseException | None) -> None:
        """Take in how a turn ended; what is no error of a turn is raised at once."""
        if isinstance(error, NothingLeftToPropose):
            self.over = self.over or f"nothing is left to try: {error}"
        elif isinstance(error, Exception):
            level = logging.INFO if isinstance(error, WaitsForPerson) else logging.WARNING
            logger.log(level, "experiment %s broke off: %s", number, error)
            self.broken = self.broken or error
        elif error is not None:
            raise error


async def run_campaign(
    run: Run,
    *,
    take_turn: TakeTurn = turn,
    wanted: Callable[[], bool] = lambda: True,
) -> Ending:
    """Take turns, several at once if the campaign says so, until it ends; return why it did.

    Experiments that were begun before are finished first, also of a campaign that is over. When it
    is, or a turn breaks off with an error, no turn is begun any more and those under way come to
    their end.

    Parameters
    ----------
    take_turn : takes one turn; the plain loop, or the same under Prefect.
    wanted : asked between turns; False ends the campaign as interrupted.
    """
    standing = Standing(run)
    begun = _unfinished(run)
    course = _Course(begun, itertools.count(standing.experiments + len(begun)))
    async with Flight(run, take_turn) as flight:
        while True:
            course.over = course.over or standing.why_over()
            goes_on = course.over is None or bool(course.begun)
            may_begin = goes_on and course.broken is None and wanted()
            if not may_begin and not len(flight):
                break
            has_room = may_begin and _has_room(run, standing, flight, course)
            if has_room:
                await flight.begin(course.next())
            for number, error in (await flight.landed(wait=not has_room)).items():
                course.learn(number, error)
            standing.refresh()
    if course.broken is not None:
        raise course.broken
    if course.over is not None:
        return Ending("finished", course.over, standing.experiments)
    return Ending("interrupted", "stopped between two experiments", standing.experiments)


def _unfinished(run: Run) -> deque[int]:
    """Return the experiments that were begun and have not ended, which planners are told of."""
    numbers = run.history.unfinished(run.id)
    for number in numbers:
        known = run.history.experiment(run.id, number)
        assert known is not None
        run.under_way.add(number, known.proposal)
    return deque(numbers)


def _has_room(run: Run, standing: Standing, flight: Flight, course: _Course) -> bool:
    """Return whether another turn may begin beside those under way, within the budget."""
    if len(flight) >= run.campaign.in_flight:
        return False
    begun = standing.experiments + len(flight)
    return bool(course.begun) or begun < run.campaign.budget.experiments


def spent(run: Run) -> Spent:
    """Return what the finished experiments of a campaign used."""
    observations = run.history.observations(run.id)
    return Spent(
        experiments=len(observations),
        hours=hours_used(run.history.actions(run.id)),
        money=sum(o.cost for _, o in observations),
    )


def best(campaign: Campaign, done: Sequence[Observation]) -> int | None:
    """Return the index of the best experiment that obeys every constraint, None without one."""
    objective = campaign.objective
    ranked = [
        (objective.rank(o.outcomes), -i)
        for i, o in enumerate(done)
        if objective.is_complete(o.outcomes) and objective.is_feasible(o.outcomes)
    ]
    return -max(ranked)[1] if ranked else None
