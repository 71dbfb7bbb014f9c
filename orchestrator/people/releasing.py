"""After an emergency stop a person releases each instrument before anything moves again."""

from __future__ import annotations

import asyncio
import logging

from instruments.errors import InstrumentError
from orchestrator.errors import LaboratoryRefused
from orchestrator.people.asking import Question, Reply
from orchestrator.run import Run

logger = logging.getLogger(__name__)


class NotReleased(LaboratoryRefused):
    """A person does not want an instrument to move again."""


async def release(run: Run, occasion: int) -> None:
    """Return when a person has released every instrument of a stopped laboratory.

    Parameters
    ----------
    occasion : which stop of the campaign this is about; each one is asked about anew.

    Raises
    ------
    NotReleased
        The person said so.
    LaboratoryRefused
        An instrument cannot be reset.
    WaitsForPerson
        Nobody is there to answer; every question is written down.
    """
    names = list(run.laboratory.instruments)
    replies = await asyncio.gather(
        *(_released(run, name, occasion) for name in names), return_exceptions=True
    )
    for name, reply in zip(names, replies, strict=True):
        if isinstance(reply, BaseException):
            raise reply
        if reply.answer != "reset":
            raise NotReleased(f"{reply.by} keeps {name} stopped {reply.reason}".rstrip())
    for name in names:
        await _reset(run, name)


async def _released(run: Run, name: str, occasion: int) -> Reply:
    status = await run.laboratory.instruments[name].status()
    stands = f"{status.state}, {status.message}".rstrip(", ")
    question = Question(
        key=f"reset/{occasion}/{name}",
        kind="reset",
        text=f"{name} was stopped in an emergency (now {stands}). May it be reset and move again?",
        options=("reset", "give-up"),
    )
    return await run.person.ask(question)


async def _reset(run: Run, name: str) -> None:
    instrument = run.laboratory.instruments[name]
    if (await instrument.status()).state not in ("stopped", "fault"):
        return
    try:
        await instrument.reset()
    except (InstrumentError, OSError) as error:
        raise LaboratoryRefused(
            f"{name} cannot be reset after the emergency stop: {error}. Repair it, then "
            f"`sdlab resume {run.id}`"
        ) from error
    logger.info("released instrument=%s campaign=%s", name, run.id)
    run.history.record_event(run.id, "instrument_reset", f"{name} was reset after a stop")
