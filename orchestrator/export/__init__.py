"""Export: a campaign as tables, patterns and an RO-Crate that outlive sdlab."""

from __future__ import annotations

from orchestrator.export.campaign import export_campaign

__all__ = ["export_campaign"]
