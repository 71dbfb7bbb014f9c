"""Our Prefect server: started when needed, on loopback only, and left running after a campaign."""

from __future__ import annotations

import logging
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from filelock import FileLock, Timeout

from orchestrator.errors import ServerError
from orchestrator.under_prefect.health import is_alive, is_refused
from orchestrator.under_prefect.process import (
    end,
    launch,
    log_path,
    log_tail,
    read_note,
    remove_note,
)
from orchestrator.under_prefect.settings import (
    CLIENT_AUTH,
    DEFAULT_PORT,
    HOST,
    apply,
    check_door,
    server_environment,
    users_server,
)

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
"""Told a sentence and the seconds waited so far, about twice a second while a server starts."""

START_DEADLINE = 240.0
"""Seconds a start may take; 16 s are usual, 70 s were seen on a busy machine."""

_POLL = 0.1
_TELL = 0.5


@dataclass(frozen=True, slots=True)
class Server:
    """A Prefect server that answers.

    Attributes
    ----------
    url : its page for people.
    api_url : its API.
    port : where it listens.
    ours : True if sdlab started it, False if a person named it by PREFECT_API_URL.
    started_now : True if this call started it.
    log : what it writes, None if it is not ours.
    """

    url: str
    api_url: str
    port: int
    ours: bool
    started_now: bool
    pid: int | None
    log: Path | None


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """How our server is.

    Attributes
    ----------
    state : ``silent`` means that the process lives and does not answer.
    message : one sentence for a person.
    """

    state: Literal["running", "silent", "stopped"]
    message: str
    server: Server | None


def campaign_page(server: Server, campaign_id: str) -> str:
    """Return the address of the page that lists a campaign's experiments."""
    return f"{server.url}/runs?tag={quote(f'campaign:{campaign_id}', safe='')}"


def ensure_server(
    home: Path,
    *,
    port: int | None = None,
    progress: Progress | None = None,
    deadline: float = START_DEADLINE,
) -> Server:
    """Return a server that answers, starting ours if it is not running, and apply its settings.

    Parameters
    ----------
    home : folder of Prefect's database and our server's log; made if missing.
    port : where to listen; by default where it listened last, else 4200, else any free port.
    progress : told what is going on while a start is awaited.
    deadline : seconds to wait for the answer.

    Raises
    ------
    ServerError
        It did not start or answer; the message holds the end of its log.
    """
    foreign = users_server()
    if foreign is not None:
        server = _foreign(foreign)
        apply(home)
        return _admitted(server)
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / "sdlab-server.lock", timeout=deadline):
            server = _running(home) or _start(home, port, progress or _silent, deadline)
    except Timeout as error:
        raise ServerError(
            f"another process has been starting the Prefect server in {home} for more than "
            f"{deadline:g} s; see {log_path(home)}, or end it and try again"
        ) from error
    except OSError as error:
        raise ServerError(
            f"the Prefect server cannot keep its files in {home} ({error.strerror or error}); see "
            "that the folder belongs to you and that there is room, or name another with --home"
        ) from error
    apply(home, port=server.port)
    return _admitted(server)


def stop_server(home: Path, *, patience: float = 20.0) -> bool:
    """Stop our server; return whether one was running. A server that is not ours is left alone."""
    note = read_note(home)
    stopped = note is not None and end(note, patience=patience)
    remove_note(home)
    return stopped


def server_status(home: Path) -> ServerStatus:
    """Return whether our server, or the one that a person named, runs and answers."""
    foreign = users_server()
    if foreign is not None:
        if is_alive(foreign):
            return ServerStatus("running", f"PREFECT_API_URL names {foreign}", _foreign(foreign))
        return ServerStatus("silent", f"PREFECT_API_URL names {foreign}; it is silent", None)
    note = read_note(home)
    if note is None or note.process() is None:
        return ServerStatus("stopped", "no Prefect server of sdlab runs", None)
    server = _running(home)
    if server is None:
        return ServerStatus(
            "silent", f"process {note.pid} lives but does not answer; see {log_path(home)}", None
        )
    return ServerStatus("running", f"{server.url} (process {server.pid})", server)


