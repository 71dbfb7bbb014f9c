"""The table of what was handed from whom to whom."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.export.table import Column, Exported
from orchestrator.store.storage_records import Handover

_COLUMNS = (
    Column("thing", "", "sample or vessel"),
    Column("from", "", "who held it"),
    Column("from_slot", "", "the place there"),
    Column("to", "", "to whom it was offered"),
    Column("to_slot", "", "the place there"),
    Column("command_id", "", "the command it served"),
    Column("offered", "", "laboratory time, ISO 8601"),
    Column("accepted", "", "when it was known to have arrived; empty if it was not"),
    Column("withdrawn", "", "when it was known never to have left; empty if it left"),
)


def handover_table(handovers: Sequence[Handover]) -> Exported:
    """Return one row a hand-over, oldest first."""
    records = tuple(
        {
            "thing": h.thing,
            "from": h.giver,
            "from_slot": h.giver_slot,
            "to": h.taker,
            "to_slot": h.taker_slot,
            "command_id": h.command_id,
            **{
                name: at.isoformat() if at is not None else None
                for name, at in (
                    ("offered", h.offered),
                    ("accepted", h.accepted),
                    ("withdrawn", h.withdrawn),
                )
            },
        }
        for h in handovers
    )
    return Exported("handovers", "Who handed which sample or vessel to whom", _COLUMNS, records)
