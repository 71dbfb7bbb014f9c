"""What a person sees: figures, Prefect artifacts, the HTML report.

Importing this package imports neither the drawing libraries nor the template engine.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.store import Store

__all__ = ["write_report"]


def write_report(store: Store, campaign_id: str, folder: Path) -> Path:
    """Write a campaign as one HTML page with interactive plots, and return its path.

    The page stands at ``<folder>/<campaign id>.html``, needs no network, and replaces an earlier
    one only when it is complete.

    Raises
    ------
    UnknownCampaign
        The store has no such campaign.
    CampaignError
        The page cannot be written there.
    """
    from orchestrator.report.html import write_report as write

    return write(store, campaign_id, folder)
