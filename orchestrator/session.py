"""One process running one campaign: connect, take turns, and leave everything in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.control import Ending, run_campaign
from orchestrator.errors import (
    CampaignStops,
    ServerError,
    StoreError,
    Superseded,
    WaitsForPerson,
)
from orchestrator.flight import TakeTurn
from orchestrator.loop import turn
from orchestrator.people.attending import Attendance, person_for
from orchestrator.people.interrupt import Interrupt
from orchestrator.people.notifying import notify
from orchestrator.people.releasing import NotReleased, release
from orchestrator.people.steering import Steering
from orchestrator.run import Run
from orchestrator.sharing.holding import fence
from orchestrator.store import Store

logger = logging.getLogger(__name__)

Say = Callable[[str], None]

LOOK_FOR_LOSS = 1.0
"""Seconds between two looks whether another process has taken the campaign over."""

RELAY_EVERY = 0.5
"""Seconds between two looks at what the instruments say of themselves."""


async def run_session(
    run: Run,
    store: Store,
    folder: Path,
    *,
    prefect: bool,
    say: Say,
    attendance: Attendance | None = None,
    before: Callable[[], None] = lambda: None,
) -> Ending:
    """Run a campaign to its end in this process, and record how it stands.

    Parameters
    ----------
    folder : state folder; Prefect's own files go below it.
    prefect : take the turns under Prefect, starting its server if none answers.
    say : shows a sentence to the person at the screen.
    attendance : whether somebody can be asked; by default the campaign waits for answers.
    before : called once every instrument is ready, before the first turn.

    Raises
    ------
    CampaignError
        The campaign cannot go on; its status in the history says ``failed``. `Superseded` if
        another process took the campaign over meanwhile.
    """
    interrupt = Interrupt(say)
    with people_of(run, store, attendance or Attendance(), prefect=prefect, say=say) as run:
        with interrupt.listening():
            async with _turns(run, store, folder, prefect=prefect, say=say) as take_turn:
                ending = await carry_out(run, store, take_turn, interrupt, before=before)
        store.set_status(run.id, ending.status, ending.reason)
        tell_the_end(run, ending)
    return ending


@contextmanager
def people_of(
    run: Run, store: Store, attendance: Attendance, *, prefect: bool, say: Say
) -> Iterator[Run]:
    """Give the run with whoever answers its questions, and with whoever is told of it."""
    entry = run.laboratory.notify
    if run.laboratory.simulated or not (entry.webhook or entry.blocks):
        yield replace(run, person=person_for(run, store, attendance, say))
        return
    from orchestrator.under_prefect.posting import posting

    with posting(entry, store, run.id, prefect=prefect) as post:
        told = replace(run, notifier=post)
        yield replace(told, person=person_for(told, store, attendance, say))


def tell_the_end(run: Run, ending: Ending) -> None:
    """Tell people that a campaign came to an end, unless somebody at the screen ended it."""
    if ending.status in ("finished", "cancelled"):
        notify(run, "finished", ending.status, ending.reason)
    elif ending.status == "stopped":
        notify(run, "stopped", "emergency stop", ending.reason)


async def carry_out(
    run: Run,
    store: Store,
    take_turn: TakeTurn,
    interrupt: Interrupt,
    *,
    before: Callable[[], None] = lambda: None,
) -> Ending:
    """Take turns with the laboratory connected, as people wish, and return why they ended.

    Parameters
    ----------
    run : a campaign that this process holds.
    interrupt : pressed, no further experiment begins.
    before : called once every instrument is ready, before the first turn.

    Raises
    ------
    CampaignError
        The campaign cannot go on; its status in the history says ``failed``.
    """
    status = store.campaign(run.id).status
    was_stopped = status == "stopped"
    await run.laboratory.connect()
    if run.token is not None:
        await fence(run.laboratory, run.id, run.token)
    if status != "running":
        store.set_status(run.id, "running")
    steering = Steering(run, store, take_turn, interrupt)
    relay = asyncio.create_task(_relay_messages(run, interrupt.say))
    losing = asyncio.create_task(_watch_hold(run, store, asyncio.current_task()))
    try:
        async with steering.watching():
            if was_stopped:
                await release(run, occasion=_stops(run, store))
            before()
            ending = await run_campaign(
                steering.steered(run), take_turn=steering.take, wanted=steering.goes_on
            )
        return steering.ending(ending.experiments) if steering.is_over else ending
    except asyncio.CancelledError:
        if losing.done():
            raise Superseded(losing.result()) from None
        if steering.is_over:
            return steering.ending(_experiments(run, store))
        return Ending(
            "interrupted", "stopped in the middle of an experiment", _experiments(run, store)
        )
    except WaitsForPerson as question:
        return Ending("waiting", str(question), _experiments(run, store))
    except CampaignStops as failed:
        return Ending("interrupted", str(failed), _experiments(run, store))
    except NotReleased as kept:
        return Ending("stopped", str(kept), _experiments(run, store))
    except Superseded:
        raise  # how the campaign stands is for its new holder to say
    except Exception as error:
        if steering.is_over:  # what a stopped instrument refuses is no fault of the campaign
            return steering.ending(_experiments(run, store))
        store.set_status(run.id, "failed", f"{type(error).__name__}: {error}")
        notify(run, "failed", "failed", str(error))
        raise
    finally:
        relay.cancel()
        losing.cancel()
        await run.laboratory.disconnect()


async def _watch_hold(run: Run, store: Store, campaign: asyncio.Task[Any] | None) -> str:
    """Cancel the campaign's task when another process has taken the campaign over; say so."""
    holder = None
    while holder is None or run.token is None or holder.token == run.token:
        await asyncio.sleep(LOOK_FOR_LOSS)
        try:
            holder = store.holds.current(run.id)
        except StoreError as error:
            logger.warning("hold could not be read campaign=%s: %s", run.id, error)
    assert campaign is not None
    campaign.cancel()
    return (
        f"{run.id} was taken over by process {holder.holder.pid} on {holder.holder.host}; this one "
        "ends, and its instruments were let go. Follow the campaign with `sdlab show`"
    )


