"""A database is brought up to date, and one from the future is left alone."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.errors import StoreCorrupt, StoreError, StoreTooNew
from orchestrator.store import Store
from orchestrator.store.agreement_tables import METADATA
from orchestrator.store.engine import connect, writing
from orchestrator.store.schema import MIGRATIONS, migrate, newest_revision
from tests.orchestrator import histories


def test_the_migrations_arrive_at_the_tables(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = connect(f"sqlite:///{tmp_path / 'new.sqlite'}", wait=1)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_the_migrated_constraints_are_those_of_the_tables(tmp_path: Path) -> None:
    """Alembic compares neither primary keys nor the targets of foreign keys of SQLite."""
    migrated = connect(f"sqlite:///{tmp_path / 'migrated.sqlite'}", wait=1)
    migrate(migrated)
    made = connect(f"sqlite:///{tmp_path / 'made.sqlite'}", wait=1)
    with writing(made, durable=False) as connection:
        METADATA.create_all(connection)
    assert _constraints(tmp_path / "migrated.sqlite") == _constraints(tmp_path / "made.sqlite")
    migrated.dispose()
    made.dispose()


def _constraints(file: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    with closing(sqlite3.connect(file)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            if table == "alembic_version":
                continue
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            keys = connection.execute(f"PRAGMA foreign_key_list({table})").fetchall()
            found[table] = (
                [column[1:] for column in columns],
                sorted(key[2:5] for key in keys),
            )
    assert len(found) == len(METADATA.tables)
    return found


def test_the_newest_revision_is_alembics_head() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [newest_revision()]


THIRD = """
import sqlalchemy as sa
from alembic import op
revision = "0003"
down_revision = "0002"
def upgrade():
    op.add_column("campaign", sa.Column("operator", sa.String(), nullable=True))
    {then}
"""


def _with_third_revision(folder: Path, then: str = "") -> Path:
    ignore = shutil.ignore_patterns("__pycache__")
    copy = Path(shutil.copytree(MIGRATIONS, folder / "migrations", ignore=ignore))
    (copy / "versions" / "0003_operator.py").write_text(THIRD.format(then=then))
    return copy


def _fill(folder: Path) -> None:
    with histories.open_store(folder) as store:
        store.create_campaign(histories.campaign("old"))
        histories.record_experiment(store, "old", 0)


def test_an_old_database_is_copied_then_upgraded_with_its_history(tmp_path: Path) -> None:
    _fill(tmp_path)
    engine = connect(f"sqlite:///{tmp_path / 'sdlab.sqlite'}", wait=1)
    migrate(engine, _with_third_revision(tmp_path))
    engine.dispose()
    with closing(sqlite3.connect(tmp_path / "sdlab.sqlite")) as connection:
        assert connection.execute("SELECT id, operator FROM campaign").fetchall() == [("old", None)]
        assert connection.execute("SELECT count(*) FROM observation").fetchone() == (1,)
    (copy,) = tmp_path.glob("*.backup")
    with Store.open(f"sqlite:///{copy}", tmp_path / "arrays") as before:
        assert before.experiment("old", 0).observation == histories.observation(0)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    _fill(tmp_path)
    engine = connect(f"sqlite:///{tmp_path / 'sdlab.sqlite'}", wait=1)
    with pytest.raises(StoreError, match="no such table"):
        migrate(engine, _with_third_revision(tmp_path, 'op.execute("DELETE FROM nowhere")'))
    engine.dispose()
    with histories.open_store(tmp_path) as store:
        assert store.experiment("old", 0).observation == histories.observation(0)


def test_a_database_from_the_future_is_refused_and_untouched(tmp_path: Path) -> None:
    _fill(tmp_path)
    file = tmp_path / "sdlab.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(StoreTooNew, match=r"0999.*install the newer sdlab"):
        histories.open_store(tmp_path)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM campaign").fetchone() == (1,)
    assert list(tmp_path.glob("*.backup")) == []


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sdlab.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE recipes (name)")
    with pytest.raises(StoreCorrupt, match="recipes"):
        histories.open_store(tmp_path)


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://host/sdlab", "sqlite://", "sqlite:///:memory:"]
)
def test_what_names_no_database_is_refused_with_an_example(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError, match="sqlite:////absolute/path"):
        Store.open(url, tmp_path)


def test_two_processes_may_open_a_new_history_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.orchestrator import histories;"
        "histories.open_store(Path(sys.argv[1])).close()"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen(arguments) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    with histories.open_store(tmp_path) as store:
        assert store.campaigns() == []


def test_naming_the_store_imports_no_database_library() -> None:
    code = (
        "import sys; import orchestrator.store, orchestrator.store.records;"
        "found = {'sqlmodel', 'sqlalchemy', 'alembic', 'torch'} & set(sys.modules);"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_opening_a_current_history_imports_no_alembic(tmp_path: Path) -> None:
    _fill(tmp_path)
    code = (
        "import sys; from pathlib import Path; from orchestrator.store import Store;"
        "folder = Path(sys.argv[1]);"
        "Store.open(f'sqlite:///{folder / \"sdlab.sqlite\"}', folder / 'arrays').close();"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=120)
