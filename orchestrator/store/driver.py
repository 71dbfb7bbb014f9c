"""Driver: the few statements of every turn, sent on the driver's own cursor.

SQLAlchemy compiles a statement from the tables once. After that only its text and the conversion
of its values are needed; leaving out the rest makes a write several times cheaper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import Any

from sqlalchemy import Dialect, Engine, Float, PoolProxiedConnection, Select, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.types import TypeEngine

from orchestrator.errors import Superseded
from orchestrator.store.engine import explained

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition of writing: the query must find a row, or `Superseded` is raised."""

    query: Select[Any]
    values: Values
    message: str


class Driver:
    """One connection that writes, or reads what this process is about to continue.

    Threads take turns. The connection is opened when it is first needed and again after it was
    lost.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._connection: PoolProxiedConnection | None = None
        self._lock = RLock()
        self._is_open = False
        self._level = ""
        self._durable = True
        self._guard: Guard | None = None
        self._begun = False
        self._prepared = cache(lambda statement: Prepared(statement, engine.dialect))

    @property
    def integrity_error(self) -> type[Exception]:
        """The driver's exception for a row that refers to nothing, or is there already."""
        found: type[Exception] = self._engine.dialect.loaded_dbapi.IntegrityError
        return found

    @contextmanager
    def writing(self, *, durable: bool, guard: Guard | None = None) -> Iterator[None]:
        """Keep what is sent in the block all together or not at all; blocks may be nested.

        The transaction begins with the first statement, so that nobody waits for what else the
        block does.

        Parameters
        ----------
        durable : on disk when the outermost block ends, even if the power fails.
        guard : what must hold when the outermost block begins to write.

        Raises
        ------
        Superseded
            At the first statement, if the guard does not hold.
        """
        with self._lock:
            if self._is_open:
                yield
                return
            self._is_open, self._durable, self._guard = True, durable, guard
            try:
                with explained(self._engine):
                    yield
                    if self._begun:
                        self._connected().commit()
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._is_open = self._begun = False

    def insert(self, table: Table, values: Values) -> bool:
        """Insert a row; return False if one with its keys is there, which stays as it is."""
        statement = _into(table, tuple(values), self._engine.dialect.name)
        return self.change(statement, values) == 1

    def change(self, statement: ClauseElement, values: Values) -> int:
        """Send a statement inside `writing`; return how many rows it wrote."""
        if not self._begun:
            self._begin()
        prepared = self._prepared(statement)
        cursor = self._connected().cursor()
        cursor.execute(prepared.text, prepared.bound(values))
        return cursor.rowcount

    def read(self, statement: Select[Any], values: Values) -> list[tuple[Any, ...]]:
        """Return the rows of a query, inside or outside of `writing`."""
        prepared = self._prepared(statement)
        with self._lock, explained(self._engine):
            try:
                cursor = self._connected().cursor()
                cursor.execute(prepared.text, prepared.bound(values))
                found = prepared.restored(cursor.fetchall())
                if not self._is_open:
                    self._connected().rollback()  # nothing was written: ends the snapshot
            except BaseException:
                if not self._is_open:
                    self._roll_back()
                raise
        return found

    def close(self) -> None:
        """Give the connection back. May be called twice."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _connected(self) -> PoolProxiedConnection:
        if self._connection is None:
            self._connection = self._engine.raw_connection()
            self._level = ""
        return self._connection

    def _begin(self) -> None:
        """Begin; SQLite waits for a lock only if it is asked for at once."""
        connection = self._connected()
        if self._is_sqlite:
            cursor = connection.cursor()
            level = "FULL" if self._durable else "NORMAL"
            if level != self._level:
                cursor.execute(f"PRAGMA synchronous={level}")
                self._level = level
            cursor.execute("BEGIN IMMEDIATE")
        self._begun = True
        if self._guard is not None:
            self._need(self._guard)

    def _need(self, guard: Guard) -> None:
        prepared = self._prepared(guard.query)
        cursor = self._connected().cursor()
        cursor.execute(prepared.text, prepared.bound(guard.values))
        if cursor.fetchone() is None:
            raise Superseded(guard.message)

    def _roll_back(self) -> None:
        """Undo what was begun; a connection that cannot even do that is thrown away."""
        if self._connection is None:
            return
        try:
            self._connection.rollback()
        except self._engine.dialect.loaded_dbapi.Error:
            self._connection.invalidate()
            self._connection = None


_DOUBLE_PRECISION = 701
"""PostgreSQL's number for its 64-bit float."""


def _kind(column: TypeEngine[Any]) -> int | None:
    """Return what the database would call a column's type, where SQLAlchemy asks for it."""
    return _DOUBLE_PRECISION if isinstance(column, Float) else None


class Prepared:
    """A statement as text, with what turns values into the driver's and back."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self.text = str(compiled)
        self._binds = [
            (name, bind.type.dialect_impl(dialect).bind_processor(dialect))
            for name, bind in compiled.binds.items()
        ]
        self._columns = [
            column.type.dialect_impl(dialect).result_processor(dialect, _kind(column.type))
            for column in (statement.selected_columns if isinstance(statement, Select) else ())
        ]

    def bound(self, values: Values) -> dict[str, Any]:
        """Return the parameters as the driver takes them."""
        return {
            name: values[name] if convert is None else convert(values[name])
            for name, convert in self._binds
        }

    def restored(self, found: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Return rows as they were written."""
        return [
            tuple(
                value if convert is None else convert(value)
                for value, convert in zip(row, self._columns, strict=True)
            )
            for row in found
        ]


@cache
def _into(table: Table, names: tuple[str, ...], dialect: str) -> ClauseElement:
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    if dialect == "postgresql":
        return postgresql.insert(table).inline().values(values).on_conflict_do_nothing()
    return sqlite.insert(table).inline().values(values).on_conflict_do_nothing()
