"""The settings under which sdlab uses Prefect, put into the environment before Prefect is imported.

Prefect's own defaults report home, promote a paid service, lag a minute behind a thousand tasks and
drop history when its queues overflow. What a person has set in the environment always wins.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import ServerError

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104  (only with authentication, see `check_door`)
DEFAULT_PORT = 4200

_OURS = "SDLAB_PREFECT_DEFAULTS"
"""Environment variable that lists what `apply` has set, so that it may set it again."""

SERVER_AUTH, CLIENT_AUTH = "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"
"""Variables of Prefect's own authentication, ``user:password``; a secret, never written down."""

_CLIENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    # A request is tried again after 2, 4 and 8 s: enough for a busy SQLite, short for a dead
    # server.
    "PREFECT_CLIENT_MAX_RETRIES": "3",
    "PREFECT_API_REQUEST_TIMEOUT": "15",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "60",
}
"""Good with any server."""

_OUR_SERVER = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # The second user interface asks a tracking service for its configuration even with analytics
    # off; the first calls nobody.
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
    # Block types register themselves when a flow uses one; all at once cost a first start 4 s.
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "500",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "500",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
    # Two questions less for every flow run, whose answers are known: our server has no CSRF
    # tokens and is of our version.
    "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
}
"""Good with the server that sdlab starts."""


def environment(home: Path, *, port: int = DEFAULT_PORT) -> dict[str, str]:
    """Return sdlab's defaults for Prefect as environment variables.

    Parameters
    ----------
    home : folder of Prefect's database, logs and profiles.
    port : where the server listens, on loopback only.
    """
    # By variables, not by flags: with flags the page still asks port 4200 for its data.
    address = {
        "PREFECT_HOME": str(home.absolute()),
        "PREFECT_API_URL": f"http://{HOST}:{port}/api",
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        # Any page a browser has open could otherwise read and steer the server.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{port},http://localhost:{port}",
    }
    return {**_CLIENT, **_OUR_SERVER, **address}


def users_server() -> str | None:
    """Return the API address that a person has set, or None if the server is ours to start."""
    if "PREFECT_API_URL" in _set_by_us(os.environ):
        return None
    return os.environ.get("PREFECT_API_URL") or None


def apply(home: Path, *, port: int = DEFAULT_PORT) -> str:
    """Put the defaults into this process' environment and return the API address in force.

    Call it before Prefect is imported; if Prefect is there already, its settings are read again.
    Variables that a person has set stay as they are, and beside a server of theirs only what
    concerns this process is set.
    """
    ours = _set_by_us(os.environ)
    defaults = environment(home, port=port) if users_server() is None else _CLIENT
    for name, value in defaults.items():
        if name in ours or name not in os.environ:
            os.environ[name] = value
            ours.add(name)
    if (secret := auth_string()) is not None:
        os.environ.setdefault(CLIENT_AUTH, secret)
    os.environ[_OURS] = " ".join(sorted(ours))
    if "prefect" in sys.modules:
        _read_again()
    return os.environ["PREFECT_API_URL"]


def server_environment(home: Path, *, port: int) -> dict[str, str]:
    """Return the whole environment in which our server is started."""
    ours = _set_by_us(os.environ)
    users = {name: value for name, value in os.environ.items() if name not in ours}
    secret = auth_string()
    guarded = {} if secret is None else {SERVER_AUTH: secret, CLIENT_AUTH: secret}
    return {**environment(home, port=port), **guarded, **users, _OURS: os.environ.get(_OURS, "")}


def check_door(environment: Mapping[str, str]) -> None:
    """Refuse to open our server to other machines unless it asks who is there.

    Parameters
    ----------
    environment : of the server; ``PREFECT_SERVER_API_HOST`` in it is where it listens.

    Raises
    ------
    ServerError
        It would listen elsewhere than on loopback, and anybody could steer it.
    """
    host = environment["PREFECT_SERVER_API_HOST"]
    if host in (HOST, "localhost"):
        return
    if host != EVERYWHERE:
        raise ServerError(
            f"PREFECT_SERVER_API_HOST is {host}; our server listens on {HOST}, or on {EVERYWHERE} "
            f"if it asks for {SERVER_AUTH}. For anything else run `prefect server start` yourself "
            "and name it in PREFECT_API_URL"
        )
    if not environment.get(SERVER_AUTH):
        raise ServerError(
            f"PREFECT_SERVER_API_HOST is {EVERYWHERE}, so every machine of the network could steer "
            f"the laboratory. Set {SERVER_AUTH} to user:password first, or let it listen on {HOST}"
        )


def auth_string() -> str | None:
    """Return what a client shows to the server, from the environment; None without a secret."""
    return os.environ.get(CLIENT_AUTH) or os.environ.get(SERVER_AUTH) or None


def _set_by_us(environ: Mapping[str, str]) -> set[str]:
    return set(environ.get(_OURS, "").split())


def _read_again() -> None:
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    log.debug("Prefect was imported before its settings were made; reading them again")
    refresh_global_settings_context()
    setup_logging()
