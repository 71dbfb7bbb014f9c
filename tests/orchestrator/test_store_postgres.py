"""The same history on PostgreSQL, in a server of the tests' own where one is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import StoreConflict, StoreError, UnknownCampaign
from orchestrator.store import Progress, Store
from orchestrator.store.agreement_tables import METADATA
from orchestrator.store.custody import Custody
from orchestrator.store.engine import connect
from tests.orchestrator import histories, test_custody, test_stock
from tests.orchestrator.databases import databases, url_of

_, POSTGRESQL = databases()

pytestmark = list(POSTGRESQL.marks)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with url_of("postgresql", tmp_path) as found:
        yield found


@pytest.fixture
def store(tmp_path: Path, url: str) -> Iterator[Store]:
    with Store.open(url, tmp_path) as store:
        store.create_campaign(histories.campaign("c"))
        yield store


def test_the_migrations_arrive_at_the_tables_on_postgresql(store: Store, url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = connect(url, wait=1)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        changes = compare_metadata(context, METADATA)
    engine.dispose()
    assert changes == []


def test_experiments_come_back_from_postgresql(store: Store) -> None:
    for number in range(5):
        histories.record_experiment(store, "c", number)
        histories.record_experiment(store, "c", number)
    found = store.experiments("c")
    assert [experiment.sample for experiment in found[:4]] == [
        histories.sample("c", number) for number in range(4)
    ]
    assert store.observations("c") == [(n, histories.observation(n)) for n in range(5)]
    assert store.progress() == {"c": Progress(begun=5, ended=5, failed=1)}
    assert store.campaign("c").config == histories.campaign().config
    with pytest.raises(StoreConflict):
        store.record_observation("c", 0, histories.observation(4))
    with pytest.raises(StoreError, match="never recorded"):
        store.record_sample("c", 9, histories.sample("c", 9))
    with pytest.raises(UnknownCampaign):
        store.events("d")


def test_actions_are_settled_on_postgresql(store: Store) -> None:
    store.record_proposal("c", 0, histories.proposal(0), seed=[2**100])
    intended = histories.action("c", 0)
    store.record_action(intended)
    assert store.unsettled_actions("c") == [intended]
    settled = replace(intended, sent=histories.START, settled="succeeded")
    store.settle_action(settled)
    assert store.actions("c", 0) == [settled]


def test_goods_are_drawn_by_two_campaigns_at_once_on_postgresql(
    store: Store, url: str, tmp_path: Path
) -> None:
    test_stock.stocked(store)
    test_stock.draw_together(lambda: Store.open(url, tmp_path))


CUSTODY_CLAIMS = [
    getattr(test_custody, name) for name in dir(test_custody) if name.startswith("test_a_")
]


@pytest.mark.parametrize("claim", CUSTODY_CLAIMS, ids=lambda claim: claim.__name__)
def test_custody_is_the_same_on_postgresql(store: Store, claim: Callable[[Custody], None]) -> None:
    for thing in ("a/0", "a/1"):
        store.custody.enter(test_custody.LAB, thing, "sample", "shelf", at=test_custody.NOW)
    claim(store.custody)
