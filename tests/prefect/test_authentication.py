"""Prefect's own authentication: with it sdlab works as without, and nobody else is let in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from orchestrator.errors import ServerError
from orchestrator.run import Run
from orchestrator.under_prefect.health import is_alive, is_refused
from orchestrator.under_prefect.process import log_path
from orchestrator.under_prefect.server import Server, ensure_server, stop_server
from orchestrator.under_prefect.settings import check_door, server_environment
from tests.prefect.conftest import Api

SECRET = "lab:a-string-found-nowhere-91c4"
NAMES = ("PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING")


@pytest.fixture
def guarded(tmp_path: Path, prefect_home: Path) -> Iterator[Server]:
    """Give a server that asks for its authentication, beside the one of the other tests."""
    before = dict(os.environ)
    for name in [n for n in os.environ if n.startswith(("PREFECT", "SDLAB_PREFECT"))]:
        del os.environ[name]
    os.environ["PREFECT_SERVER_API_AUTH_STRING"] = SECRET
    home = tmp_path / "guarded"
    try:
        yield ensure_server(home, port=0)
    finally:
        stop_server(home)
        os.environ.clear()
        os.environ.update(before)
        _read_settings_again()


@pytest.mark.prefect
async def test_with_authentication_a_campaign_is_shown_and_strangers_see_nothing(
    guarded: Server, bread: Callable[..., Run], tmp_path: Path
) -> None:
    from orchestrator.under_prefect.flows import seen_in_prefect

    run = bread()
    await run.laboratory.connect()
    async with seen_in_prefect(run) as take_turn:
        await take_turn(run, 0)
    assert is_alive(guarded.api_url), "a watchdog must see without a secret that it is well"
    assert httpx.post(f"{guarded.api_url}/flow_runs/filter", json={}).status_code == 401
    wrong = httpx.post(f"{guarded.api_url}/flow_runs/filter", json={}, auth=("lab", "guess"))
    assert wrong.status_code == 401
    user, _, password = SECRET.partition(":")
    with httpx.Client(base_url=guarded.api_url, auth=(user, password), timeout=30) as client:
        api = Api(client)
        (shown,) = api.flow_runs(run.id)
        assert shown["state"]["type"] == "COMPLETED"
        artifacts = api.artifacts(shown["id"])
        assert artifacts
        assert SECRET not in str(artifacts) + str(shown)
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert any(p.name == "sdlab.sqlite" for p in written)
    assert log_path(tmp_path / "guarded") in written
    assert [p.name for p in written if SECRET.encode() in p.read_bytes()] == []
    assert all(SECRET not in " ".join(p.cmdline()) for p in _processes())


@pytest.mark.prefect
def test_a_wrong_string_is_an_error_that_names_the_variable(
    guarded: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "lab:guess")
    assert is_refused(guarded.api_url)
    with pytest.raises(ServerError, match="PREFECT_API_AUTH_STRING") as refused:
        ensure_server(Path(str(guarded.log)).parent)
    assert "guess" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "secret", "opens"),
    [
        ("127.0.0.1", "", True),
        ("localhost", "", True),
        ("0.0.0.0", "", False),
        ("0.0.0.0", SECRET, True),
        ("192.168.1.5", SECRET, False),
    ],
)
def test_other_machines_are_let_in_only_by_a_server_that_asks_who_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, secret: str, opens: bool
) -> None:
    for name in [n for n in os.environ if n.startswith(("PREFECT", "SDLAB_PREFECT"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_SERVER_API_HOST", host)
    if secret:
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", secret)
    environment = server_environment(tmp_path, port=4200)
    if opens:
        check_door(environment)
        return
    with pytest.raises(ServerError, match=host) as refused:
        check_door(environment)
    assert SECRET not in str(refused.value)


def _processes() -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            process.cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        yield process


def _read_settings_again() -> None:
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()
