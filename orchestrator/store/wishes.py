"""What a person wishes a campaign to do; who runs it looks here several times a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, select, update

from orchestrator.store import rows
from orchestrator.store.agreement_tables import WISH
from orchestrator.store.campaigns import log
from orchestrator.store.ledger import Ledger

Wanted = Literal["run", "pause", "cancel", "stop"]
"""Go on; begin nothing new; end for good; emergency stop."""

_COLUMNS = ("wish", "reason", "asked", "asked_by")

_FIND = select(*(WISH.c[name] for name in _COLUMNS)).where(
    WISH.c.campaign_id == bindparam("campaign_id")
)

_CHANGE = (
    update(WISH)
    .where(WISH.c.campaign_id == bindparam("this_campaign"))
    .values({name: bindparam(name) for name in _COLUMNS})
)


@dataclass(frozen=True, slots=True)
class Wish:
    """The latest wish, and whose it is."""

    wish: Wanted
    reason: str
    at: datetime | None
    by: str


class Wishes:
    """One wish a campaign: the latest. May be used from several threads and processes."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, campaign_id: str) -> Wish:
        """Return the latest wish; that it runs if nobody ever wished anything."""
        found = self._ledger.driver.read(_FIND, {"campaign_id": campaign_id})
        return Wish(*found[0]) if found else Wish("run", "", None, "")

    def wish(self, campaign_id: str, wanted: Wanted, *, reason: str = "", by: str) -> None:
        """Write down a wish over the one before, and log it."""
        values = {
            "campaign_id": campaign_id,
            "wish": wanted,
            "reason": reason,
            "asked": rows.now(),
            "asked_by": by,
        }
        with self._ledger.writing(campaign_id):
            if not self._ledger.driver.insert(WISH, values):
                self._ledger.driver.change(_CHANGE, {**values, "this_campaign": campaign_id})
            told = f"{by} wishes: {wanted}" + (f" ({reason})" if reason else "")
            log(self._ledger, campaign_id, "wish", told, None)
