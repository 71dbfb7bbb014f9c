"""A person approves a proposal, or does a step by hand, before the laboratory goes on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

from orchestrator.people.asking import Question, Reply
from orchestrator.people.gates import Prompt
from orchestrator.run import Run
from orchestrator.telling import proposal_in_words
from planners.proposal import Proposal

logger = logging.getLogger(__name__)


async def vetoed(run: Run, number: int, proposal: Proposal) -> str | None:
    """Ask a person about a proposal if the campaign says so.

    Returns
    -------
    Why the experiment must not be made, None if it may be.

    Raises
    ------
    WaitsForPerson
        Nobody is there to answer.
    """
    why = run.campaign.approval.why(number, proposal.values)
    if why is None:
        return None
    wanted = proposal_in_words(run, proposal)
    what = "be made" if proposal.measure_again is None else "go on"
    question = Question(
        key=f"approve/{number}",
        kind="approve",
        text=f"May experiment {number} {what}: {wanted}? Asked because {why}.",
        options=("approve", "veto"),
        number=number,
        details={
            "values": dict(proposal.values),
            "why_asked": why,
            "why_proposed": proposal.reason.text,
            "planner": proposal.reason.planner,
        },
    )
    with run.time_passes():
        reply = await run.person.ask(question)
    if reply.answer == "approve":
        return None
    said = f"vetoed: {reply.reason}" if reply.reason else f"vetoed by {reply.by}"
    _record(run, number, reply, f"{wanted}: {said}")
    return said


async def undone(
    run: Run, number: int, before: Literal["synthesize", "measure"], *, sample: str = ""
) -> str | None:
    """Ask a person to do what must be done by hand before a step.

    Parameters
    ----------
    sample : which sample it is done to, by default the experiment's own.

    Returns
    -------
    Why it could not be done, None if all is ready.

    Raises
    ------
    WaitsForPerson
        Nobody is there to do it.
    """
    for index, prompt in enumerate(_prompts(run)):
        if prompt.before != before or not _concerns(run, prompt):
            continue
        question = Question(
            key=f"manual/{index}/{prompt.turn(number)}",
            kind="manual",
            text=prompt.words(number, sample or f"{run.id}/{number}"),
            options=("done", "cannot"),
            number=number,
        )
        with run.time_passes():
            reply = await run.person.ask(question)
        if reply.answer != "done":
            said = f"not done by hand: {question.text}"
            said += f" ({reply.reason})" if reply.reason else ""
            _record(run, number, reply, said)
            return said
    return None


def _prompts(run: Run) -> Sequence[Prompt]:
    """Return the campaign's own prompts and the laboratory's, in that order."""
    return (*run.campaign.prompts, *run.laboratory.prompts)


def _concerns(run: Run, prompt: Prompt) -> bool:
    """Return whether a step of this campaign may use the prompt's instrument."""
    return prompt.instrument in ("", *run.match.users[prompt.before])


def _record(run: Run, number: int, reply: Reply, said: str) -> None:
    logger.info("%s campaign=%s number=%s by=%s", said, run.id, number, reply.by)
    run.history.record_event(run.id, "person", f"{reply.by}: {said}", number)
