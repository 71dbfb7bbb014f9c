"""What goes wrong is said in a sentence, and what was recorded before stays readable."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from orchestrator.errors import StoreCorrupt, StoreError, StoreFull, StoreLocked
from orchestrator.store import Store
from tests.orchestrator import histories

CAMPAIGN = "c"


def _filled(folder: Path, experiments: int = 3) -> Store:
    store = histories.open_store(folder, wait=0.1)
    store.create_campaign(histories.campaign(CAMPAIGN))
    for number in range(experiments):
        histories.record_experiment(store, CAMPAIGN, number)
    return store


def test_a_locked_database_can_be_read_and_says_who_must_wait(tmp_path: Path) -> None:
    with _filled(tmp_path) as store, closing(sqlite3.connect(tmp_path / "sdlab.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked, match="locked by another process"):
            store.record_event(CAMPAIGN, "note", "knock")
        assert len(store.experiments(CAMPAIGN)) == 3
        with histories.open_store(tmp_path) as second:
            assert len(second.experiments(CAMPAIGN)) == 3
        other.rollback()
        store.record_event(CAMPAIGN, "note", "knock")
        assert [event.message for event in store.events(CAMPAIGN)] == ["knock"]


def test_a_file_that_is_no_database_is_named_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "sdlab.sqlite"
    file.write_text("my thesis " * 500)
    with pytest.raises(StoreCorrupt, match=r"sdlab\.sqlite is damaged or no database"):
        histories.open_store(tmp_path)
    assert file.read_text() == "my thesis " * 500


def test_a_damaged_page_is_reported_not_misread(tmp_path: Path) -> None:
    _filled(tmp_path).close()
    file = tmp_path / "sdlab.sqlite"
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StoreCorrupt, match="restore a backup"), histories.open_store(tmp_path) as s:
        s.experiments(CAMPAIGN)


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        histories.open_store(tmp_path / "file" / "below")


@pytest.fixture
def small_database() -> Iterator[None]:
    """Let SQLite report a full disk at 70 pages of 4 kB."""

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 70")

    event.listen(Engine, "connect", limit)
    yield
    event.remove(Engine, "connect", limit)


def _write_without_end(store: Store) -> None:
    for number in count(3):
        histories.record_experiment(store, CAMPAIGN, number, points=5)


@pytest.mark.usefixtures("small_database")
def test_a_full_disk_stops_the_writing_and_keeps_the_history(tmp_path: Path) -> None:
    with _filled(tmp_path) as store:
        with pytest.raises(StoreFull, match="make room and resume"):
            _write_without_end(store)
        experiments = store.experiments(CAMPAIGN)
        assert len(experiments) > 3
        assert all(experiment.observation for experiment in experiments[:-1])
        assert [number for number, _ in store.observations(CAMPAIGN)][:3] == [0, 1, 2]


WRITER = """
import sys
from itertools import count
from pathlib import Path
from tests.orchestrator import histories
with histories.open_store(Path(sys.argv[1])) as store:
    store.create_campaign(histories.campaign("c"))
    start = len(store.experiments("c"))
    print("ready", flush=True)
    for number in count(max(start - 1, 0)):
        histories.record_experiment(store, "c", number, points=50)
"""


def _writer(folder: Path) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(folder)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _check_whole(store: Store) -> int:
    """Check that every experiment but the last is complete, and return how many there are."""
    experiments = store.experiments(CAMPAIGN)
    assert [experiment.number for experiment in experiments] == list(range(len(experiments)))
    for experiment in experiments[:-1]:
        number = experiment.number
        assert experiment.observation == histories.observation(number)
        assert len(experiment.insights) == (0 if experiment.observation.failed else 1)
    for experiment in experiments:
        for measured in experiment.measurements:
            assert store.measurement(measured.id).n_points == 50
        for read in experiment.insights:
            assert store.insight(read.id).covariance.shape == (2, 2)
    return len(experiments)


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_writer_leaves_whole_experiments(tmp_path: Path, seed: int) -> None:
    delays = random.Random(seed)
    written = 0
    for _ in range(2):
        process = _writer(tmp_path)
        time.sleep(delays.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        process.stdout.close()
        with closing(sqlite3.connect(tmp_path / "sdlab.sqlite")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        with histories.open_store(tmp_path) as store:
            found = _check_whole(store)
        assert found >= written
        written = found


def test_two_readers_follow_a_writer(tmp_path: Path) -> None:
    process = _writer(tmp_path)
    try:
        with histories.open_store(tmp_path) as one, histories.open_store(tmp_path) as two:
            cursor, seen, deadline = 0, 0, time.monotonic() + 60
            while seen < 40:
                assert time.monotonic() < deadline, f"only {seen} observations arrived"
                cursor, told = one.observations_since(CAMPAIGN, cursor)
                assert [number for number, _ in told] == list(range(seen, seen + len(told)))
                seen += len(told)
                assert _check_whole(two) >= seen
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()
