"""One real Prefect server for the whole folder, and campaigns of the bakery to show in it."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from orchestrator.run import Run
from orchestrator.store import Store
from orchestrator.under_prefect.server import Server, ensure_server, stop_server
from planners.baselines import make_random
from tests.orchestrator import bakery
from tests.orchestrator.conftest import record

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give Prefect a folder of its own and take every trace of it out of the environment again."""
    before = dict(os.environ)
    for name in [n for n in os.environ if n.startswith("PREFECT_")]:
        del os.environ[name]
    yield tmp_path_factory.mktemp("state") / "prefect"
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def session_server(prefect_home: Path) -> Iterator[Server]:
    yield ensure_server(prefect_home, port=_free_port())
    stop_server(prefect_home)


@pytest.fixture
def server(session_server: Server, prefect_home: Path) -> Server:
    """Give the server, started again if the test before has killed it."""
    return ensure_server(prefect_home)


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    with httpx.Client(base_url=server.api_url, timeout=30) as client:
        yield Api(client)


@pytest.fixture
def bread(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Give a maker of campaigns, each with an identifier of its own."""
    with Store.open(f"sqlite:///{tmp_path / 'sdlab.sqlite'}", tmp_path / "arrays") as store:

        def make(**parts: object) -> Run:
            campaign_id = f"bread-t{next(_numbers)}"
            store.create_campaign(record(campaign_id))
            return bakery.run(store, make_random({}), campaign_id=campaign_id, **parts)

        yield make


class Api:
    """What Prefect's page would be told."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def ask(self, what: str, **body: object) -> list[dict]:
        answer = self._client.post(f"/{what}/filter", json=body)
        answer.raise_for_status()
        return answer.json()

    def flow_runs(self, campaign_id: str) -> list[dict]:
        tags = {"tags": {"all_": [f"campaign:{campaign_id}"]}}
        return sorted(self.ask("flow_runs", flow_runs=tags), key=lambda r: r["name"])

    def artifacts(self, flow_run_id: str) -> dict[str, dict]:
        which = {"flow_run_id": {"any_": [flow_run_id]}}
        return {a["key"]: a for a in self.ask("artifacts", artifacts=which)}

    def task_runs(self, flow_run_id: str) -> list[dict]:
        return self.ask("task_runs", flow_runs={"id": {"any_": [flow_run_id]}})


def _free_port() -> int:
    code = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
    return int(subprocess.check_output([sys.executable, "-c", code]))
