"""A whole campaign: turn after turn until a budget or a stop rule ends it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.campaign import Campaign
from orchestrator.loop import turn
from orchestrator.run import Run
from orchestrator.scoring import probability_reached
from orchestrator.store.records import ActionRecord
from planners.errors import NothingLeftToPropose
from planners.proposal import Observation

logger = logging.getLogger(__name__)

TakeTurn = Callable[[Run, int], Awaitable[Observation]]


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


async def run_campaign(
    run: Run,
    *,
    take_turn: TakeTurn = turn,
    wanted: Callable[[], bool] = lambda: True,
) -> Ending:
    """Take turns until the campaign ends, and return why it did.

    An experiment that was begun before is finished first.

    Parameters
    ----------
    take_turn : takes one turn; the plain loop, or the same under Prefect.
    wanted : asked between turns; False ends the campaign as interrupted.
    """
    while True:
        done = [o for _, o in run.history.observations(run.id)]
        timed = run.campaign.budget.hours is not None
        hours = hours_used(run.history.actions(run.id)) if timed else 0.0
        used = Spent(len(done), hours, sum(o.cost for o in done))
        if (reason := ending(run.campaign, done, used)) is not None:
            return Ending("finished", reason, len(done))
        if not wanted():
            return Ending("interrupted", "stopped between two experiments", len(done))
        try:
            await take_turn(run, len(done))
        except NothingLeftToPropose as error:
            return Ending("finished", f"nothing is left to try: {error}", len(done))


def hours_used(actions: Sequence[ActionRecord]) -> float:
    """Return the laboratory hours of settled actions, summed over instruments."""
    return sum(
        (a.finished - a.started).total_seconds() / 3600
        for a in actions
        if a.started is not None and a.finished is not None
    )


def spent(run: Run) -> Spent:
    """Return what the finished experiments of a campaign used."""
    observations = run.history.observations(run.id)
    return Spent(
        experiments=len(observations),
        hours=hours_used(run.history.actions(run.id)),
        money=sum(o.cost for _, o in observations),
    )


def ending(campaign: Campaign, done: Sequence[Observation], used: Spent) -> str | None:
    """Return why a campaign is over, or None if it goes on."""
    budget, stop = campaign.budget, campaign.stop
    reached = _reached(campaign, done)
    if stop.when_reached and reached is not None:
        return f"experiment {reached} satisfies every target"
    if len(done) >= budget.experiments:
        return f"the budget of {budget.experiments} experiments is used up"
    if budget.hours is not None and used.hours >= budget.hours:
        return f"the budget of {budget.hours:g} hours is used up ({used.hours:.1f} h)"
    if budget.money is not None and used.money >= budget.money:
        return f"the budget of {budget.money:g} is used up ({used.money:.2f} spent)"
    last = done[-stop.failures_in_a_row :]
    if len(last) == stop.failures_in_a_row and all(o.failed for o in last):
        return f"the last {len(last)} experiments failed, the latest because {last[-1].failure}"
    if stop.no_improvement_for is not None and _stale(campaign, done) >= stop.no_improvement_for:
        return f"no improvement over {stop.no_improvement_for} experiments"
    return None


def best(campaign: Campaign, done: Sequence[Observation]) -> int | None:
    """Return the index of the best experiment that obeys every constraint, None without one."""
    objective = campaign.objective
    ranked = [
        (objective.rank(o.outcomes), -i)
        for i, o in enumerate(done)
        if objective.is_complete(o.outcomes) and objective.is_feasible(o.outcomes)
    ]
    return -max(ranked)[1] if ranked else None


def front(campaign: Campaign, done: Sequence[Observation]) -> list[int]:
    """Return the indices of the experiments that no other beats in every target.

    Empty where the campaign does not trade several targets against each other.
    """
    objective = campaign.objective
    if objective.combine != "front" or len(objective.targets) < 2:
        return []
    gains = {
        i: [t.utility(o.outcomes[t.quantity]) for t in objective.targets]
        for i, o in enumerate(done)
        if not o.failed and objective.is_complete(o.outcomes) and objective.is_feasible(o.outcomes)
    }
    return [i for i, own in gains.items() if not any(_beats(g, own) for g in gains.values())]


def _beats(one: list[float], other: list[float]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def _reached(campaign: Campaign, done: Sequence[Observation]) -> int | None:
    for i, observation in enumerate(done):
        if not campaign.objective.is_reached(observation.outcomes):
            continue
        if probability_reached(campaign.objective, observation) >= campaign.stop.confidence:
            return i
    return None


def _stale(campaign: Campaign, done: Sequence[Observation]) -> int:
    """Return how many experiments were made since the best one."""
    index = best(campaign, done)
    return 0 if index is None else len(done) - 1 - index
