"""Holds: which process runs a campaign; a process that lost it can no longer write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from orchestrator.errors import CampaignHeld
from orchestrator.store.agreement_tables import HOLD
from orchestrator.store.ledger import Ledger
from orchestrator.store.rows import now


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, told apart from every other that ever was.

    Attributes
    ----------
    host : name of the machine.
    born : when the process was started [s since 1970]; process numbers are used again.
    """

    host: str
    pid: int
    born: float


@dataclass(frozen=True, slots=True)
class Hold:
    """One process running one campaign.

    Attributes
    ----------
    token : goes up with every new holder, so that an older one is known by its lower token.
    heartbeat : when the holder was last heard of, wall-clock time.
    released : when it gave the campaign back; None while it holds it, or died with it.
    """

    campaign_id: str
    token: int
    holder: Holder
    taken: datetime
    heartbeat: datetime
    released: datetime | None


_BY_CAMPAIGN = select(HOLD).where(HOLD.c.campaign_id == bindparam("campaign_id"))

_TAKE = (
    update(HOLD)
    .where(
        HOLD.c.campaign_id == bindparam("this_campaign_id"), HOLD.c.token == bindparam("old_token")
    )
    .values(
        {
            name: bindparam(name)
            for name in ("token", "host", "pid", "born", "taken", "heartbeat", "released")
        }
    )
)

_MINE = (
    HOLD.c.campaign_id == bindparam("this_campaign_id"),
    HOLD.c.token == bindparam("this_token"),
    HOLD.c.released.is_(None),
)

_BEAT = update(HOLD).where(*_MINE).values(heartbeat=bindparam("heartbeat"))

_RELEASE = update(HOLD).where(*_MINE).values(released=bindparam("released"))


class Holds:
    """Who runs which campaign."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def current(self, campaign_id: str) -> Hold | None:
        """Return who holds, or last held, a campaign; None if nobody ever did."""
        self._ledger.is_durable(campaign_id)
        found = self._ledger.driver.read(_BY_CAMPAIGN, {"campaign_id": campaign_id})
        return _hold(found[0]) if found else None

    def take(self, campaign_id: str, holder: Holder, *, is_dead: Callable[[Hold], bool]) -> Hold:
        """Take a campaign that nobody holds any more; from now on this store writes as its holder.

        Parameters
        ----------
        is_dead : says whether the process of an unreleased hold is gone.

        Raises
        ------
        CampaignHeld
            Another process holds it, or was faster.
        """
        before = self.current(campaign_id)
        if before is not None and before.released is None and not is_dead(before):
            raise CampaignHeld(_held(before))
        moment = now()
        token = before.token + 1 if before is not None else 1
        mine = Hold(campaign_id, token, holder, moment, moment, None)
        self._ledger.forget_guard(campaign_id)
        with self._ledger.writing(campaign_id):
            if not self._written(mine, before):
                raise CampaignHeld(
                    f"another process took {campaign_id} in the same moment; look with `sdlab list`"
                )
        self._ledger.guard(campaign_id, token)
        return mine

    def beat(self, hold: Hold) -> bool:
        """Say that the holder lives; return False if it holds the campaign no longer."""
        return self._change(_BEAT, hold, heartbeat=now())

    def release(self, hold: Hold) -> bool:
        """Give the campaign back; return False if it was taken over before."""
        given = self._change(_RELEASE, hold, released=now())
        self._ledger.forget_guard(hold.campaign_id)
        return given

    def _written(self, mine: Hold, before: Hold | None) -> bool:
        values = _row(mine)
        if before is None:
            return self._ledger.driver.insert(HOLD, values)
        which = {"this_campaign_id": mine.campaign_id, "old_token": before.token}
        return self._ledger.driver.change(_TAKE, {**values, **which}) == 1

    def _change(self, statement: Any, hold: Hold, **values: datetime) -> bool:
        which = {"this_campaign_id": hold.campaign_id, "this_token": hold.token}
        # Not guarded: whether the hold is still ours is just what is asked.
        with self._ledger.driver.writing(durable=False):
            return self._ledger.driver.change(statement, {**which, **values}) == 1


def _row(hold: Hold) -> dict[str, Any]:
    holder = hold.holder
    return {
        "campaign_id": hold.campaign_id,
        "token": hold.token,
        "host": holder.host,
        "pid": holder.pid,
        "born": holder.born,
        "taken": hold.taken,
        "heartbeat": hold.heartbeat,
        "released": hold.released,
    }


def _hold(row: tuple[Any, ...]) -> Hold:
    values = dict(zip(HOLD.c.keys(), row, strict=True))
    holder = Holder(*(values.pop(name) for name in ("host", "pid", "born")))
    return Hold(holder=holder, **values)


def _held(hold: Hold) -> str:
    holder = hold.holder
    return (
        f"{hold.campaign_id} is being run already by process {holder.pid} on {holder.host}, last "
        f"heard of at {hold.heartbeat:%H:%M:%S} UTC; wait for it, stop it with Ctrl-C there or "
        f"with `sdlab pause {hold.campaign_id}`"
    )
