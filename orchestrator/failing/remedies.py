"""What becomes of an experiment after a step failed for good: the campaign says, or a person."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Literal, TypeVar

from orchestrator.campaign import Campaign
from orchestrator.people.asking import Question
from orchestrator.run import Run
from orchestrator.store.records import NOT_CARRIED_OUT

logger = logging.getLogger(__name__)
Given = TypeVar("Given")
Result = TypeVar("Result")

Cause = Literal["synthesis", "measurement", "analysis"]
Remedy = Literal["retry", "measure_again", "resynthesize", "skip", "stop"]

OPTIONS: Mapping[Cause, tuple[Remedy, ...]] = {
    "synthesis": ("retry", "skip", "stop"),
    "measurement": ("retry", "resynthesize", "skip", "stop"),
    "analysis": ("measure_again", "resynthesize", "skip", "stop"),
}
"""What a person may choose, by what failed."""

STEPS: Mapping[Cause, str] = {"synthesis": "synthesize", "measurement": "measure-"}
"""How the actions of a step begin."""


class StepFailed(Exception):
    """A step of an experiment failed for good; the experiment is recorded as failed.

    Attributes
    ----------
    cause : what failed; ``person`` where somebody refused it.
    remedy : what is to be done about it.
    """

    def __init__(self, why: str, *, cause: str, remedy: Remedy = "skip") -> None:
        super().__init__(why)
        self.cause = cause
        self.remedy = remedy


async def persist(
    run: Run,
    number: int,
    cause: Cause,
    verb: Callable[[Run, int, Given], Awaitable[Result]],
    given: Given,
) -> Result:
    """Return what a verb gives, tried again as often as a person says so.

    Raises
    ------
    StepFailed
        It failed for good, with the remedy that the campaign or a person chose.
    WaitsForPerson
        The campaign asks, and nobody is there.
    """
    while True:
        try:
            return await verb(run, number, given)
        except StepFailed as failed:
            tried = _attempts(run, number, cause)
            remedy = await remedy_for(run, number, cause, str(failed), occasion=tried)
            if remedy != "retry":
                raise StepFailed(str(failed), cause=cause, remedy=remedy) from failed
            run = _allowing_one_more(run, cause, tried)


async def remedy_for(run: Run, number: int, cause: Cause, why: str, *, occasion: int) -> Remedy:
    """Return what is to be done after a step failed for good, and write it down.

    Parameters
    ----------
    occasion : tells one failure of this step from the next, also after the process has died.
    """
    policy = getattr(run.campaign.on_failure, cause)
    remedy: Remedy = policy
    by = "the campaign"
    if policy == "ask":
        question = Question(
            key=f"failed/{number}/{cause}/{occasion}",
            kind="failed",
            text=f"Experiment {number}: {why}. What now?",
            options=OPTIONS[cause],
            number=number,
            details={"cause": cause, "why": why},
        )
        reply = await run.person.ask(question)
        remedy = next(option for option in OPTIONS[cause] if option == reply.answer)
        by = f"{reply.by} ({reply.reason})" if reply.reason else reply.by
    said = f"{why}; {by} says: {remedy.replace('_', ' ')}"
    logger.warning("%s campaign=%s number=%s", said, run.id, number)
    run.history.record_event(run.id, f"{cause}_failed", said, number)
    return remedy


def _attempts(run: Run, number: int, cause: Cause) -> int:
    """Return how often the step that failed was tried."""
    counts = Counter(
        a.step
        for a in run.history.actions(run.id, number)
        if a.step.startswith(STEPS[cause]) and a.settled and a.fault != NOT_CARRIED_OUT
    )
    return max(counts.values(), default=0)


def _allowing_one_more(run: Run, cause: Cause, tried: int) -> Run:
    """Return the run with a campaign that allows one more attempt than were made."""
    allowed = "synthesize_again" if cause == "synthesis" else "measure_again"
    campaign: Campaign = run.campaign
    policy = campaign.on_failure.model_copy(update={allowed: tried})
    return replace(run, campaign=campaign.model_copy(update={"on_failure": policy}))
