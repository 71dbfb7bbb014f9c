"""Databases to test on: a SQLite file, and a PostgreSQL of our own where one is installed."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_INITDB, _POSTGRES = (
    shutil.which(name) or next((str(p / name) for p in _PLACES if (p / name).exists()), None)
    for name in ("initdb", "postgres")
)


def databases() -> list[Any]:
    """Return the kinds of database to test on, as parameters of a fixture."""
    there = None not in (_INITDB, _POSTGRES, find_spec("psycopg"))
    missing = pytest.mark.skipif(not there, reason="PostgreSQL is not installed on this machine")
    return ["sqlite", pytest.param("postgresql", marks=missing)]


@contextmanager
def url_of(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'sdlab.sqlite'}"
        return
    import psycopg

    port, name = _server(), f"test_{time.monotonic_ns()}"
    where = f"host=127.0.0.1 port={port} user=tester"
    with psycopg.connect(f"{where} dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield f"postgresql://tester@127.0.0.1:{port}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@cache
def _server() -> int:
    """Return the port of a server that lives as long as the tests."""
    import psycopg

    folder = Path(tempfile.mkdtemp(prefix="sdlab-postgres-"))
    user = {"user": "postgres"} if os.geteuid() == 0 else {}  # it refuses to run as root
    if user:
        shutil.chown(folder, "postgres")
    data, port = str(folder / "data"), _free_port()
    assert _INITDB is not None
    assert _POSTGRES is not None
    make = [_INITDB, "-D", data, "-U", "tester", "-A", "trust", "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, cwd=folder, **user)
    options = ["-k", "", "-h", "127.0.0.1", "-p", str(port), "-c", "fsync=off"]
    server = subprocess.Popen(
        [_POSTGRES, "-D", data, *options], stderr=subprocess.DEVNULL, cwd=folder, **user
    )
    atexit.register(_stop, server, folder)
    for _ in range(200):
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=tester dbname=postgres").close()
            return port
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise TimeoutError("the PostgreSQL of the tests did not start within 20 s")


def _stop(server: subprocess.Popen[bytes], folder: Path) -> None:
    server.terminate()
    server.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
