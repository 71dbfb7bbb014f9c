"""Which process is our Prefect server: a note in its folder that outlives crashes and reboots."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

log = logging.getLogger(__name__)

_NOTE = "sdlab-server.json"
_LOG = "sdlab-server.log"
_SAME_START = 5.0
"""Seconds within which two start times are one; the clock may be corrected by that much."""


class ServerNote(BaseModel):
    """What we wrote down when we started a server.

    Attributes
    ----------
    pid, started : process and its start time in s since 1970; together no other process has them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    started: float
    port: int

    def process(self) -> psutil.Process | None:
        """Return the living process, or None if it ended and its number may be another's."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_START
            alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if same and alive else None


def log_path(home: Path) -> Path:
    """Return where our server writes what it has to say."""
    return home / _LOG


def read_note(home: Path) -> ServerNote | None:
    """Return the note of the last server started for `home`, living or not."""
    try:
        return ServerNote.model_validate_json((home / _NOTE).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("could not read %s (%s); a new server is started", home / _NOTE, error)
        return None


def write_note(home: Path, note: ServerNote) -> None:
    """Write the note so that a reader sees the old one or the new one, never half of it."""
    fresh = home / f"{_NOTE}.new"
    fresh.write_text(json.dumps(note.model_dump()))
    fresh.replace(home / _NOTE)


def remove_note(home: Path) -> None:
    """Forget the server of `home`."""
    with suppress(FileNotFoundError, NotADirectoryError):
        (home / _NOTE).unlink()


def launch(home: Path, *, port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a server that outlives this process, and write its note."""
    command = [sys.executable, "-m", "prefect", "server", "start"]
    with log_path(home).open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = psutil.Process(process.pid).create_time()
    write_note(home, ServerNote(pid=process.pid, started=started, port=port))
    return process


def end(note: ServerNote, *, patience: float) -> bool:
    """End a server, gently for `patience` seconds; return whether there was one to end."""
    process = note.process()
    if process is None:
        return False
    try:
        process.terminate()
        process.wait(timeout=patience)
    except psutil.TimeoutExpired:
        log.warning("the Prefect server did not end within %g s and was killed", patience)
        process.kill()
        process.wait(timeout=patience)
    except psutil.NoSuchProcess:
        log.debug("the Prefect server ended by itself meanwhile")
    return True


def log_tail(home: Path, *, lines: int = 12) -> str:
    """Return the last lines of the server's log, empty if there is none."""
    try:
        text = log_path(home).read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-lines:])
