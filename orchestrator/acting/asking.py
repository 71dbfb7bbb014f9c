"""A person looks at a sample of which agents say something odd, and may discard it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from analysis.insight import Insight
from orchestrator.people.asking import Question
from orchestrator.people.notifying import notify
from orchestrator.run import Run

logger = logging.getLogger(__name__)

INFEASIBLE, DISCARDED = "infeasible", "discarded"
"""Causes of a failure: an agent, or a person, found that a sample does not count as it is."""

BELIEVED = 0.5
"""Probability of being wrong from which on an agent's word does not do away with a sample."""

EVENT = "asks_person"
"""Kind of the event that tells why a person should look."""


def infeasible(insights: Sequence[Insight]) -> str | None:
    """Return why a sample counts as one that cannot be had, None if it counts."""
    whys = [
        f"{i.agent}: {i.infeasible}"
        for i in insights
        if i.infeasible and (i.p_wrong or 0.0) < BELIEVED
    ]
    return "; ".join(whys) or None


async def looked_at(run: Run, number: int, insights: Sequence[Insight]) -> str | None:
    """Tell people of a sample that they should look at, and wait for them if the campaign does.

    Returns
    -------
    Why the sample is discarded, None if the experiment goes on.

    Raises
    ------
    WaitsForPerson
        The campaign waits, and nobody is there.
    """
    actions = run.campaign.actions
    if actions is None:
        return None
    rule = actions.ask_person_when
    whys = [why for insight in insights if (why := rule.why(insight)) is not None]
    if not whys:
        return None
    said = f"look at experiment {number}: {'; '.join(whys)}"
    _tell(run, number, said)
    if rule.then == "tell":
        return None
    question = Question(
        key=f"look/{number}",
        kind="look",
        text=f"Experiment {number}: {'; '.join(whys)}. Does it count?",
        options=("keep", "discard"),
        number=number,
        details={"why": list(whys)},
    )
    with run.time_passes():
        reply = await run.person.ask(question)
    if reply.answer == "keep":
        return None
    said = f"discarded: {reply.reason}" if reply.reason else f"discarded by {reply.by}"
    run.history.record_event(run.id, "person", f"{reply.by}: {said}", number)
    return said


def _tell(run: Run, number: int, said: str) -> None:
    """Tell it once, also if the experiment is taken up again after a stop."""
    known = run.history.events(run.id)
    if any(e.kind == EVENT and e.number == number and e.message == said for e in known):
        return
    logger.info("%s campaign=%s", said, run.id)
    run.history.record_event(run.id, EVENT, said, number)
    run.tell(number, "analyze", "finished", said)
    notify(run, "question", f"look at experiment {number}", said)
