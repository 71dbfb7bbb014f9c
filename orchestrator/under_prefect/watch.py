"""A campaign whose worker died is given its next turn again.

A flow run asks for the next when it ends, and one that is killed cannot. This looks at every
campaign that should go on: if nobody holds it and no flow run of it is due or at work, one more is
asked for. It only asks, never runs anything, and to ask twice is harmless; so any number of
machines may watch.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas import FlowRun
from prefect.exceptions import PrefectException

from orchestrator.errors import StoreError
from orchestrator.sharing.holding import Pulse, is_dead
from orchestrator.store import Store
from orchestrator.store.holds import Hold
from orchestrator.under_prefect.next_turn import deployed_runs, request_turn, wants_turns
from orchestrator.under_prefect.reconcile import settle

log = logging.getLogger(__name__)

MOST_TRIES = 5
"""Flow runs of one turn that may die before a person must look."""

START_TIME = timedelta(minutes=3)
"""How long a flow run may take from its worker to the campaign's hold; imports cost the most."""


@dataclass(frozen=True, slots=True)
class Revived:
    """A campaign that was given its next turn again."""

    campaign_id: str
    number: int
    why: str


async def watch(store: Store, *, every: timedelta, seen: Callable[[Revived], None]) -> None:
    """Look after all campaigns for ever, also while the server or the database is away."""
    while True:
        try:
            await look_once(store, seen=seen)
        except (httpx.HTTPError, PrefectException, StoreError) as error:
            log.warning("could not look after the campaigns: %r", error)
        await asyncio.sleep(every.total_seconds())


async def look_once(store: Store, *, seen: Callable[[Revived], None]) -> None:
    """Look after all campaigns once. Raises what `look_after` raises."""
    async for revived in look_after(store):
        seen(revived)


async def look_after(store: Store, *, patience: timedelta = START_TIME) -> AsyncIterator[Revived]:
    """Give every deployed campaign that nobody takes care of its next turn.

    Parameters
    ----------
    patience : how long a flow run may be starting before it is taken for dead.

    Raises
    ------
    httpx.HTTPError, prefect.exceptions.PrefectException
        The server did not answer.
    """
    async with get_client() as client:
        for record in store.campaigns():
            if not wants_turns(store, record):
                continue
            hold = store.holds.current(record.id)
            if hold is None or hold.released is not None or is_dead(hold, Pulse().expiry):
                revived = await _revive(client, store, record.id, hold, patience)
                if revived is not None:
                    yield revived


async def _revive(
    client: PrefectClient, store: Store, campaign_id: str, hold: Hold | None, patience: timedelta
) -> Revived | None:
    """Ask for a campaign's next turn if no flow run of it is due, starting or at work."""
    runs = await deployed_runs(client, campaign_id)
    if not runs or runs[0].deployment_id is None:
        return None  # it is run by `sdlab run`, not on workers
    lost = [run for run in runs if run.state is None or not run.state.is_final()]
    if any(_may_come(run, hold, patience) for run in lost):
        return None
    if store.holds.current(campaign_id) != hold:
        return None  # it was taken while we looked
    finished = {number for number, _ in store.observations(campaign_id)}
    await settle({run.id: run.parameters.get("number") in finished for run in lost})
    number, why = len(finished), _what_became_of(lost[0] if lost else runs[0])
    tried = len(await deployed_runs(client, campaign_id, number))
    if tried >= MOST_TRIES:
        reason = f"turn {number} was begun {tried} times and never ended; {why}"
        store.set_status(campaign_id, "failed", reason)
        return None
    await request_turn(campaign_id, number, deployment_id=runs[0].deployment_id, again=tried)
    store.record_event(campaign_id, "revived", f"{why}; turn {number} was asked for again", number)
    return Revived(campaign_id, number, why)


def _may_come(run: FlowRun, hold: Hold | None, patience: timedelta) -> bool:
    """Return whether an open flow run waits for a worker, or is still starting on one."""
    if run.state is None or run.state.is_scheduled():
        return True
    if hold is not None and hold.released is None and run.state.timestamp <= hold.heartbeat:
        return False  # it began before its process was last heard of, and that process is dead
    return datetime.now(UTC) - run.state.timestamp < patience


def _what_became_of(run: FlowRun) -> str:
    if run.state is not None and run.state.is_final():
        return f"flow run {run.name!r} ended as {run.state_name}"
    return f"flow run {run.name!r} was {run.state_name} and nobody ran it any more"
