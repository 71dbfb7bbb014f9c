"""Physical actions: written down before they happen, settled after, never repeated blindly."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from instruments.commands import Command, Outcome
from instruments.errors import CommandRefused
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.errors import LaboratoryRefused, UnsettledAction
from orchestrator.readiness import make_ready
from orchestrator.run import Run
from orchestrator.store.records import ActionRecord

logger = logging.getLogger(__name__)

NOT_CARRIED_OUT = "not_carried_out"
"""Fault of an attempt that a person found never to have reached the device; it does not count."""


async def act(
    run: Run,
    number: int,
    *,
    step: str,
    instrument: str,
    command: Callable[[int], Command],
    keep: Callable[[Sample | Measurement], None],
) -> Outcome:
    """Have an instrument carry out a command exactly as often as the record says.

    The intention is in the history before the wire. An attempt that was sent and never settled
    (the process died meanwhile) is sent again only if the driver declares commands idempotent;
    otherwise a person has to look.

    Parameters
    ----------
    step : what this is within the experiment; names the command together with the attempt.
    command : makes the command of a numbered attempt.
    keep : records the result, together with how the action ended, so that no death of the process
        can leave a settled action without its result.

    Returns
    -------
    The outcome of a fresh attempt; failed outcomes are returned, not raised.

    Raises
    ------
    LaboratoryRefused
        The command breaks a limit or stock is missing; nothing has moved.
    UnsettledAction
        Nobody knows whether this or an earlier attempt was carried out.
    """
    attempt, earlier = _attempt(run, number, step)
    command_id = f"{run.id}/{number}/{step}/{attempt}"
    may_repeat = run.laboratory.describe(instrument).recovery == "idempotent"
    if earlier is not None and not may_repeat:
        raise _doubt(run, earlier, "the process ended before it answered")
    order = command(attempt)
    await make_ready(run, instrument)
    try:
        estimated = run.laboratory.check(instrument, order)
    except CommandRefused as error:
        raise LaboratoryRefused(str(error)) from error
    now = run.laboratory.clock.now
    record = earlier or _intended(command_id, run, number, step, instrument, order, now())
    if earlier is None:
        with run.history.together(run.id):
            run.history.record_action(record)
            run.storeroom.before(record, order, estimated)
    outcome = await run.laboratory.instruments[instrument].execute(command_id, order)
    if outcome.settled == "unconfirmed" and not may_repeat:
        raise _doubt(run, record, f"cannot say whether it acted ({outcome.error})")
    with run.history.together(run.id):
        if outcome.value is not None:
            keep(outcome.value)
        run.storeroom.after(record, order, outcome)
        _settle(run, record, outcome)
    return outcome


def _doubt(run: Run, action: ActionRecord, why: str) -> UnsettledAction:
    """Return the question to a person about an action of which nobody knows the end."""
    return UnsettledAction(
        f"{action.instrument} was sent {action.command_id} ({action.step} of experiment "
        f"{action.number}) at {action.sent or action.intended:%Y-%m-%d %H:%M} and {why}. Look at "
        f"the device, then say `sdlab settle {run.id} done|failed|not-done` and resume"
    )


def settled_attempts(run: Run, number: int, step: str) -> list[ActionRecord]:
    """Return the attempts of a step that were carried out and whose end is known, in order."""
    actions = [a for a in run.history.actions(run.id, number) if a.step == step]
    return [a for a in actions if a.settled is not None and a.fault != NOT_CARRIED_OUT]


def _attempt(run: Run, number: int, step: str) -> tuple[int, ActionRecord | None]:
    """Return the number of the next attempt, or that of the unsettled one with its record."""
    actions = [a for a in run.history.actions(run.id, number) if a.step == step]
    for action in actions:
        if action.settled is None:
            return action.attempt, action
    return len(actions), None


def _intended(
    command_id: str,
    run: Run,
    number: int,
    step: str,
    instrument: str,
    command: Command,
    now: datetime,
) -> ActionRecord:
    arguments = command.model_dump_json()
    return ActionRecord(
        command_id=command_id,
        campaign_id=run.id,
        number=number,
        step=step,
        attempt=int(command_id.rpartition("/")[2]),
        instrument=instrument,
        arguments=arguments,
        arguments_hash=hashlib.sha256(arguments.encode()).hexdigest(),
        intended=now,
        sent=now,
    )


def _settle(run: Run, record: ActionRecord, outcome: Outcome) -> None:
    if outcome.settled != "succeeded":
        logger.warning(
            "action settled as %s command=%s fault=%s error=%s",
            outcome.settled,
            record.command_id,
            outcome.fault,
            outcome.error,
        )
    run.history.settle_action(
        replace(
            record,
            settled=outcome.settled,
            started=outcome.started,
            finished=outcome.finished,
            error=outcome.error,
            fault=outcome.fault,
            consumed=dict(outcome.consumed),
        )
    )
