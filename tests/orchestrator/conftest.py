"""A fresh store with one campaign in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.store import Store
from orchestrator.store.records import CampaignRecord


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'sdlab.sqlite'}", tmp_path / "arrays") as opened:
        for name in ("bread-1", "bread-2"):
            opened.create_campaign(record(name))
        yield opened


def record(campaign_id: str) -> CampaignRecord:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return CampaignRecord(
        id=campaign_id,
        name="bread",
        status="created",
        message="",
        created=now,
        updated=now,
        campaign_toml="",
        campaign_source="bread.toml",
        laboratory_toml="",
        laboratory_source="bakery.toml",
        seed=3,
        dry_run=True,
        config={},
    )
