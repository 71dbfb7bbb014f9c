"""Custody: every thing has exactly one holder, and changes it in two steps.

An offer says that a thing is about to go from its holder to a place that is kept free for it; its
acceptance says that it arrived, its withdrawal that it never left. The database itself refuses a
second thing in a slot, a second offer of a thing and a second offer to a slot.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from orchestrator.errors import CustodyConflict
from orchestrator.store import custody_statements as sql
from orchestrator.store.agreement_tables import CUSTODY, HANDOVER
from orchestrator.store.engine import reading
from orchestrator.store.ledger import Ledger
from orchestrator.store.storage_records import UNLIMITED, Handover, Whereabouts

BY_PERSON = "person"
"""Stands for the command where a person moved a thing."""


class Custody:
    """Who holds what, in the history's database.

    Every method is one transaction, or part of the one it is called in.

    Raises
    ------
    CustodyConflict
        From every method that changes something: it does not fit what is recorded. The caller's
        transaction should be rolled back.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._driver = ledger.driver

    def together(self) -> AbstractContextManager[None]:
        """Keep what is recorded in a block all together or not at all."""
        return self._driver.writing(durable=True)

    def enter(
        self,
        scope: str,
        thing: str,
        kind: str,
        holder: str,
        *,
        at: datetime,
        slot: str = "1",
        campaign_id: str | None = None,
    ) -> bool:
        """Record a thing that appears; False if it is known already, which changes nothing."""
        slot = thing if holder in UNLIMITED else slot
        row = {"scope": scope, "thing": thing, "kind": kind, "holder": holder, "slot": slot}
        with self._driver.writing(durable=True):
            values = {**row, "campaign_id": campaign_id, "since": at}
            if not self._driver.insert(CUSTODY, values):
                if self.where(scope, thing) is not None:
                    return False
                raise self._occupied(scope, thing, holder, slot)
            if holder not in UNLIMITED and (offer := self._offer_to(scope, holder, slot)):
                raise _kept_free(thing, offer)
        return True

    def offer(
        self,
        scope: str,
        thing: str,
        taker: str,
        *,
        slot: str = "1",
        command_id: str,
        at: datetime,
        giver: str | None = None,
    ) -> Handover:
        """Offer a thing to a place, which is kept free for it from now on.

        Parameters
        ----------
        giver : must hold the thing; None for whoever holds it.
        """
        slot = thing if taker in UNLIMITED else slot
        with self._driver.writing(durable=True):
            there = self._known(scope, thing)
            if giver is not None and there.holder != giver:
                raise CustodyConflict(
                    f"{giver} offers {thing}, which is held by {there.holder}; look where it is, "
                    f"then say `sdlab move {thing} PLACE`"
                )
            offer = Handover(scope, thing, there.holder, there.slot, taker, slot, command_id, at)
            if not self._driver.insert(HANDOVER, {n: getattr(offer, n) for n in _FIELDS}):
                return self._same_offer(offer)
            same = (there.holder, there.slot) == (taker, slot)
            if not same and taker not in UNLIMITED and self._occupant(offer) is not None:
                self._close(sql.RETRACT, scope, thing, command_id)
                raise self._occupied(scope, thing, taker, slot)
        return offer

    def accept(self, scope: str, thing: str, command_id: str, *, at: datetime) -> None:
        """Record that an offered thing has arrived: its taker holds it now."""
        with self._driver.writing(durable=True):
            self.accept_offer(self._open_offer(scope, thing, command_id), at=at)

    def accept_offer(self, offer: Handover, *, at: datetime) -> None:
        """Record that what an open offer says has happened."""
        with self._driver.writing(durable=True):
            self._put(offer, at=at)
            self._close(sql.ACCEPT, offer.scope, offer.thing, offer.command_id, accepted=at)

    def withdraw(self, scope: str, thing: str, command_id: str, *, at: datetime) -> None:
        """Record that an offered thing never left its giver."""
        with self._driver.writing(durable=True):
            self._open_offer(scope, thing, command_id)
            self._close(sql.WITHDRAW, scope, thing, command_id, withdrawn=at)

    def hand(
        self,
        scope: str,
        thing: str,
        taker: str,
        *,
        command_id: str,
        at: datetime,
        slot: str = "1",
        giver: str | None = None,
    ) -> None:
        """Offer and accept at once: someone saw it arrive."""
        with self._driver.writing(durable=True):
            self.offer(scope, thing, taker, slot=slot, command_id=command_id, at=at, giver=giver)
            self.accept(scope, thing, command_id, at=at)

    def pass_on(self, arrived: Handover, taker: str, *, at: datetime) -> None:
        """Hand what has just arrived on to a holder that has room for everything."""
        giver, slot = arrived.taker, arrived.taker_slot
        scope, thing, command_id = arrived.scope, arrived.thing, arrived.command_id
        offer = Handover(scope, thing, giver, slot, taker, thing, command_id, at)
        with self._driver.writing(durable=True):
            if not self._driver.insert(HANDOVER, {n: getattr(offer, n) for n in _FIELDS}):
                self._same_offer(offer)
            self.accept_offer(offer, at=at)

    def holding(self, scope: str, thing: str) -> Whereabouts | None:
        """Return who holds a thing, without looking whether it is offered to somebody."""
        found = self._driver.read(sql.WHEREABOUTS, {"this_scope": scope, "this_thing": thing})
        return Whereabouts(*found[0]) if found else None

    def where(self, scope: str, thing: str) -> Whereabouts | None:
        """Return where a thing is, None if it was never recorded."""
        there = self.holding(scope, thing)
        if there is None:
            return None
        which = {"this_scope": scope, "this_thing": thing}
        doubt = self._offers(self._driver.read(sql.OPEN_OF, which))
        return replace(there, doubt=doubt[0] if doubt else None)

    def open_offers(self, command_id: str) -> list[Handover]:
        """Return the offers made for a command that are neither accepted nor withdrawn."""
        return self._offers(self._driver.read(sql.OPEN_BY, {"this_command_id": command_id}))

    def free(self, scope: str, kind: str) -> list[str]:
        """Return the vessels of a kind that stand on the shelf with nothing in them."""
        which = {"this_scope": scope, "this_kind": kind}
        return [thing for (thing,) in self._driver.read(sql.FREE, which)]

    def contents(self, scope: str) -> list[tuple[str, str, str]]:
        """Return (what stands in a vessel, the vessel, the vessel's kind)."""
        found = self._driver.read(sql.FILLED, {"this_scope": scope})
        return [(thing, vessel, kind) for thing, vessel, kind in found]

    def filled(self, scope: str, kind: str) -> list[str]:
        """Return what stands in the vessels of a kind that are on the shelf."""
        which = {"this_scope": scope, "this_kind": kind}
        return [thing for (thing,) in self._driver.read(sql.FILLED_ON_SHELF, which)]

    def everything(self, scope: str | None = None) -> list[Whereabouts]:
        """Return where everything is, in one scope or in all."""
        which = [] if scope is None else [CUSTODY.c.scope == scope]
        of_scope = [] if scope is None else [HANDOVER.c.scope == scope]
        order = (CUSTODY.c.scope, CUSTODY.c.holder, CUSTODY.c.slot)
        with reading(self._ledger.engine) as connection:
            things = [
                Whereabouts(*row)
                for row in connection.execute(select(CUSTODY).where(*which).order_by(*order))
            ]
            offers = connection.execute(select(*sql.OFFER).where(sql.IS_OPEN, *of_scope)).all()
        doubts = {(o.scope, o.thing): o for o in self._offers(offers)}
        return [replace(t, doubt=doubts.get((t.scope, t.thing))) for t in things]

    def history(self, thing: str, scope: str | None = None) -> list[Handover]:
        """Return every hand-over of a thing, oldest first."""
        return self._handovers(HANDOVER.c.thing == thing, scope)

    def handovers(self, campaign_id: str) -> list[Handover]:
        """Return every hand-over that served a campaign's commands, oldest first."""
        return self._handovers(HANDOVER.c.command_id.startswith(f"{campaign_id}/", autoescape=True))

    def _handovers(self, condition: Any, scope: str | None = None) -> list[Handover]:
        of_scope = [] if scope is None else [HANDOVER.c.scope == scope]
        query = select(*sql.OFFER).where(condition, *of_scope).order_by(HANDOVER.c.row)
        with reading(self._ledger.engine) as connection:
            return self._offers(connection.execute(query).all())

    def _put(self, offer: Handover, *, at: datetime) -> None:
        """Move a thing from its giver to its taker."""
        place = {"holder": offer.taker, "slot": offer.taker_slot, "since": at}
        giver = {"this_holder": offer.giver, "this_slot": offer.giver_slot}
        thing = {"this_scope": offer.scope, "this_thing": offer.thing}
        if not self._driver.change(sql.PUT, {**thing, **giver, **place}):
            there = self._known(offer.scope, offer.thing)
            raise CustodyConflict(
                f"{offer.thing} was offered by {offer.giver} and is held by {there.holder}; look "
                f"where it is, then say `sdlab move {offer.thing} PLACE`"
            )

    def _known(self, scope: str, thing: str) -> Whereabouts:
        there = self.holding(scope, thing)
        if there is None:
            raise CustodyConflict(
                f"no {thing!r} is known in {scope!r}; `sdlab where` lists what is there"
            )
        return there

    def _open_offer(self, scope: str, thing: str, command_id: str) -> Handover:
        for offer in self.open_offers(command_id):
            if (offer.scope, offer.thing) == (scope, thing):
                return offer
        raise CustodyConflict(
            f"no offer of {thing} for {command_id} is open: it was accepted or withdrawn before, "
            "or never made"
        )

    def _close(self, change: Any, scope: str, thing: str, command_id: str, **at: datetime) -> None:
        which = {"this_scope": scope, "this_thing": thing, "this_command_id": command_id}
        if not self._driver.change(change, {**which, **at}):
            raise CustodyConflict(f"the offer of {thing} was closed by another process meanwhile")

    def _same_offer(self, offer: Handover) -> Handover:
        """Return the offer if it was made before for the same command, else say what is there."""
        which = {"this_scope": offer.scope, "this_thing": offer.thing}
        for there in self._offers(self._driver.read(sql.OPEN_OF, which)):
            if (there.taker, there.command_id) == (offer.taker, offer.command_id):
                return there
            raise CustodyConflict(
                f"{offer.thing} is offered to {there.taker} for {there.command_id} already, and "
                f"nobody knows whether it arrived; look, then say `sdlab move {offer.thing} PLACE`"
            )
        kept = self._offer_to(offer.scope, offer.taker, offer.taker_slot)
        if kept is None:
            raise CustodyConflict(f"the offer of {offer.thing} met another one; try again")
        raise _kept_free(offer.thing, kept)

    def _occupant(self, offer: Handover) -> str | None:
        place = {"this_holder": offer.taker, "this_slot": offer.taker_slot}
        found = self._driver.read(sql.OCCUPANT, {"this_scope": offer.scope, **place})
        return found[0][0] if found else None

    def _offer_to(self, scope: str, holder: str, slot: str) -> Handover | None:
        place = {"this_scope": scope, "this_holder": holder, "this_slot": slot}
        found = self._offers(self._driver.read(sql.OPEN_AT, place))
        return found[0] if found else None

    def _occupied(self, scope: str, thing: str, holder: str, slot: str) -> CustodyConflict:
        place = {"this_scope": scope, "this_holder": holder, "this_slot": slot}
        occupant = self._driver.read(sql.OCCUPANT, place)
        by = occupant[0][0] if occupant else "something"
        return CustodyConflict(
            f"{thing} cannot go to slot {slot} of {holder}: {by} is in it. Take that out, then "
            f"say `sdlab move {by} shelf`"
        )

    @staticmethod
    def _offers(rows: Iterable[Any]) -> list[Handover]:
        return [Handover(*row) for row in rows]


_FIELDS = tuple(column.name for column in sql.OFFER)


def _kept_free(thing: str, offer: Handover) -> CustodyConflict:
    return CustodyConflict(
        f"{thing} cannot go to slot {offer.taker_slot} of {offer.taker}: it is kept free for "
        f"{offer.thing}, which {offer.command_id} may have put there. Look, then say "
        f"`sdlab move {offer.thing} PLACE`"
    )