def _foreign(api_url: str) -> Server:
    if not is_alive(api_url, timeout=5.0):
        raise ServerError(
            f"PREFECT_API_URL is {api_url}, where no Prefect server answers. Start that server, or "
            "unset PREFECT_API_URL and sdlab starts its own"
        )
    url = api_url.rstrip("/").removesuffix("/api")
    port = urlsplit(api_url).port or (443 if api_url.startswith("https") else 80)
    return Server(url, api_url, port, ours=False, started_now=False, pid=None, log=None)


def _admitted(server: Server) -> Server:
    """Return the server if it takes our questions."""
    if is_refused(server.api_url):
        raise ServerError(
            f"the Prefect server at {server.url} asks for its authentication and does not take "
            f"ours; set {CLIENT_AUTH} to the string that it was started with, as in user:password"
        )
    return server


def _running(home: Path) -> Server | None:
    """Return our server if it lives and answers."""
    note = read_note(home)
    if note is None or note.process() is None:
        return None
    server = _server(home, note.port, note.pid, started_now=False)
    return server if is_alive(server.api_url, timeout=3.0) else None


def _start(home: Path, port: int | None, progress: Progress, deadline: float) -> Server:
    note = read_note(home)
    if note is not None and end(note, patience=10.0):
        log.warning("the Prefect server %d lived but did not answer; it was replaced", note.pid)
    chosen = _free_port(port or (note.port if note else DEFAULT_PORT))
    environment = server_environment(home, port=chosen)
    check_door(environment)
    process = launch(home, port=chosen, environment=environment)
    server = _server(home, chosen, process.pid, started_now=True)
    try:
        _await_answer(process, server, home, progress, deadline)
    except BaseException:
        stop_server(home)
        raise
    process.returncode = 0  # it outlives us, so nobody will wait for its real one
    log.info("Prefect server started url=%s pid=%d", server.url, process.pid)
    return server


def _await_answer(
    process: subprocess.Popen[bytes],
    server: Server,
    home: Path,
    progress: Progress,
    deadline: float,
) -> None:
    begun, told = time.monotonic(), 0.0
    while not is_alive(server.api_url):
        waited = time.monotonic() - begun
        if process.poll() is not None:
            raise ServerError(_why_it_ended(home, process.returncode))
        if waited > deadline:
            raise ServerError(
                f"the Prefect server did not answer within {deadline:g} s; the machine may be too "
                f"busy. Try again; its log {log_path(home)} ends:\n{log_tail(home)}"
            )
        if waited - told >= _TELL:
            progress("starting the Prefect server", waited)
            told = waited
        time.sleep(_POLL)


def _why_it_ended(home: Path, code: int) -> str:
    tail = _last_words(home)
    if "min_items" in tail:
        return (
            "the Prefect server cannot start beside the installed FastAPI, which has lost an "
            "argument that Prefect uses. Install an older one: pip install 'fastapi<0.151'"
        )
    return (
        f"the Prefect server ended with exit code {code} before it answered. Its log "
        f"{log_path(home)} ends:\n{tail}"
    )


def _last_words(home: Path) -> str:
    """Return the end of the server's log without the stack of calls in it."""
    lines = log_tail(home, lines=60).splitlines()
    said = [x for x in lines if x[:1].strip() and not x.startswith("Traceback")]
    return "\n".join(f"  {line}" for line in said[-4:])


def _free_port(wanted: int) -> int:
    """Return `wanted` if nothing listens there, else a port that the system knows to be free."""
    for candidate in (wanted, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                log.info("port %d is taken; the Prefect server gets another", candidate)
                continue
            return int(probe.getsockname()[1])
    raise ServerError(f"no port on {HOST} is free for the Prefect server")


def _server(home: Path, port: int, pid: int, *, started_now: bool) -> Server:
    url = f"http://{HOST}:{port}"
    return Server(url, f"{url}/api", port, True, started_now, pid, log_path(home))


def _silent(_message: str, _seconds: float) -> None:
    """Tell nobody."""
