"""A person wishes that a campaign pauses, goes on, ends or stops, from any process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from instruments.stopping import Stopped
from orchestrator.errors import CampaignError, CampaignHeld, StoreError
from orchestrator.people.asking import this_person
from orchestrator.sharing.holding import Pulse, hold, is_dead
from orchestrator.store import Store
from orchestrator.store.records import CampaignRecord

ENDED = frozenset({"finished", "cancelled"})
"""Statuses after which nothing moves for a campaign any more."""

CONFIRMED_WITHIN = 5.0
"""Real seconds for the process that runs a campaign to confirm what is wished of it."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What became of an emergency stop of one campaign.

    Attributes
    ----------
    said : instrument → what it said to this process.
    confirmed : nobody runs the campaign, or whoever does says that it is stopped.
    trouble : why an instrument could not be named or the stop not be written down; else empty.
    """

    campaign_id: str
    said: dict[str, Stopped]
    confirmed: bool
    trouble: str = ""


def is_running(store: Store, campaign_id: str) -> bool:
    """Return whether a living process runs a campaign."""
    holder = store.holds.current(campaign_id)
    return holder is not None and holder.released is None and not is_dead(holder, Pulse().expiry)


def how_it_stands(store: Store, record: CampaignRecord) -> tuple[str, str]:
    """Return the status and the sentence about a campaign, whose process may have died unheard."""
    under_way = record.status in ("running", "paused", "waiting")
    holder = store.holds.current(record.id) if under_way else None
    if holder is None or holder.released is not None or is_running(store, record.id):
        return record.status, record.message
    return "died", (
        f"its process was lost while it was {record.status}, last heard of at "
        f"{holder.heartbeat:%H:%M:%S} UTC; `sdlab resume {record.id}` goes on"
    )


def pause(store: Store, campaign_id: str, *, reason: str = "") -> str:
    """Have a campaign begin nothing new; return what happens. Raises CampaignError."""
    if not is_running(store, campaign_id):
        status = store.campaign(campaign_id).status
        raise CampaignError(
            f"no process runs {campaign_id} (it is {status}), so there is nothing to pause"
        )
    _need_no_ending(store, campaign_id, "cancel", "stop")
    store.wishes.wish(campaign_id, "pause", reason=reason, by=this_person())
    return (
        f"{campaign_id} finishes what is under way and begins nothing new; go on with "
        f"`sdlab resume {campaign_id}`"
    )


def go_on(store: Store, campaign_id: str) -> bool:
    """Wish that a campaign runs; return whether a living process goes on with it.

    Raises
    ------
    CampaignError
        It was cancelled for good, or is being cancelled or stopped just now.
    CampaignHeld
        It is running, and nobody had paused it.
    """
    record = store.campaign(campaign_id)
    if record.status == "cancelled":
        raise CampaignError(
            f"{campaign_id} was cancelled for good ({record.message}); begin a new campaign"
        )
    before = store.wishes.find(campaign_id).wish
    _need_no_ending(store, campaign_id, "cancel", "stop")
    if before == "stop" and record.status != "stopped":
        # Its process died before it could say so; a person must release the instruments.
        store.record_event(campaign_id, "stopped", "emergency stop that no process confirmed")
        store.set_status(campaign_id, "stopped", "emergency stop that no process confirmed")
    if before != "run":
        store.wishes.wish(campaign_id, "run", by=this_person())
    return before == "pause" and is_running(store, campaign_id)


def cancel(store: Store, campaign_id: str, *, reason: str = "") -> str:
    """End a campaign for good; return what happens.

    Raises
    ------
    CampaignError
        It has ended already.
    """
    record = store.campaign(campaign_id)
    if record.status in ENDED:
        raise CampaignError(f"{campaign_id} is {record.status} already: {record.message}")
    _need_no_ending(store, campaign_id, "stop")
    store.wishes.wish(campaign_id, "cancel", reason=reason, by=this_person())
    why = f"cancelled by {this_person()}" + (f": {reason}" if reason else "")
    try:
        with hold(store, campaign_id):
            store.set_status(campaign_id, "cancelled", why)
    except CampaignHeld:
        return f"{campaign_id} does nothing new; its running commands are being stopped"
    open_actions = store.unsettled_actions(campaign_id)
    doubt = "".join(
        f"\n{a.instrument} was sent {a.command_id} and nobody knows how it ended; look at it"
        for a in open_actions
    )
    return f"{campaign_id} is cancelled for good{doubt}"


def _need_no_ending(store: Store, campaign_id: str, *endings: str) -> None:
    """Raise CampaignError while a process carries out one of these wishes, which it must see."""
    wish = store.wishes.find(campaign_id).wish
    if wish in endings and is_running(store, campaign_id):
        raise CampaignError(
            f"the process that runs {campaign_id} is carrying out the wish to {wish}; wait until "
            f"`sdlab show {campaign_id}` says that it has ended"
        )


async def stop_now(store: Store, record: CampaignRecord, *, reason: str = "") -> Stop:
    """Stop a campaign's laboratory at once, whether or not a process runs the campaign.

    The instruments do not wait for the history: one that is locked or away keeps none from being
    stopped.
    """
    by, said = this_person(), dict[str, Stopped]()
    wishing = asyncio.create_task(
        asyncio.to_thread(store.wishes.wish, record.id, "stop", reason=reason, by=by)
    )
    trouble = ""
    try:
        said = await _stopped_directly(record)
    except CampaignError as error:
        trouble = str(error)
    try:
        await wishing
        return Stop(record.id, said, await _confirmed(store, record, said), trouble)
    except StoreError as error:
        return Stop(record.id, said, confirmed=False, trouble=f"{trouble} {error}".strip())


async def _stopped_directly(record: CampaignRecord) -> dict[str, Stopped]:
    from orchestrator.people.emergency import recorded_laboratory, stop_directly

    if record.config.get("twin"):
        return {}
    return await stop_directly(*recorded_laboratory(record))


def stoppable(store: Store) -> list[CampaignRecord]:
    """Return the campaigns for which something may be moving."""
    return [
        record
        for record in store.campaigns()
        if record.status in ("running", "paused", "waiting") or store.unsettled_actions(record.id)
    ]


async def _confirmed(store: Store, record: CampaignRecord, said: dict[str, Stopped]) -> bool:
    """Return whether a campaign is known to be stopped; said here if nobody is left to say it."""
    if is_running(store, record.id) and await _says_stopped(store, record.id):
        return True
    if is_running(store, record.id):
        return False
    words = ", ".join(f"{name}: {s.result}" for name, s in said.items()) or "nothing is running"
    store.record_event(record.id, "stopped", words)
    if store.campaign(record.id).status not in ENDED:
        store.set_status(record.id, "stopped", f"emergency stop by {this_person()} ({words})")
    return True


async def _says_stopped(store: Store, campaign_id: str) -> bool:
    """Return whether the process that runs a campaign says in time that it is stopped."""
    for _ in range(int(CONFIRMED_WITHIN / 0.1)):
        await asyncio.sleep(0.1)
        if store.campaign(campaign_id).status in ("stopped", *ENDED):
            return True
    return False
