"""What became of an action whose end nobody heard of: the device is asked, then a person."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from instruments.commands import Command, Measure, Outcome, Synthesize
from instruments.errors import CommandRefused, InstrumentError
from instruments.protocols import Answer, Fate, Queryable
from instruments.sample import Sample
from orchestrator.errors import CampaignError, Superseded
from orchestrator.people.asking import Question, Reply
from orchestrator.run import Run
from orchestrator.store.records import NOT_CARRIED_OUT, ActionRecord

logger = logging.getLogger(__name__)

KIND: Literal["unsettled"] = "unsettled"
"""Kind of the question that is put to a person."""

DONE, FAILED, NOT_DONE, LOOK_AGAIN = "done", "failed", "not-done", "look-again"

_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


def is_in_doubt(run: Run, action: ActionRecord, outcome: Outcome) -> bool:
    """Return whether an outcome leaves open if the device acted, and that matters."""
    if outcome.settled != "unconfirmed":
        return False
    return run.laboratory.describe(action.instrument).recovery != "idempotent"


def memory_of(run: Run, instrument: str) -> str | None:
    """Return what an instrument remembers its commands in, None if it remembers none."""
    device = run.laboratory.instruments[instrument]
    return device.memory if isinstance(device, Queryable) else None


def recorded_command(action: ActionRecord) -> Command:
    """Return the command of an action as it was written down."""
    return _COMMAND.validate_json(action.arguments)


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of an action.

    Attributes
    ----------
    outcome : how it settled; None if it must be waited for, or was never received.
    presumed : a person says so, and nobody measured what was used.
    """

    fate: Fate
    outcome: Outcome | None = None
    presumed: bool = False


async def what_became(run: Run, action: ActionRecord, why: str, *, hangs: bool = False) -> Finding:
    """Return what became of an action that was sent and whose end nobody heard of.

    An idempotent device counts as not having seen it: sent again, it does no harm.

    Parameters
    ----------
    why : how the doubt arose, for the person.
    hangs : it did not end when it was asked to stop, so that it runs is no answer.

    Raises
    ------
    WaitsForPerson
        Only a person can tell, and nobody is there.
    Superseded
        The instrument obeys another process by now.
    """
    recovery = run.laboratory.describe(action.instrument).recovery
    if recovery == "idempotent":
        return Finding("not_seen")
    instrument = run.laboratory.instruments[action.instrument]
    is_queryable = recovery == "queryable" and isinstance(instrument, Queryable)
    rounds = 0
    while True:
        if is_queryable:
            answer = await _asked(instrument, action)  # type: ignore[arg-type]
            if _is_clear(answer, hangs=hangs):
                return Finding(answer.fate, answer.outcome)
            why = why if hangs else answer.message or why
        reply = await run.person.ask(question(run, action, why, is_queryable, rounds))
        if reply.answer != LOOK_AGAIN:
            return Finding("done", as_seen(run, action, reply), presumed=True)
        rounds += 1


def question(
    run: Run, action: ActionRecord, why: str, is_queryable: bool = False, rounds: int = 0
) -> Question:
    """Return what a person is asked about an action of which nobody knows the end."""
    options = [FAILED, NOT_DONE]
    if action.step == "synthesize":
        options.insert(0, DONE)
    if is_queryable:
        options.append(LOOK_AGAIN)
    again = f"/{rounds}" if rounds else ""
    return Question(
        key=f"{KIND}/{action.command_id.removeprefix(run.id + '/')}{again}",
        kind=KIND,
        number=action.number,
        options=tuple(options),
        text=(
            f"{action.instrument} was sent {action.command_id} ({action.step} of experiment "
            f"{action.number}) at {action.sent or action.intended:%Y-%m-%d %H:%M} and {why}. Look "
            f"at the device: {_meaning(options)}."
        ),
        details={"instrument": action.instrument, "command_id": action.command_id},
    )


def as_seen(run: Run, action: ActionRecord, reply: Reply) -> Outcome:
    """Return the outcome of an action as a person saw it.

    Raises
    ------
    CampaignError
        ``done`` is said of a measurement, whose data nobody can supply from memory.
    """
    simulated = run.laboratory.describe(action.instrument).simulated
    said = f": {reply.reason}" if reply.reason else ""
    moment = action.sent or action.intended
    value, settled, fault, error = None, "failed", "person", f"a person saw it fail{said}"
    if reply.answer == DONE:
        value, settled, fault, error = _as_ordered(action, simulated), "succeeded", "", ""
    elif reply.answer == NOT_DONE:
        settled, fault = "aborted", NOT_CARRIED_OUT
        error = f"a person saw that nothing happened{said}"
    return Outcome(
        command_id=action.command_id,
        settled=settled,  # type: ignore[arg-type]
        value=value,
        started=moment,
        finished=moment,
        simulated=simulated,
        error=error,
        fault=fault,
    )


async def _asked(instrument: Queryable, action: ActionRecord) -> Answer:
    """Return what the instrument says; one that is silent, or has forgotten, does not know."""
    try:
        answer = await instrument.query(action.command_id)
    except CommandRefused as error:
        raise Superseded(str(error)) from error
    except (InstrumentError, OSError) as error:
        logger.warning("query unanswered command=%s: %s", action.command_id, error)
        return Answer("unknown", message=f"does not answer now ({error})")
    if answer.fate == "not_seen" and action.memory not in (None, instrument.memory):
        lost = "has lost the log it kept then, so it cannot say whether it acted"
        return Answer("unknown", message=lost)
    return answer


def _is_clear(answer: Answer, *, hangs: bool) -> bool:
    """Return whether it can be acted on without a person."""
    if answer.outcome is not None:
        return answer.outcome.settled != "unconfirmed"
    return answer.fate == "not_seen" or (answer.fate == "running" and not hangs)


def _meaning(options: list[str]) -> str:
    meanings = {
        DONE: "the sample was made as ordered",
        FAILED: "it acted and nothing usable came of it",
        NOT_DONE: "it never acted, and the command is to be sent again",
        LOOK_AGAIN: "the instrument answers again and is to be asked",
    }
    return "; ".join(f"`{o}` if {meanings[o]}" for o in options)


def _as_ordered(action: ActionRecord, simulated: bool) -> Sample:
    command = recorded_command(action)
    if isinstance(command, Measure):
        raise CampaignError(
            f"{action.command_id} was a measurement; its data were not received, so it cannot be "
            f"taken as done. Say {NOT_DONE} to have it measured again"
        )
    assert isinstance(command, Synthesize)
    moment = action.sent or action.intended
    return Sample(
        id=command.sample_id,
        number=command.number,
        recipe=command.recipe,
        made_by=action.instrument,
        simulated=simulated,
        started=moment,
        finished=moment,
        notes=("recipe as ordered: a person confirmed the synthesis after a crash",),
    )