def _experiments(run: Run, store: Store) -> int:
    return len(store.observations(run.id))


def _stops(run: Run, store: Store) -> int:
    """Return how often the laboratory was stopped while it worked for this campaign."""
    return sum(event.kind == "stopped" for event in store.events(run.id))


async def _relay_messages(run: Run, say: Say) -> None:
    """Show what real instruments say of themselves while they work, such as a request."""
    shown: dict[str, str] = {}
    while not run.laboratory.clock.is_virtual:
        for name, instrument in run.laboratory.instruments.items():
            status = await instrument.status()
            if status.state == "busy" and status.message != shown.get(name):
                shown[name] = status.message
                say(f"{name}: {status.message}")
        await asyncio.sleep(RELAY_EVERY)


@asynccontextmanager
async def _turns(
    run: Run, store: Store, folder: Path, *, prefect: bool, say: Say
) -> AsyncIterator[TakeTurn]:
    """Give what takes the turns; a Prefect server that does not start stops no campaign."""
    if not prefect or not await _server_answers(folder, say):
        yield turn
        return
    from orchestrator.under_prefect.flows import seen_in_prefect
    from orchestrator.under_prefect.questions import asked_in_prefect, collect_answers

    await collect_answers(run.id, store.questions)
    async with seen_in_prefect(run) as take_turn, asked_in_prefect(run.id, store.questions):
        yield take_turn


async def _server_answers(folder: Path, say: Say) -> bool:
    """Start the Prefect server if none answers, and return whether one does."""
    from orchestrator.under_prefect.server import ensure_server

    def starting(sentence: str, waited: float) -> None:
        say(f"{sentence} ({waited:.0f} s)")

    try:
        server = await asyncio.to_thread(ensure_server, folder / "prefect", progress=starting)
    except ServerError as error:
        say(f"going on without Prefect: {error}")
        return False
    say(f"history in Prefect: {server.url}")
    return True
