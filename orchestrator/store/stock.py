"""Stock: what is left of each consumable, what is set aside, and for whom it is kept back.

A level is the last filling minus what was used since. A command sets aside what it may use before
it is sent, and books what it used when it has ended, both once for its command id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from instruments.capabilities import Consumable
from orchestrator.errors import StoreError
from orchestrator.store import stock_statements as sql
from orchestrator.store.agreement_tables import LEVEL, RESERVATION, STOCK
from orchestrator.store.engine import reading
from orchestrator.store.ledger import Ledger
from orchestrator.store.storage_records import Level, Shortage

Good = tuple[str, str]
"""Instrument and consumable."""

_Standing = tuple[float, float, float, str]
_NOTHING: _Standing = (0.0, 0.0, 0.0, "")

ROUNDING = 1e-9
"""Relative: what sums of estimates may be off."""


class Stock:
    """What is left, set aside and kept back, in the history's database.

    A scope is a laboratory, whose stock all its campaigns share, or one campaign on a simulated
    laboratory. Every method is one transaction, or part of the one it is called in; the row of a
    level is locked while it is looked at and changed, so campaigns of other processes wait.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._driver = ledger.driver

    def declare(
        self, scope: str, instrument: str, consumable: Consumable, at: datetime
    ) -> Level | None:
        """Fill a consumable that is seen for the first time; return its level if the file differs.

        A number that changed in the laboratory file is never taken silently: whoever refilled says
        so with `fill`.
        """
        level = {"unit": consumable.unit, "left": consumable.stock, "aside": 0.0}
        key = _key(scope, instrument, consumable.name)
        declared = consumable.stock
        with self._driver.writing(durable=True):
            if self._driver.insert(LEVEL, {**key, **level, "declared": declared}):
                self._log(key, "fill", declared, None, at)
                return None
            ((unit, left, aside, before),) = self._driver.read(sql.LEVEL_OF, _this(key))
            if before is None:
                self._driver.change(sql.BELIEVE, {**_this(key), "declared": declared})
            elif before != declared:
                return Level(scope, instrument, consumable.name, unit, left, aside, before)
        return None

    def fill(
        self,
        scope: str,
        instrument: str,
        consumable: str,
        amount: float,
        *,
        at: datetime,
        add: bool = False,
    ) -> Level:
        """Record that a person filled a consumable up to `amount`, or added it.

        Raises
        ------
        StoreError
            No such consumable is known there, or the amount is negative.
        """
        if not 0 <= amount < float("inf"):
            raise StoreError(f"{amount:g} {consumable} cannot be filled in; give 0 or more")
        key = _key(scope, instrument, consumable)
        with self._driver.writing(durable=True):
            change = sql.ADD if add else sql.FILL
            if not self._driver.change(change, {**_this(key), "amount": amount}):
                raise StoreError(self._unknown(scope, instrument, consumable))
            ((unit, left, aside, _),) = self._driver.read(sql.LEVEL_OF, _this(key))
            self._log(key, "fill", left, None, at)
        return Level(scope, instrument, consumable, unit, left, aside, None)

    def set_aside(
        self,
        scope: str,
        campaign_id: str,
        command_id: str,
        instrument: str,
        needs: Mapping[str, float],
        *,
        at: datetime,
    ) -> list[Shortage]:
        """Set aside what a command may use; return what is short, then the caller must roll back.

        What is reserved for other campaigns is not touched. A second call changes nothing.
        """
        short: list[Shortage] = []
        with self._driver.writing(durable=True):
            new = [
                name
                for name in sorted(needs)
                if needs[name] > 0
                and self._log(_key(scope, instrument, name), "aside", needs[name], command_id, at)
            ]
            for name in new:
                amount = {"amount": needs[name]}
                self._driver.change(
                    sql.SET_ASIDE, {**_this(_key(scope, instrument, name)), **amount}
                )
            standing = self._standing(scope, instrument, campaign_id) if new else {}
            for name in new:
                key, need = _key(scope, instrument, name), needs[name]
                left, own, others, unit = standing.get(name, _NOTHING)
                free = left + need
                available = max(min(own, free), free - others)
                if need > available * (1 + ROUNDING):
                    short.append(self._shortage(key, campaign_id, unit, need, available))
                elif own:
                    self._draw(key, campaign_id, need)
        return short

    def book(
        self,
        scope: str,
        campaign_id: str,
        command_id: str,
        instrument: str,
        consumed: Mapping[str, float] | None,
        *,
        at: datetime,
    ) -> None:
        """Book what a command used, once, and give back what it had set aside beyond that.

        Parameters
        ----------
        consumed : None if nobody measured it: then all that was set aside counts as used.
        """
        which = {"this_command_id": command_id, "this_instrument": instrument}
        with self._driver.writing(durable=True):
            found = self._driver.read(sql.SET_ASIDE_FOR, which)
            aside = {name: amount for name, amount, kind in found if kind == "aside"}
            used = aside if consumed is None else consumed
            booked = {name for name, _, kind in found if kind == "use"}
            for name in sorted({*aside, *used} - booked):
                key, amount = _key(scope, instrument, name), used.get(name, 0.0)
                if name not in aside:
                    if not self._log(key, "use", amount, command_id, at):
                        continue
                elif not self._driver.change(
                    sql.BOOK, {**which, "this_consumable": name, "amount": amount, "at": at}
                ):
                    continue
                back = aside.get(name, 0.0)
                self._driver.change(sql.USE, {**_this(key), "amount": amount, "back": back})
                if amount != back:
                    self._draw(key, campaign_id, amount - back)

    def reserve(self, scope: str, campaign_id: str, needs: Mapping[Good, float]) -> list[Shortage]:
        """Keep back what a campaign needs, instead of what was kept back for it before.

        If something is short it is returned, and nothing is kept back.
        """
        short: list[Shortage] = []
        with self._driver.writing(durable=True):
            for instrument, name in sorted(needs):
                key, need = _key(scope, instrument, name), needs[instrument, name]
                self._driver.change(sql.LOCK, _this(key))
                standing = self._standing(scope, instrument, campaign_id)
                free, _, others, unit = standing.get(name, _NOTHING)
                if need > (free - others) * (1 + ROUNDING) and need > 0:
                    short.append(self._shortage(key, campaign_id, unit, need, free - others))
            if not short:
                self.release(campaign_id)
                for (instrument, name), amount in needs.items():
                    self.keep_back(_key(scope, instrument, name), campaign_id, amount)
        return short

    def keep_back(self, key: Mapping[str, str], campaign_id: str, amount: float) -> None:
        """Reserve an amount without looking whether it is there."""
        if amount > 0:
            row = {**key, "campaign_id": campaign_id, "amount": amount}
            with self._driver.writing(durable=True):
                self._driver.insert(RESERVATION, row)

    def release(self, campaign_id: str) -> int:
        """Give up everything that is kept back for a campaign; return how many goods."""
        with self._driver.writing(durable=True):
            return self._driver.change(sql.RELEASE, {"this_campaign_id": campaign_id})

    def reserved(self, scope: str, instrument: str, consumable: str) -> dict[str, float]:
        """Return campaign → amount kept back for it."""
        key = _this(_key(scope, instrument, consumable))
        found = self._driver.read(sql.RESERVED, key)
        return dict(found)

    def draw(self, scope: str, campaign_id: str, instrument: str, name: str, amount: float) -> None:
        """Shrink what is kept back for a campaign by what it took."""
        with self._driver.writing(durable=True):
            self._draw(_key(scope, instrument, name), campaign_id, amount)

    def used_under_way(self, campaign_id: str) -> dict[Good, float]:
        """Return what experiments that have not ended used or set aside already."""
        found = self._driver.read(sql.USED_UNDER_WAY, {"this_campaign_id": campaign_id})
        return {(instrument, name): amount for instrument, name, amount in found}

    def levels(self, scope: str | None = None) -> list[Level]:
        """Return every level, or those of one scope, with what is kept back for whom."""
        which = [] if scope is None else [LEVEL.c.scope == scope]
        kept = [] if scope is None else [RESERVATION.c.scope == scope]
        order = (LEVEL.c.scope, LEVEL.c.instrument, LEVEL.c.consumable)
        with reading(self._ledger.engine) as connection:
            rows = connection.execute(select(LEVEL).where(*which).order_by(*order)).all()
            reserved: dict[tuple[str, ...], dict[str, float]] = {}
            for row in connection.execute(select(RESERVATION).where(*kept)):
                key = (row.scope, row.instrument, row.consumable)
                reserved.setdefault(key, {})[row.campaign_id] = row.amount
        return [Level(**row._mapping, reserved=reserved.get(tuple(row)[:3], {})) for row in rows]

    def _standing(self, scope: str, instrument: str, campaign_id: str) -> dict[str, _Standing]:
        """Return for each consumable what is free, kept for the campaign and for others, and unit.

        Read after the levels are locked, so that nobody changes what it says.
        """
        which = {"this_scope": scope, "this_instrument": instrument}
        found = self._driver.read(sql.STANDING, {**which, "this_campaign_id": campaign_id})
        return {
            name: (left - aside, own, others, unit)
            for name, left, aside, own, others, unit in found
        }

    def _shortage(
        self, key: Mapping[str, str], campaign_id: str, unit: str, need: float, available: float
    ) -> Shortage:
        reserved = self.reserved(**key)
        reserved.pop(campaign_id, None)
        name, instrument = key["consumable"], key["instrument"]
        return Shortage(instrument, name, unit, need, max(available, 0.0), reserved)

    def _draw(self, key: Mapping[str, str], campaign_id: str, amount: float) -> None:
        drawn = {**_this(key), "this_campaign_id": campaign_id, "amount": amount}
        self._driver.change(sql.DRAW, drawn)

    def _log(
        self, key: Mapping[str, str], kind: str, amount: float, command_id: str | None, at: datetime
    ) -> bool:
        """Write a line of the stock's history; False if the command wrote it before."""
        row: dict[str, Any] = {"kind": kind, "amount": amount, "command_id": command_id, "at": at}
        return self._driver.insert(STOCK, {**key, **row})

    def _unknown(self, scope: str, instrument: str, consumable: str) -> str:
        known = [f"{n.instrument} {n.consumable}" for n in self.levels(scope)]
        there = f"it has {', '.join(known)}" if known else "`sdlab stock` lists what is known"
        return f"no {consumable!r} of {instrument!r} is known in {scope!r}; {there}"


def _key(scope: str, instrument: str, consumable: str) -> dict[str, str]:
    return {"scope": scope, "instrument": instrument, "consumable": consumable}


def _this(key: Mapping[str, str]) -> dict[str, Any]:
    return {f"this_{name}": value for name, value in key.items()}
