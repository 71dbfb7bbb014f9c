"""The statements of `custody`, compiled once and sent on the driver's own cursor."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    select,
    update,
)

from orchestrator.store.agreement_tables import CUSTODY, HANDOVER
from orchestrator.store.storage_records import SHELF

_SCOPE: ColumnElement[Any] = bindparam("this_scope")
_THING: ColumnElement[Any] = bindparam("this_thing")
_HOLDER: ColumnElement[Any] = bindparam("this_holder")
_SLOT: ColumnElement[Any] = bindparam("this_slot")
_COMMAND: ColumnElement[Any] = bindparam("this_command_id")

IS_OPEN: ColumnElement[bool] = and_(HANDOVER.c.accepted.is_(None), HANDOVER.c.withdrawn.is_(None))

_THE_THING = (CUSTODY.c.scope == _SCOPE, CUSTODY.c.thing == _THING)
_THE_OFFER = (
    HANDOVER.c.scope == _SCOPE,
    HANDOVER.c.thing == _THING,
    HANDOVER.c.command_id == _COMMAND,
    IS_OPEN,
)

OFFER = tuple(column for column in HANDOVER.c if column.name != "row")

WHEREABOUTS = select(*CUSTODY.c).where(*_THE_THING)

OCCUPANT = select(CUSTODY.c.thing).where(
    CUSTODY.c.scope == _SCOPE, CUSTODY.c.holder == _HOLDER, CUSTODY.c.slot == _SLOT
)

OPEN_AT = select(*OFFER).where(
    HANDOVER.c.scope == _SCOPE,
    HANDOVER.c.taker == _HOLDER,
    HANDOVER.c.taker_slot == _SLOT,
    IS_OPEN,
)

OPEN_OF = select(*OFFER).where(HANDOVER.c.scope == _SCOPE, HANDOVER.c.thing == _THING, IS_OPEN)

OPEN_BY = select(*OFFER).where(HANDOVER.c.command_id == _COMMAND, IS_OPEN)

ACCEPT = update(HANDOVER).where(*_THE_OFFER).values(accepted=bindparam("accepted"))

WITHDRAW = update(HANDOVER).where(*_THE_OFFER).values(withdrawn=bindparam("withdrawn"))

RETRACT = delete(HANDOVER).where(*_THE_OFFER)
"""For an offer that is found impossible at once, so that another slot can be tried."""

PUT = (
    update(CUSTODY)
    .where(*_THE_THING, CUSTODY.c.holder == _HOLDER, CUSTODY.c.slot == _SLOT)
    .values({name: bindparam(name) for name in ("holder", "slot", "since")})
)

_INSIDE = CUSTODY.alias("inside")


def _no(found: ColumnElement[bool]) -> ColumnElement[Any]:
    return ~found


FREE = (
    select(CUSTODY.c.thing)
    .where(
        CUSTODY.c.scope == _SCOPE,
        CUSTODY.c.kind == bindparam("this_kind"),
        CUSTODY.c.holder == literal_column(f"'{SHELF}'"),
        _no(
            exists(literal_column("1")).where(
                _INSIDE.c.scope == CUSTODY.c.scope, _INSIDE.c.holder == CUSTODY.c.thing
            )
        ),
        _no(
            exists(literal_column("1")).where(
                HANDOVER.c.scope == CUSTODY.c.scope, HANDOVER.c.thing == CUSTODY.c.thing, IS_OPEN
            )
        ),
    )
    .order_by(func.length(CUSTODY.c.thing), CUSTODY.c.thing)
)
"""Vessels that stand on the shelf with nothing in them."""

FILLED = select(CUSTODY.c.thing, CUSTODY.c.holder, _INSIDE.c.kind).where(
    CUSTODY.c.scope == _SCOPE,
    _INSIDE.c.scope == CUSTODY.c.scope,
    _INSIDE.c.thing == CUSTODY.c.holder,
)
"""What stands in vessels, the vessel, and the vessel's kind."""

FILLED_ON_SHELF = (
    select(CUSTODY.c.thing)
    .select_from(_INSIDE)
    .join(CUSTODY, and_(CUSTODY.c.scope == _INSIDE.c.scope, CUSTODY.c.holder == _INSIDE.c.thing))
    .where(
        _INSIDE.c.scope == _SCOPE,
        _INSIDE.c.holder == literal_column(f"'{SHELF}'"),
        _INSIDE.c.kind == bindparam("this_kind"),
    )
)
"""What stands in the vessels of a kind that are on the shelf; looks at nothing else."""
