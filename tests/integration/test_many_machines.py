"""One campaign file, on one machine and on several: the same decisions."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from orchestrator.store import Store
from orchestrator.store.records import Experiment
from tests.orchestrator.databases import databases, url_of

_, POSTGRESQL = databases()

pytestmark = [*POSTGRESQL.marks, pytest.mark.prefect, pytest.mark.slow, pytest.mark.timeout(600)]

AUTH = "lab:not-a-real-secret-7f3a"
EXPERIMENTS = "4"


@dataclass
class Site:
    """Processes that share nothing but a database, a folder of arrays and Prefect's server."""

    folder: Path
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, name: str, *command: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a program in a process group of its own."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env={**self.environment, **more},
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def sdlab(self, *arguments: str) -> None:
        """Run one command of `sdlab` to its end."""
        process = self.start("sdlab", "orchestrator.cli", *arguments)
        assert process.wait(timeout=200) == 0, (self.folder / "sdlab.log").read_text()

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        """Start a Prefect worker that polls the pool."""
        line = ("prefect", "worker", "start", "--pool", "sdlab", "--type", "process")
        return self.start(name, *line, "--name", name, SDLAB_HOME=str(self.folder / name))

    def logs(self) -> str:
        """Return everything that was written by anybody."""
        return "\n".join(f"{p.name}:\n{p.read_text()}" for p in sorted(self.folder.glob("*.log")))


def test_two_workers_on_postgresql_decide_as_one_process_on_sqlite(tmp_path: Path) -> None:
    """One of the workers is killed in the middle of a turn; the other goes on."""
    alone = _run_alone(tmp_path / "alone")
    with _site(tmp_path) as site:
        site.start("watch", "orchestrator.cli", "watch", "--every", "2")
        site.sdlab("deploy", "tio2", "-n", EXPERIMENTS)
        workers = [site.worker("furnace-room"), site.worker("office")]
        with _history(site) as store:
            (record,) = store.campaigns()
            _kill_the_worker_of_turn(1, record.id, store, workers, site)
            _await(lambda: store.campaign(record.id).status == "finished", site)
            together = store.experiments(record.id)
            assert store.unsettled_actions(record.id) == []
            assert [e.kind for e in store.events(record.id)].count("revived") == 1
        assert _told(together) == _told(alone)
        assert _wrongly_shown(site) == set()
        assert AUTH not in site.logs()


def _run_alone(home: Path) -> list[Experiment]:
    home.mkdir()
    site = Site(home, {**_clean_environment(), "SDLAB_HOME": str(home)})
    site.sdlab("run", "tio2", "-n", EXPERIMENTS, "--no-prefect")
    with Store.open(f"sqlite:///{home / 'sdlab.sqlite'}", home / "arrays") as store:
        return store.experiments(store.campaigns()[0].id)


@contextmanager
def _site(folder: Path) -> Iterator[Site]:
    """Give PostgreSQL and a Prefect server that wants its authentication, both on loopback."""
    port = _free_port()
    with url_of("postgresql", folder) as mine, url_of("postgresql", folder) as theirs:
        site = Site(
            folder,
            {
                **_clean_environment(),
                "SDLAB_HOME": str(folder / "desk"),
                "SDLAB_DATABASE": mine,
                "SDLAB_ARRAYS": str(folder / "arrays"),
                "PREFECT_HOME": str(folder / "prefect"),
                "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
                "PREFECT_API_AUTH_STRING": AUTH,
                "DO_NOT_TRACK": "1",
            },
        )
        try:
            site.start(
                "server",
                *("prefect", "server", "start"),
                PREFECT_SERVER_API_PORT=str(port),
                PREFECT_SERVER_API_AUTH_STRING=AUTH,
                PREFECT_SERVER_ANALYTICS_ENABLED="false",
                PREFECT_API_DATABASE_CONNECTION_URL=theirs.replace("sql:", "sql+asyncpg:"),
            )
            _await(lambda: _is_well(site), site)
            yield site
        finally:
            for process in reversed(site.processes):
                _end(process)


def _kill_the_worker_of_turn(
    number: int,
    campaign_id: str,
    store: Store,
    workers: list[subprocess.Popen[bytes]],
    site: Site,
) -> None:
    """Kill the worker that has begun a turn, and the process in which it takes it."""
    _await(lambda: store.experiment(campaign_id, number) is not None, site)
    hold = store.holds.current(campaign_id)
    assert hold is not None
    turn = psutil.Process(hold.holder.pid)
    parents = {p.pid for p in turn.parents()}
    (guilty,) = [w for w in workers if w.pid in parents]
    family = [turn, *psutil.Process(guilty.pid).children(recursive=True)]
    for process in [psutil.Process(guilty.pid), *family]:
        if process.is_running():
            process.kill()
    guilty.wait()


def _told(experiments: list[Experiment]) -> list[tuple[object, object]]:
    return [(e.proposal, e.observation) for e in experiments]


def _wrongly_shown(site: Site) -> set[str]:
    """Return the states in which flow runs stand that have ended, other than the right ones."""
    with httpx.Client(base_url=site.environment["PREFECT_API_URL"], timeout=30) as client:
        assert client.post("/flow_runs/filter", json={}).status_code == 401
        user, _, password = AUTH.partition(":")
        answer = client.post("/flow_runs/filter", json={}, auth=(user, password))
        return {run["state_type"] for run in answer.json()} - {"COMPLETED", "CRASHED"}


def _is_well(site: Site) -> bool:
    try:
        return httpx.get(site.environment["PREFECT_API_URL"] + "/health", timeout=5).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def _history(site: Site) -> Iterator[Store]:
    with Store.open(site.environment["SDLAB_DATABASE"], site.folder / "arrays") as store:
        yield store


def _await(happened: Callable[[], bool], site: Site, *, seconds: float = 240) -> None:
    for _ in range(int(seconds / 0.1)):
        if happened():
            return
        time.sleep(0.1)
    raise AssertionError(f"nothing happened within {seconds:g} s\n{site.logs()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _clean_environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT", "SDLAB"))}
    root = str(Path(__file__).parent.parent.parent)
    return {**kept, "PYTHONPATH": root, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
