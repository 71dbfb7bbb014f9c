"""The schema: a new database gets it, an old one is brought up to it, a newer one is refused."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from orchestrator.errors import StoreCorrupt, StoreTooNew
from orchestrator.store.engine import reading, sqlite_file, writing

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
"""Folder of the Alembic environment, inside the package."""

MIGRATION_LOCK = 7302
"""Number of the advisory lock that lets one process at a time migrate a PostgreSQL database."""


def newest_revision(migrations: Path = MIGRATIONS) -> str:
    """Return the revision this sdlab needs: revisions are numbered, files named after them."""
    return max(file.name.partition("_")[0] for file in (migrations / "versions").glob("0*.py"))


def migrate(engine: Engine, migrations: Path = MIGRATIONS) -> None:
    """Bring a database to the newest revision; a SQLite file is copied before it is changed.

    Alembic is imported only if there is something to do.

    Raises
    ------
    StoreTooNew
        A newer sdlab has written this database.
    StoreCorrupt
        The database holds tables that are not ours.
    """
    newest = newest_revision(migrations)
    with reading(engine) as connection:
        found = current_revision(connection)
    if found == newest:
        return
    _refuse_newer(engine, found, newest)
    with writing(engine, durable=True) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        found = current_revision(connection)
        if found == newest:
            return
        if found is not None:
            _back_up(engine, found)
        _upgrade(connection, migrations)
    logger.info("database migrated from=%s to=%s", found, newest)


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database, None if it is empty.

    Raises
    ------
    StoreCorrupt
        The database belongs to something else, or its revision is lost.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    place = connection.engine.url.render_as_string(hide_password=True)
    if "alembic_version" not in tables:
        raise StoreCorrupt(
            f"the database {place} holds {', '.join(sorted(tables)[:5])} but no history of sdlab; "
            "name another database"
        )
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision is None:
        raise StoreCorrupt(
            f"the database {place} does not say which revision it has; restore a backup of it"
        )
    return str(revision)


def _refuse_newer(engine: Engine, found: str | None, newest: str) -> None:
    if found is not None and found > newest:
        raise StoreTooNew(
            f"the database {engine.url.render_as_string(hide_password=True)} has revision {found} "
            f"and this sdlab knows revisions up to {newest}; install the newer sdlab that wrote "
            "it, or name another database"
        )


def _back_up(engine: Engine, revision: str) -> None:
    """Copy a SQLite file beside itself; a PostgreSQL database is backed up by its keeper."""
    file = sqlite_file(engine)
    if file is None:
        return
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    copy = file.with_name(f"{file.name}.revision-{revision}.{stamp}.backup")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    logger.info("database copied before its migration to %s", copy)


def _upgrade(connection: Connection, migrations: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
