"""A PostgreSQL server of the test's own, on loopback, gone when the test is."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

USER = "sdlab"


def free_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server.

    Attributes
    ----------
    programs : folder of its programs.
    """

    programs: Path
    port: int

    def new_database(self, name: str) -> str:
        """Return the address of a database made for the test, without a scheme's driver."""
        line = [self.programs / "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER]
        subprocess.run([*line, name], check=True, capture_output=True)
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, None where it is not installed."""
    if (found := shutil.which("postgres")) is not None:
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return max((p.parent for p in installed), default=None, key=lambda p: float(p.parent.name))


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a PostgreSQL server in a folder; skip the test where there is none installed."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here")
    data, port, who = folder / "postgres", free_port(), _unprivileged()
    data.mkdir()
    if who is not None:
        shutil.chown(data, who)
        for parent in data.parents:  # a temporary folder is closed to others
            if parent.stat().st_uid == os.getuid() and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
    make = [programs / "initdb", "-D", data, "-A", "trust", "-U", USER, "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, user=who, cwd=data)
    line = [programs / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    options = ["-c", "unix_socket_directories=", "-c", "fsync=off"]
    with (folder / "postgres.log").open("wb") as log:
        process = subprocess.Popen([*line, *options], stdout=log, stderr=log, user=who, cwd=data)
    try:
        _await_postgres(programs, port, process)
        yield Postgres(programs, port)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def _await_postgres(programs: Path, port: int, process: subprocess.Popen[bytes]) -> None:
    ask = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "30"]
    while subprocess.run(ask, capture_output=True).returncode != 0:
        assert process.poll() is None, "PostgreSQL ended before it answered"


def _unprivileged() -> str | None:
    """Return the user that PostgreSQL runs as, since it refuses to run as root."""
    return "postgres" if os.getuid() == 0 else None
