"""What is recorded together is kept together, in order, and as safely as its campaign asks."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import StoreConflict, StoreError
from orchestrator.store import Store
from orchestrator.store.repository import _NEW_OBSERVATIONS
from tests.orchestrator import histories

CAMPAIGN = "anatase-7"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with histories.open_store(tmp_path, wait=0.1) as store:
        store.create_campaign(histories.campaign(CAMPAIGN))
        store.record_proposal(CAMPAIGN, 0, histories.proposal(0), seed=[7])
        store.record_action(histories.action(CAMPAIGN, 0))
        yield store


def _finish(store: Store) -> None:
    store.record_sample(CAMPAIGN, 0, histories.sample(CAMPAIGN, 0))
    store.settle_action(replace(histories.action(CAMPAIGN, 0), settled="succeeded"))


def test_a_result_and_the_end_of_its_action_are_seen_at_the_same_moment(
    store: Store, tmp_path: Path
) -> None:
    with histories.open_store(tmp_path) as reader:
        with store.together(CAMPAIGN):
            _finish(store)
            assert reader.experiment(CAMPAIGN, 0).sample is None
            assert reader.unsettled_actions(CAMPAIGN)
        assert reader.experiment(CAMPAIGN, 0).sample == histories.sample(CAMPAIGN, 0)
        assert not reader.unsettled_actions(CAMPAIGN)


@pytest.mark.parametrize("error", [KeyboardInterrupt, StoreError])
def test_nothing_is_kept_of_a_whole_that_was_broken_off(
    store: Store, error: type[BaseException]
) -> None:
    def break_off() -> None:
        with store.together(CAMPAIGN):
            _finish(store)
            raise error

    with pytest.raises(error):
        break_off()
    assert store.experiment(CAMPAIGN, 0).sample is None
    assert len(store.unsettled_actions(CAMPAIGN)) == 1
    _finish(store)
    assert not store.unsettled_actions(CAMPAIGN)


def test_a_conflict_undoes_the_whole_it_happens_in(store: Store) -> None:
    store.record_sample(CAMPAIGN, 0, histories.sample(CAMPAIGN, 0))

    def contradict() -> None:
        with store.together(CAMPAIGN):
            store.record_measurement(CAMPAIGN, 0, histories.measurement(CAMPAIGN, 0))
            store.record_sample(CAMPAIGN, 0, histories.sample("other", 0))

    with pytest.raises(StoreConflict):
        contradict()
    assert store.experiment(CAMPAIGN, 0).measurements == ()


def test_nobody_waits_for_a_whole_before_its_first_record(store: Store, tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(tmp_path / "sdlab.sqlite", timeout=0.1)) as other,
        store.together(CAMPAIGN),
    ):
        other.execute("BEGIN IMMEDIATE")
        other.rollback()
        _finish(store)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


def test_only_dry_runs_are_not_synced_to_disk(store: Store) -> None:
    full, normal = 2, 1
    store.create_campaign(histories.campaign("dry", dry_run=True))
    for name, level in (("dry", normal), (CAMPAIGN, full), ("dry", normal)):
        store.record_event(name, "note", "written")
        connection = store._ledger.driver._connected()
        assert connection.cursor().execute("PRAGMA synchronous").fetchone() == (level,)


def test_threads_take_turns(store: Store) -> None:
    names = [f"thread-{i}" for i in range(4)]

    def fill(name: str) -> None:
        store.create_campaign(histories.campaign(name))
        for number in range(5):
            histories.record_experiment(store, name, number, points=5)
            store.observations(name)

    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(fill, names))
    for name in names:
        assert store.observations(name) == [(n, histories.observation(n)) for n in range(5)]
        assert all(e.finished for e in store.experiments(name))


def test_a_lost_connection_is_said_once_and_replaced(store: Store) -> None:
    store._ledger.driver._connected().driver_connection.close()
    with pytest.raises(StoreError, match="closed"):
        store.record_event(CAMPAIGN, "note", "lost")
    store.record_event(CAMPAIGN, "note", "found")
    assert [event.message for event in store.events(CAMPAIGN)] == ["found"]


def test_asking_what_is_new_does_not_walk_through_what_is_old(store: Store) -> None:
    query = store._ledger.driver._prepared(_NEW_OBSERVATIONS)
    cursor = store._ledger.driver._connected().cursor()
    values = query.bound({"campaign_id": CAMPAIGN, "cursor": 5})
    plan = cursor.execute(f"EXPLAIN QUERY PLAN {query.text}", values).fetchall()
    assert [step[-1] for step in plan] == ["SEARCH observation USING INTEGER PRIMARY KEY (rowid>?)"]
