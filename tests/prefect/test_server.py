"""The server is ours alone: found again, never mistaken, silent to the outside."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from orchestrator.errors import ServerError
from orchestrator.under_prefect.health import is_alive
from orchestrator.under_prefect.process import ServerNote, read_note, write_note
from orchestrator.under_prefect.server import (
    Server,
    ensure_server,
    server_status,
    stop_server,
)
from orchestrator.under_prefect.settings import apply, environment


@pytest.fixture
def no_prefect_in_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [n for n in os.environ if n.startswith(("PREFECT_", "SDLAB_PREFECT"))]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_what_a_person_set_is_never_overridden(
    no_prefect_in_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_prefect_in_environment.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    for name in environment(tmp_path):
        if name != "PREFECT_LOGGING_LEVEL":
            no_prefect_in_environment.setenv(name, "to be removed again")
            no_prefect_in_environment.delenv(name)
    no_prefect_in_environment.setenv("SDLAB_PREFECT_DEFAULTS", "")
    assert apply(tmp_path, port=4711) == "http://127.0.0.1:4711/api"
    assert apply(tmp_path, port=4712) == "http://127.0.0.1:4712/api"
    assert os.environ["PREFECT_LOGGING_LEVEL"] == "DEBUG"
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_a_named_server_that_is_silent_is_an_error_that_says_what_to_do(
    no_prefect_in_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as quiet:
        quiet.bind(("127.0.0.1", 0))
        port = quiet.getsockname()[1]
        no_prefect_in_environment.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        with pytest.raises(ServerError, match="unset PREFECT_API_URL"):
            ensure_server(tmp_path)
    assert server_status(tmp_path).state == "silent"


def test_a_process_that_took_over_the_number_of_a_dead_server_is_left_alone(tmp_path: Path) -> None:
    started = psutil.Process().create_time()
    write_note(tmp_path, ServerNote(pid=os.getpid(), started=started - 3600, port=4200))
    assert read_note(tmp_path).process() is None
    assert stop_server(tmp_path) is False
    assert read_note(tmp_path) is None


def test_a_server_that_ends_at_once_is_an_error_with_its_last_words(
    no_prefect_in_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_prefect_in_environment.setenv("PREFECT_SERVER_API_KEEPALIVE_TIMEOUT", "not a number")
    with pytest.raises(ServerError, match=r"(?s)exit code 1.*keepalive"):
        ensure_server(tmp_path)
    assert read_note(tmp_path) is None


@pytest.mark.prefect
def test_the_running_server_is_found_again_and_listens_on_loopback_only(
    server: Server, prefect_home: Path
) -> None:
    assert is_alive(server.api_url)
    again = ensure_server(prefect_home)
    assert (again.pid, again.started_now) == (server.pid, False)
    connections = psutil.Process(server.pid).net_connections(kind="inet")
    listening = {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    assert {c.raddr.ip for c in connections if c.raddr} <= {"127.0.0.1"}


@pytest.mark.prefect
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace to see every connection")
def test_neither_server_nor_client_asks_anybody_outside(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from orchestrator.under_prefect.server import ensure_server, stop_server\n"
        "home = Path(sys.argv[1])\n"
        "ensure_server(home, port=0)\n"
        "import asyncio\n"
        "from prefect import flow\n"
        "@flow\n"
        "async def nothing(): pass\n"
        "asyncio.run(nothing())\n"
        "stop_server(home)\n"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT", "SDLAB_PREFECT"))}
    command = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(trace)]
    command += [sys.executable, "-c", code, str(tmp_path / "prefect")]
    subprocess.run(command, check=True, env=clean, timeout=280)
    addresses = set(re.findall(r'inet_addr\("([^"]+)"\)', trace.read_text()))
    addresses |= set(re.findall(r'inet_pton\(AF_INET6, "([^"]+)"', trace.read_text()))
    assert addresses <= {"127.0.0.1", "::1"}
    assert "127.0.0.1" in addresses, "strace saw nothing at all"
