"""Connections to the database, and its troubles as sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from orchestrator.errors import StoreCorrupt, StoreError, StoreFull, StoreLocked

POOL_SIZE = 8
"""Connections kept open; more are made and closed again when more threads ask at once."""


def connect(url: str, *, wait: float) -> Engine:
    """Return an engine for a SQLite file or a PostgreSQL database.

    SQLite runs with a write-ahead log, so readers never wait for the writer, and with foreign
    keys enforced.

    Parameters
    ----------
    wait : seconds to wait for another writer before giving up.

    Raises
    ------
    StoreError
        The URL is none of either kind, or the folder of the file cannot be made.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(_what_a_url_is(url)) from error
    backend = parsed.get_backend_name()
    if backend == "postgres" or backend == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        options = f"-c lock_timeout={int(wait * 1000)}"
        try:
            return create_engine(parsed, pool_size=POOL_SIZE, connect_args={"options": options})
        except ModuleNotFoundError as error:
            raise StoreError(
                f"PostgreSQL needs the package {error.name!r}; install sdlab[postgres]"
            ) from error
    if backend != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise StoreError(_what_a_url_is(url))
    return _sqlite(parsed, wait=wait)


def sqlite_file(engine: Engine) -> Path | None:
    """Return the file of a SQLite database, None for another database."""
    if engine.dialect.name != "sqlite" or engine.url.database is None:
        return None
    return Path(engine.url.database)


def _what_a_url_is(url: str) -> str:
    return (
        f"{url!r} names no database; write sqlite:////absolute/path/sdlab.sqlite or "
        "postgresql://user@host/database"
    )


def _sqlite(url: URL, *, wait: float) -> Engine:
    file = Path(url.database or "")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {file.parent} cannot be made: {error.strerror}") from error
    engine = create_engine(
        url, pool_size=POOL_SIZE, paramstyle="named", connect_args={"timeout": wait}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    """Take the transactions into our own hands; sqlite3's own begin too late."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    """Begin; a writer takes the lock at once, since a lock asked for later is not waited for."""
    options = connection.get_execution_options()
    if not options.get("writes"):
        connection.exec_driver_sql("BEGIN")
        return
    level = "FULL" if options.get("durable", True) else "NORMAL"
    connection.exec_driver_sql(f"PRAGMA synchronous={level}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees the database as it stands at its first query."""
    with explained(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, *, durable: bool) -> Iterator[Connection]:
    """Give a connection whose changes are kept all together or not at all.

    Parameters
    ----------
    durable : on disk when the block ends, even if the power fails.
    """
    with explained(engine), engine.connect() as connection:
        connection.execution_options(writes=True, durable=durable)
        with connection.begin():
            yield connection


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn the database's errors into sentences that say what to do.

    An IntegrityError passes as it is: only the caller knows which record it is about.
    """
    driver = engine.dialect.loaded_dbapi
    try:
        yield
    except (IntegrityError, driver.IntegrityError):
        raise
    except (DBAPIError, driver.Error) as error:
        place = engine.url.render_as_string(hide_password=True)
        raise explain(error.orig if isinstance(error, DBAPIError) else error, place) from error


def explain(error: BaseException | None, place: str) -> StoreError:
    """Return the store's error for a driver's error."""
    code: Any = getattr(error, "sqlite_errorcode", None)
    kind = code & 0xFF if isinstance(code, int) else getattr(error, "sqlstate", None)
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, "55P03"):
        return StoreLocked(
            f"the database {place} is locked by another process that is writing to it; "
            "wait for it, or look whether another sdlab hangs, then try again"
        )
    if kind in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreCorrupt(
            f"{place} is damaged or no database ({error}); restore a backup of it, or name "
            "another file to begin a new history"
        )
    if kind in (sqlite3.SQLITE_FULL, "53100"):
        return StoreFull(
            f"there is no room left to write to the database {place}; make room and resume the "
            "campaign. Everything recorded before is intact"
        )
    if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StoreError(
            f"the database {place} cannot be opened for writing ({error}); check that file and "
            "folder belong to you"
        )
    return StoreError(f"the database {place} refused: {str(error).strip()}")
