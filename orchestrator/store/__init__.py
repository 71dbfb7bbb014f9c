"""Store: the history of all campaigns. SQLModel stops at this door.

Importing this package imports no database library; `Store` brings them when it is first asked
for. What needs neither the database nor its libraries, such as the loop, imports
`orchestrator.store.records`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.store.records import (
    ActionRecord,
    CampaignRecord,
    CampaignStatus,
    Event,
    Experiment,
    InsightSummary,
    MeasurementSummary,
    Progress,
)
from orchestrator.store.versions import software_versions

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

__all__ = [
    "ActionRecord",
    "CampaignRecord",
    "CampaignStatus",
    "Event",
    "Experiment",
    "InsightSummary",
    "MeasurementSummary",
    "Progress",
    "Store",
    "software_versions",
]


def __getattr__(name: str) -> object:
    if name == "Store":
        from orchestrator.store.repository import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
