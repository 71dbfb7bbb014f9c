"""Physical actions: intended, sent, settled."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from orchestrator.errors import StoreConflict, StoreError
from orchestrator.store import rows
from orchestrator.store.driver import Values
from orchestrator.store.engine import reading
from orchestrator.store.ledger import Clause, Ledger
from orchestrator.store.records import ActionRecord
from orchestrator.store.tables import ACTION

_INTENTION = ("campaign_id", "number", "step", "attempt", "instrument", "arguments", "intended")
"""What an action is, as opposed to what became of it."""

_OUTCOME = (
    update(ACTION)
    .where(ACTION.c.command_id == bindparam("this_id"), ACTION.c.settled.is_(None))
    .values(
        {
            name: bindparam(name)
            for name in (
                "sent",
                "token",
                "memory",
                "settled",
                "started",
                "finished",
                "error",
                "fault",
                "consumed",
            )
        }
    )
)
"""Says what became of an action that has not ended."""


def record(ledger: Ledger, action: ActionRecord) -> None:
    """Write down an action, or that it was sent."""
    values = rows.action_row(action)
    with ledger.writing(action.campaign_id):
        stored = ledger.insert_once(ACTION, values, compare=_INTENTION)
        if stored is not None and stored["sent"] is None and action.sent is not None:
            _change(
                ledger,
                action,
                {**stored, "sent": action.sent, "token": action.token, "memory": action.memory},
            )


def settle(ledger: Ledger, action: ActionRecord) -> None:
    """Write down how an action ended."""
    name = action.command_id
    if action.settled is None:
        raise StoreError(f"action {name} cannot be settled without saying how it ended")
    if _change(ledger, action, rows.action_row(action)):
        return
    stored = ledger.one(ACTION, ACTION.c.command_id == name)
    if stored is None:
        raise StoreError(
            f"action {name} ended but its beginning was never recorded; record it before sending it"
        )
    if rows.action_record(stored) != action:
        raise StoreConflict(
            f"action {name} is recorded as {stored.settled} and cannot become {action.settled} "
            "with other contents; history is never overwritten"
        )


def find(ledger: Ledger, campaign_id: str, *conditions: Clause) -> list[ActionRecord]:
    """Return the actions of a campaign that meet the conditions, in the order of recording."""
    ledger.is_durable(campaign_id)
    query = select(ACTION).where(ACTION.c.campaign_id == campaign_id, *conditions)
    with reading(ledger.engine) as connection:
        found = connection.execute(query.order_by(ACTION.c.row)).all()
    return [rows.action_record(row) for row in found]


def _change(ledger: Ledger, action: ActionRecord, values: Values) -> bool:
    """Change an action that has not ended; return whether there was one."""
    with ledger.writing(action.campaign_id):
        return ledger.driver.change(_OUTCOME, {**values, "this_id": action.command_id}) == 1
