"""The statements of `stock`, compiled once and sent on the driver's own cursor."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    null,
    select,
    update,
)

from orchestrator.store.agreement_tables import LEVEL, RESERVATION, STOCK
from orchestrator.store.tables import ACTION, OBSERVATION

_AMOUNT: ColumnElement[Any] = bindparam("amount", type_=LEVEL.c.left.type)
_ZERO: ColumnElement[Any] = literal_column("0.0", LEVEL.c.left.type)
"""Written out: a prepared statement is given a value for every parameter it has."""
_BACK: ColumnElement[Any] = bindparam("back", type_=LEVEL.c.left.type)


def _same(table: Table) -> list[ColumnElement[bool]]:
    names = ("scope", "instrument", "consumable")
    return [table.c[name] == bindparam(f"this_{name}") for name in names]


def _not_below_nothing(amount: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((amount > _ZERO, amount), else_=_ZERO)


_OF_CAMPAIGN: ColumnElement[Any] = bindparam("this_campaign_id")

LEVEL_OF = select(LEVEL.c.unit, LEVEL.c.left, LEVEL.c.aside, LEVEL.c.declared).where(*_same(LEVEL))

LOCK = update(LEVEL).where(*_same(LEVEL)).values(aside=LEVEL.c.aside)
"""Changes nothing, and keeps every other process from changing it before the transaction ends."""

BELIEVE = update(LEVEL).where(*_same(LEVEL)).values(declared=bindparam("declared"))

FILL = update(LEVEL).where(*_same(LEVEL)).values(left=_AMOUNT, declared=null())

ADD = update(LEVEL).where(*_same(LEVEL)).values(left=LEVEL.c.left + _AMOUNT, declared=null())

SET_ASIDE = update(LEVEL).where(*_same(LEVEL)).values(aside=LEVEL.c.aside + _AMOUNT)

USE = (
    update(LEVEL)
    .where(*_same(LEVEL))
    .values(
        left=_not_below_nothing(LEVEL.c.left - _AMOUNT),
        aside=_not_below_nothing(LEVEL.c.aside - _BACK),
    )
)

SET_ASIDE_FOR = select(STOCK.c.consumable, STOCK.c.amount, STOCK.c.kind).where(
    STOCK.c.command_id == bindparam("this_command_id"),
    STOCK.c.instrument == bindparam("this_instrument"),
)

BOOK = (
    update(STOCK)
    .where(
        STOCK.c.command_id == bindparam("this_command_id"),
        STOCK.c.instrument == bindparam("this_instrument"),
        STOCK.c.consumable == bindparam("this_consumable"),
        STOCK.c.kind == literal_column("'aside'"),
    )
    .values(kind=literal_column("'use'"), amount=_AMOUNT, at=bindparam("at"))
)

RESERVED = (
    select(RESERVATION.c.campaign_id, RESERVATION.c.amount)
    .where(*_same(RESERVATION))
    .order_by(RESERVATION.c.campaign_id)
)


def _kept(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    total = func.coalesce(func.sum(RESERVATION.c.amount), _ZERO)
    same = (RESERVATION.c[name] == LEVEL.c[name] for name in ("scope", "instrument", "consumable"))
    return select(total).where(*same, condition).correlate(LEVEL).scalar_subquery()


STANDING = select(
    LEVEL.c.consumable,
    LEVEL.c.left,
    LEVEL.c.aside,
    _kept(RESERVATION.c.campaign_id == _OF_CAMPAIGN).label("own"),
    _kept(RESERVATION.c.campaign_id != _OF_CAMPAIGN).label("others"),
    LEVEL.c.unit,
).where(
    LEVEL.c.scope == bindparam("this_scope"), LEVEL.c.instrument == bindparam("this_instrument")
)

DRAW = (
    update(RESERVATION)
    .where(*_same(RESERVATION), RESERVATION.c.campaign_id == _OF_CAMPAIGN)
    .values(amount=_not_below_nothing(RESERVATION.c.amount - _AMOUNT))
)

RELEASE = delete(RESERVATION).where(RESERVATION.c.campaign_id == _OF_CAMPAIGN)

USED_UNDER_WAY = (
    select(STOCK.c.instrument, STOCK.c.consumable, func.sum(STOCK.c.amount))
    .join(ACTION, ACTION.c.command_id == STOCK.c.command_id)
    .outerjoin(
        OBSERVATION,
        (OBSERVATION.c.campaign_id == ACTION.c.campaign_id)
        & (OBSERVATION.c.number == ACTION.c.number),
    )
    .where(ACTION.c.campaign_id == _OF_CAMPAIGN, OBSERVATION.c.number.is_(None))
    .group_by(STOCK.c.instrument, STOCK.c.consumable)
)
