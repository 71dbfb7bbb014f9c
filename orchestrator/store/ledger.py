"""Ledger: rows are written once and never overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Executable,
    Insert,
    Row,
    Table,
    and_,
    insert,
    or_,
    select,
)
from sqlalchemy.exc import IntegrityError

from orchestrator.errors import StoreConflict, StoreError, UnknownCampaign
from orchestrator.store.engine import reading, writing
from orchestrator.store.tables import CAMPAIGN

Clause = ColumnElement[bool]
Values = Mapping[str, Any]
Step = tuple[Executable, Values | list[dict[str, Any]]]
"""A statement with its parameters."""

_FREE = frozenset({"status", "message", "created", "updated", "recorded"})
"""Columns in which two writings of the same record may differ."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A database in which a record is written once.

    Attributes
    ----------
    engine : the database.
    """

    engine: Engine
    _durable: dict[str, bool] = field(default_factory=dict)

    def is_durable(self, campaign_id: str) -> bool:
        """Return whether a campaign's history must survive a power cut: not that of a dry run.

        Raises
        ------
        UnknownCampaign
            It was never recorded.
        """
        if campaign_id not in self._durable:
            query = select(CAMPAIGN.c.dry_run).where(CAMPAIGN.c.id == campaign_id)
            with reading(self.engine) as connection:
                found = connection.execute(query).scalar()
            if found is None:
                raise UnknownCampaign(
                    f"no campaign {campaign_id!r} is recorded; `sdlab list` shows those there are"
                )
            self._durable[campaign_id] = not found
        return self._durable[campaign_id]

    def insert_once(
        self,
        table: Table,
        values: Values,
        *,
        keys: Sequence[Values],
        durable: bool,
        then: Sequence[Step] = (),
        compare: Sequence[str] | None = None,
    ) -> Row[Any] | None:
        """Write a row, and the rows that belong to it; None if it is new, else the row there was.

        Parameters
        ----------
        keys : what no two rows of the table share, as column → value of this one.
        then : statements in the same transaction.
        compare : columns in which the row must equal the one there was; None for all.

        Raises
        ------
        StoreConflict
            A row with one of the keys is there and differs.
        StoreError
            It refers to something that was never recorded.
        """
        try:
            with writing(self.engine, durable=durable) as connection:
                connection.execute(_into(table), values)
                for statement, parameters in then:
                    connection.execute(statement, parameters)
        except IntegrityError as error:
            return self._same(table, values, keys=keys, compare=compare, error=error)
        return None

    def one(self, table: Table, key: Clause) -> Row[Any] | None:
        """Return the row with that key, None if there is none."""
        with reading(self.engine) as connection:
            return connection.execute(select(table).where(key)).one_or_none()

    def _same(
        self,
        table: Table,
        values: Values,
        *,
        keys: Sequence[Values],
        compare: Sequence[str] | None,
        error: IntegrityError,
    ) -> Row[Any]:
        alike = or_(*(and_(*(table.c[name] == key[name] for name in key)) for key in keys))
        with reading(self.engine) as connection:
            found = connection.execute(select(table).where(alike)).first()
        if found is None:
            raise StoreError(
                f"{_name(table, values)} comes from something that was never recorded "
                f"({error.orig}); record what it came from first"
            ) from error
        columns = compare or [name for name in values if name not in _FREE]
        differing = [name for name in columns if found._mapping[name] != values[name]]
        if differing:
            raise StoreConflict(
                f"{_name(table, values)} is recorded already with other contents "
                f"({', '.join(differing)} differ); history is never overwritten, so give the new "
                "record another id or number"
            ) from error
        return found


@cache
def _into(table: Table) -> Insert:
    return insert(table)


def _name(table: Table, values: Values) -> str:
    name = values.get("id") or values.get("command_id")
    if name is None:
        name = f"{values['number']} of campaign {values['campaign_id']}"
    return f"{table.name} {name}"
