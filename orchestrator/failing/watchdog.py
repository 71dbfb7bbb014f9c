"""Watchdog: an action far longer than its instrument expected is noticed, then stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from instruments.clock import Clock
from instruments.commands import Outcome
from orchestrator.people.notifying import notify
from orchestrator.run import Run

logger = logging.getLogger(__name__)

OVERDUE = 1.5
"""Multiple of the expected duration after which people are told."""

TOO_LONG = 2.0
"""Multiple of the expected duration after which, and the grace, the instrument is stopped."""

GRACE = 60.0
"""Laboratory seconds on top, so that short commands may be a little slow."""

HANGS = "overdue"
"""Fault of an action that did not end even when its instrument was asked to stop."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """An action that is being watched."""

    run: Run
    instrument: str
    command_id: str
    expected: float
    acting: asyncio.Future[Outcome]
    since: datetime

    def record(self, kind: str, text: str) -> None:
        number = self.command_id.split("/")[1:2]
        experiment = int(number[0]) if number and number[0].isdecimal() else None
        self.run.history.record_event(self.run.id, kind, text, experiment)
        logger.warning("%s campaign=%s command=%s", text, self.run.id, self.command_id)


async def watched(
    run: Run,
    instrument: str,
    command_id: str,
    expected: float,
    work: Awaitable[Outcome],
    *,
    grace: float = GRACE,
) -> Outcome:
    """Return how an action settles, however long it takes; it cannot hang for ever.

    Past 1.5 times the expected duration (and at least half the grace more than expected) people
    are told. Past twice the duration and the grace the instrument is asked to stop, unless it waits
    for somebody with a deadline of its own. All times are the laboratory's, so nothing waits in a
    simulation.

    Parameters
    ----------
    expected : duration the instrument estimated, in s; 0 if it cannot say, then nothing is done.
    work : carries the action out; it goes on if this call is cancelled only as far as the
        instrument lets it.
    grace : laboratory time in s, granted once before the stop and once after it.

    Returns
    -------
    The outcome of the action; ``unconfirmed`` if it did not end even when it was stopped.
    """
    device = run.laboratory.instruments[instrument]
    if expected <= 0:
        return await work
    clock = run.laboratory.clock
    acting = asyncio.ensure_future(work)
    watch = _Watch(run, instrument, command_id, expected, acting, clock.now())
    first = max(OVERDUE * expected, expected + grace / 2)
    try:
        if await _ends_within(acting, clock, first):
            return acting.result()
        _overdue(watch)
        if device.describe().own_deadline:
            return await acting
        if await _ends_within(acting, clock, TOO_LONG * expected + grace - first):
            return acting.result()
        return await _stopped(watch, grace)
    finally:
        if not acting.done():
            acting.cancel()


def _overdue(watch: _Watch) -> None:
    passed = (watch.run.laboratory.clock.now() - watch.since).total_seconds()
    text = (
        f"{watch.instrument} has worked for {passed:.0f} s on {watch.command_id} and expected "
        f"{watch.expected:.0f} s"
    )
    watch.record("overdue", text)
    notify(watch.run, "overdue", f"{watch.instrument} takes too long", text)


async def _stopped(watch: _Watch, grace: float) -> Outcome:
    """Ask the instrument to stop, and return what comes of it."""
    instrument, clock = watch.run.laboratory.instruments[watch.instrument], _clock(watch)
    stopping = asyncio.ensure_future(instrument.stop())
    await _ends_within(asyncio.gather(stopping, watch.acting, return_exceptions=True), clock, grace)
    if not stopping.done():
        said = "did not answer the stop"
        stopping.cancel()
    elif (error := stopping.exception()) is not None:
        said = f"could not be stopped ({error})"
    else:
        said = f"was stopped: {stopping.result()}"
    text = (
        f"{watch.instrument} took more than twice the {watch.expected:.0f} s it expected for "
        f"{watch.command_id} and {said}"
    )
    watch.record("overdue_stopped", text)
    notify(watch.run, "overdue", f"{watch.instrument} was stopped", text)
    if watch.acting.done():
        return _because_overdue(watch.acting.result(), text)
    return Outcome(
        command_id=watch.command_id,
        settled="unconfirmed",
        value=None,
        started=watch.since,
        finished=clock.now(),
        simulated=instrument.describe().simulated,
        error=text,
        fault=HANGS,
    )


def _because_overdue(outcome: Outcome, text: str) -> Outcome:
    """Return the outcome, with the true reason if the stop cut the action short."""
    if outcome.settled != "aborted":
        return outcome
    return replace(outcome, error=text, fault=outcome.fault or HANGS)


def _clock(watch: _Watch) -> Clock:
    return watch.run.laboratory.clock


async def _ends_within(work: asyncio.Future[Any], clock: Clock, seconds: float) -> bool:
    """Return whether the work ends within some laboratory time; it is not cancelled."""
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({work, alarm}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        alarm.cancel()
    return work.done()
