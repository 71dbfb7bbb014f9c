"""The journal of physical actions: written down before they happen, never repeated blindly.

An action is *intended* (nothing has gone over the wire), *sent* (it may have) and *settled*. Each
state is in the history, on disk, before the next begins. A process that dies in between leaves an
unsettled action, and whoever takes the campaign over finds out what became of it: see
`orchestrator.reconciling`.

A device acts exactly once for a command if it can be asked (`queryable`), as often as it is
sent if that does no harm (`idempotent`), and at most once otherwise: then a person looks.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from instruments.commands import Command, Outcome
from instruments.errors import CommandConflict, CommandRefused, NotConnected
from instruments.execution import EMERGENCY_STOP
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.errors import CampaignError, LaboratoryRefused
from orchestrator.failing.readiness import make_ready
from orchestrator.failing.watchdog import HANGS, watched
from orchestrator.reconciling import is_in_doubt, memory_of, recorded_command, what_became
from orchestrator.run import Run, Verb
from orchestrator.store.records import NOT_CARRIED_OUT, ActionRecord

logger = logging.getLogger(__name__)

_NO_ATTEMPT = frozenset({NOT_CARRIED_OUT, EMERGENCY_STOP})

Keep = Callable[[Sample | Measurement], None]


@dataclass(frozen=True, slots=True)
class _Work:
    """One action on its way: what is recorded of it, what is ordered, where its result goes."""

    run: Run
    action: ActionRecord
    order: Command
    keep: Keep


async def act(
    run: Run,
    number: int,
    *,
    step: str,
    instruments: Sequence[str],
    command: Callable[[int], Command],
    keep: Keep,
) -> Outcome:
    """Have one of several instruments carry out a command exactly as often as the journal says.

    Parameters
    ----------
    step : what this is within the experiment; names the command together with the attempt.
    instruments : those that can do it alike; one is taken, as soon as it is free.
    command : makes the command of a numbered attempt.
    keep : records the result, together with how the action ended, so that no death of the process
        can leave a settled action without its result.

    Returns
    -------
    The outcome of a fresh attempt, or of the earlier one that was left unsettled. Failed outcomes
    are returned, not raised.

    Raises
    ------
    LaboratoryRefused
        The command breaks a limit or stock is missing; nothing has moved.
    WaitsForPerson
        Nobody knows whether an action was carried out, and nobody is there to look.
    Superseded
        Another process has taken the campaign over.
    """
    attempt, earlier = _attempt(run, number, step)
    purpose = f"{run.id}/{number}/{step}"
    candidates = [earlier.instrument] if earlier is not None else list(instruments)
    asked = run.desk.use(run.id, [candidates], purpose=purpose, priority=run.campaign.priority)
    with run.time_passes():
        async with asked as (instrument,):
            if earlier is not None:
                return await _continued(_Work(run, earlier, recorded_command(earlier), keep))
            order = command(attempt)
            action = _intention(run, number, step, attempt, instrument, order)
            return await _begun(_Work(run, action, order, keep))


def settled_attempts(run: Run, number: int, step: str) -> list[ActionRecord]:
    """Return the attempts of a step that were carried out and whose end is known, in order.

    One that never reached the device does not count, nor one that an emergency stop cut short: that
    says nothing about the recipe.
    """
    actions = [a for a in run.history.actions(run.id, number) if a.step == step]
    return [a for a in actions if a.settled is not None and a.fault not in _NO_ATTEMPT]


def _attempt(run: Run, number: int, step: str) -> tuple[int, ActionRecord | None]:
    """Return the number of the next attempt, or that of the unsettled one with its record."""
    actions = [a for a in run.history.actions(run.id, number) if a.step == step]
    for action in actions:
        if action.settled is None:
            return action.attempt, action
    return len(actions), None


def _intention(
    run: Run, number: int, step: str, attempt: int, instrument: str, order: Command
) -> ActionRecord:
    arguments = order.model_dump_json()
    return ActionRecord(
        command_id=f"{run.id}/{number}/{step}/{attempt}",
        campaign_id=run.id,
        number=number,
        step=step,
        attempt=attempt,
        instrument=instrument,
        arguments=arguments,
        arguments_hash=hashlib.sha256(arguments.encode()).hexdigest(),
        intended=run.laboratory.clock.now(),
        token=run.token,
    )


async def _continued(work: _Work) -> Outcome:
    """Find out what became of an action that was left unsettled, and bring it to its end."""
    if work.action.sent is None:
        return await _begun(work)
    found = await what_became(work.run, work.action, "the process ended before it answered")
    if found.fate == "not_seen":
        return await _begun(work)
    if not found.presumed:
        _tell_adopted(work, found.fate)
    outcome = found.outcome or await _executed(work, is_known=True)
    return await _ended(work, outcome, presumed=found.presumed)


async def _begun(work: _Work) -> Outcome:
    """Check the command, write it down, send it and bring it to its end."""
    run, action = work.run, work.action
    await make_ready(run, action.instrument)
    try:
        estimated = run.laboratory.check(action.instrument, work.order)
    except CommandRefused as error:
        raise LaboratoryRefused(str(error)) from error
    intended = replace(action, expected=estimated.seconds, token=run.token)
    # An intention that a power cut takes away was never sent: what follows puts both on the disk.
    with run.history.together(run.id, on_disk=False):
        run.history.record_action(intended)
        run.storeroom.before(intended, work.order, estimated)
    memory = memory_of(run, action.instrument)
    sent = replace(intended, sent=run.laboratory.clock.now(), memory=memory)
    run.history.record_action(sent)
    work = replace(work, action=sent)
    return await _ended(work, await _executed(work))


async def _executed(work: _Work, *, is_known: bool = False) -> Outcome:
    """Have the device carry the command out, or wait for what it is carrying out under this id."""
    run, action = work.run, work.action
    instrument = run.laboratory.instruments[action.instrument]
    try:
        return await watched(
            run,
            action.instrument,
            action.command_id,
            action.expected or 0.0,
            instrument.execute(action.command_id, work.order),
        )
    except (CommandRefused, NotConnected) as error:
        if not is_known:  # what the device was found at has moved, whatever it says now
            _settle(work, _never_moved(work, str(error)))
        raise LaboratoryRefused(str(error)) from error
    except CommandConflict as error:
        raise CampaignError(
            f"{error}. Two campaigns or two laboratories use the same command ids; nothing was "
            "repeated. Look at the instrument's log before you go on"
        ) from error


async def _ended(work: _Work, outcome: Outcome, *, presumed: bool = False) -> Outcome:
    """Keep the result and how the action ended, all together; doubt is cleared up first."""
    while is_in_doubt(work.run, work.action, outcome):
        why = f"cannot say whether it acted ({outcome.error})"
        found = await what_became(work.run, work.action, why, hangs=outcome.fault == HANGS)
        presumed = found.presumed
        if found.fate == "not_seen":
            # Under the same id: what was sent may still be on its way, and arrive late.
            return await _begun(work)
        outcome = found.outcome or await _executed(work, is_known=True)
    _settle(work, outcome, presumed=presumed)
    return outcome


def _settle(work: _Work, outcome: Outcome, *, presumed: bool = False) -> None:
    run = work.run
    if outcome.settled != "succeeded":
        logger.warning(
            "action settled as %s command=%s fault=%s error=%s",
            outcome.settled,
            work.action.command_id,
            outcome.fault,
            outcome.error,
        )
    with run.history.together(run.id):
        if outcome.value is not None:
            work.keep(outcome.value)
        run.storeroom.after(work.action, work.order, outcome, presumed=presumed)
        run.history.settle_action(
            replace(
                work.action,
                settled=outcome.settled,
                started=outcome.started,
                finished=outcome.finished,
                error=outcome.error,
                fault=outcome.fault,
                consumed=dict(outcome.consumed),
            )
        )


def _never_moved(work: _Work, why: str) -> Outcome:
    now = work.run.laboratory.clock.now()
    return Outcome(
        command_id=work.action.command_id,
        settled="aborted",
        value=None,
        started=now,
        finished=now,
        simulated=work.run.laboratory.describe(work.action.instrument).simulated,
        error=why,
        fault=NOT_CARRIED_OUT,
    )


def _tell_adopted(work: _Work, fate: str) -> None:
    action = work.action
    how = "was still running it" if fate == "running" else "had finished it meanwhile"
    message = f"{action.instrument} {how}: {action.command_id} was adopted, not repeated"
    logger.info("action adopted command=%s fate=%s", action.command_id, fate)
    verb: Verb = "synthesize" if action.step == "synthesize" else "measure"
    work.run.tell(action.number, verb, "started", message)
    work.run.history.record_event(work.run.id, "adopted", message, action.number)
