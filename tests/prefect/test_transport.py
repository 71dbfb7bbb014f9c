"""A database that is locked for a moment costs milliseconds, not two seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from orchestrator.under_prefect.transport import PatientTransport


@pytest.fixture
def busy() -> Iterator[HTTPServer]:
    """Give a server that answers 503 as often as its `locked` says, and counts requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            server.asked += 1
            self.send_response(503 if server.asked <= server.locked else 201)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.asked = server.locked = 0
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("locked", "asked", "status"), [(0, 1, 201), (2, 3, 201), (99, 6, 503)])
async def test_a_locked_database_is_asked_again_but_not_for_ever(
    busy: HTTPServer, locked: int, asked: int, status: int
) -> None:
    busy.locked = locked
    async with httpx.AsyncClient(transport=PatientTransport()) as client:
        answer = await client.post(f"http://127.0.0.1:{busy.server_port}/", json={"n": 1})
    assert (answer.status_code, busy.asked) == (status, asked)
