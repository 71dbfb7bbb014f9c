"""One process at a time runs a campaign, and one that lost it can no longer act.

The holder writes its name, a token that goes up with every holder, and a heartbeat into the
history. A process that is gone, or was not heard of for too long, loses the campaign to the next
that asks. If it was only asleep, its token is too low: the history and the instruments that
remember commands refuse it.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import psutil

from instruments.protocols import Queryable
from orchestrator.errors import StoreError
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.store import Store
from orchestrator.store.holds import Hold, Holder

logger = logging.getLogger(__name__)

OUTERMOST_NAMESPACE = 0xEFFFFFFC
"""Number that Linux gives to the namespace of process numbers outside of all containers."""

BIRTH_TOLERANCE = 2.0
"""How far two readings of a process' birth may differ [s], as the system's clock is adjusted."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a holder shows that it lives, in wall-clock time.

    Attributes
    ----------
    every : between two heartbeats.
    expiry : a holder on another machine that was silent for so long is taken for dead.
    """

    every: timedelta = timedelta(seconds=5)
    expiry: timedelta = timedelta(seconds=20)


@dataclass(slots=True)
class Held:
    """A campaign that this process runs.

    Attributes
    ----------
    lost : another process has taken it over.
    """

    hold: Hold
    lost: threading.Event = field(default_factory=threading.Event)

    @property
    def token(self) -> int:
        """What the history and the instruments know this process by."""
        return self.hold.token


@contextmanager
def hold(
    store: Store,
    campaign_id: str,
    *,
    take_over: bool = False,
    pulse: Pulse | None = None,
    on_loss: Callable[[], None] = lambda: None,
) -> Iterator[Held]:
    """Keep every other process, on this machine or another, from running the same campaign.

    Parameters
    ----------
    take_over : take it even if its holder seems to live; that one can no longer act.
    on_loss : called from the heartbeat's thread when another process has taken over.

    Raises
    ------
    CampaignHeld
        Another process runs the campaign.
    """
    pulse = pulse or Pulse()
    mine = store.holds.take(
        campaign_id, this_process(), is_dead=lambda h: take_over or is_dead(h, pulse.expiry)
    )
    held, ended = Held(mine), threading.Event()
    beating = threading.Thread(
        target=_beat, args=(store, held, ended, pulse, on_loss), name="heartbeat", daemon=True
    )
    beating.start()
    try:
        store.leases.leave(campaign_id, but=mine.holder)
        yield held
    finally:
        ended.set()
        beating.join()
        store.holds.release(mine)


async def fence(laboratory: Laboratory, campaign_id: str, token: int) -> None:
    """Tell every instrument that remembers commands whom to obey from now on.

    Raises
    ------
    CommandRefused
        Another process has taken over meanwhile.
    """
    for instrument in laboratory.instruments.values():
        if isinstance(instrument, Queryable):
            await instrument.fence(campaign_id, token)


def this_process() -> Holder:
    """Return what tells this process from every other."""
    return Holder(this_machine(), os.getpid(), psutil.Process().create_time())


@cache
def this_machine() -> str:
    """Return what tells the machine whose processes are seen from here from every other.

    Containers may share a name and see none of each other's processes; then their namespace of
    process numbers belongs to the name.
    """
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116  follows the link
    except OSError:
        return socket.gethostname()  # no Linux, no containers
    outermost = namespace == OUTERMOST_NAMESPACE
    return socket.gethostname() + ("" if outermost else f"#{namespace}")


def is_dead(hold: Hold, expiry: timedelta) -> bool:
    """Return whether the process of a hold is gone, as far as can be known from here."""
    if hold.holder.host == this_machine():
        return not is_running(hold.holder)
    return datetime.now(UTC) - hold.heartbeat > expiry


def is_running(holder: Holder) -> bool:
    """Return whether a process of this machine still runs; its number may be another's by now."""
    try:
        process = psutil.Process(holder.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - holder.born) < BIRTH_TOLERANCE
    except psutil.NoSuchProcess:
        return False


def _beat(
    store: Store, held: Held, ended: threading.Event, pulse: Pulse, on_loss: Callable[[], None]
) -> None:
    while not ended.wait(pulse.every.total_seconds()):
        try:
            alive = store.holds.beat(held.hold)
        except StoreError as error:
            logger.warning("heartbeat missed campaign=%s: %s", held.hold.campaign_id, error)
            continue
        if not alive:
            logger.error("campaign taken over campaign=%s", held.hold.campaign_id)
            held.lost.set()
            on_loss()
            return
