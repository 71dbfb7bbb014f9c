"""An instrument that stands in fault is reset before it is sent the next command."""

from __future__ import annotations

import logging
from datetime import timedelta

from instruments.errors import InstrumentError
from instruments.protocols import Instrument, Status
from orchestrator.errors import LaboratoryRefused
from orchestrator.failing.watchdog import GRACE, TOO_LONG
from orchestrator.people.asking import Question
from orchestrator.run import Run

logger = logging.getLogger(__name__)

MOST_RESETS = 3
"""Resets in a row that fail before an instrument counts as broken."""


_DECIDED = frozenset({"instrument_reset", "instrument_given_up"})
"""Kinds of events after which what was answered about an instrument counts no more."""

SHORTEST_LOOK, LONGEST_LOOK = 1.0, 60.0
"""Laboratory seconds between two looks at an instrument that works for another campaign."""


async def make_ready(run: Run, instrument: str) -> None:
    """Return when an instrument takes commands.

    What it still carries out for another campaign, whose process may have died, is waited for. A
    latched fault is reset, which reads the device back and moves nothing. A person is asked
    before one that was stopped is released, and where a reset failed.

    Raises
    ------
    LaboratoryRefused
        The person gives it up, it cannot be reset, or another campaign's command does not end.
    WaitsForPerson
        Nobody is there to ask.
    """
    device = run.laboratory.instruments[instrument]
    status = await _left_by_others(run, instrument)
    if status.state not in ("fault", "stopped"):
        return
    why = f"{instrument} was stopped" if status.state == "stopped" else f"{instrument} is in fault"
    why += f" ({status.message})" if status.message else ""
    may_reset = status.state == "fault"
    for attempt in range(MOST_RESETS):
        if not may_reset:
            await _released(run, instrument, status, f"{why}.", attempt)
        trouble = await _reset(device)
        if trouble is None:
            logger.info("reset instrument=%s campaign=%s", instrument, run.id)
            run.history.record_event(run.id, "instrument_reset", f"{why} and was reset")
            return
        run.history.record_event(run.id, "reset_failed", f"{why}; the reset failed: {trouble}")
        why, may_reset = f"{instrument} cannot be reset: {trouble}", False
    raise LaboratoryRefused(f"{why}. Repair it, then `sdlab resume {run.id}`")


async def _left_by_others(run: Run, instrument: str) -> Status:
    """Return how an instrument stands once it carries out nothing for another campaign.

    A command that stood behind such a one would seem to hang, and be stopped in its place.
    """
    device, clock = run.laboratory.instruments[instrument], run.laboratory.clock
    status = await device.status()
    if not _works_for_another(run, status):
        return status
    said = f"{instrument} still carries out {status.command_id} of another campaign"
    run.history.record_event(run.id, "instrument_busy", f"{said}, which is waited for")
    give_up = clock.now() + timedelta(seconds=TOO_LONG * (status.remaining or 0.0) + GRACE)
    while _works_for_another(run, status):
        if clock.now() > give_up:
            raise LaboratoryRefused(
                f"{said}, for longer than expected. Resume or stop that campaign, then "
                f"`sdlab resume {run.id}`"
            )
        await clock.sleep(min(max(status.remaining or 0.0, SHORTEST_LOOK), LONGEST_LOOK))
        status = await device.status()
    return status


def _works_for_another(run: Run, status: Status) -> bool:
    its = status.command_id or ""
    return status.state == "busy" and bool(its) and not its.startswith(f"{run.id}/")


async def _released(run: Run, instrument: str, status: Status, why: str, attempt: int) -> None:
    """Return if a person lets the instrument be reset; raise LaboratoryRefused if not."""
    question = Question(
        key=f"reset/{instrument}/{_occasion(run, instrument)}/{attempt}",
        kind="reset",
        text=f"{why} Look at it. May it be reset and used again?",
        options=("reset", "give-up"),
        details={"instrument": instrument, "state": status.state, "message": status.message},
    )
    reply = await run.person.ask(question)
    if reply.answer != "reset":
        said = f"{reply.by} gave {instrument} up" + (f": {reply.reason}" if reply.reason else "")
        run.history.record_event(run.id, "instrument_given_up", said)
        raise LaboratoryRefused(
            f"{why} {said}. Reset it at the device, then `sdlab resume {run.id}` goes on"
        )


def _occasion(run: Run, instrument: str) -> str:
    """Return what a resumed campaign finds the same question by, and no later stop does.

    It counts what the instrument has done, and how often it was reset or given up.
    """
    done = sum(
        a.instrument == instrument and a.settled is not None for a in run.history.actions(run.id)
    )
    said = [e for e in run.history.events(run.id) if e.kind in _DECIDED]
    return f"{done}.{sum(instrument in e.message.split() for e in said)}"


async def _reset(device: Instrument) -> str | None:
    """Return why an instrument cannot be reset, or None if it was."""
    try:
        await device.reset()
    except (InstrumentError, OSError) as error:
        return str(error)
    return None
