"""Ledger: rows are written once and never overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Row,
    Select,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    or_,
    select,
)
from sqlalchemy.sql.expression import ClauseElement

from orchestrator.errors import StoreConflict, StoreError, UnknownCampaign
from orchestrator.store.agreement_tables import HOLD
from orchestrator.store.driver import Driver, Guard, Values
from orchestrator.store.engine import reading
from orchestrator.store.tables import CAMPAIGN

Clause = ColumnElement[bool]
Step = tuple[ClauseElement, Values]
"""A statement with its parameters."""

_FREE = frozenset({"status", "message", "created", "updated", "recorded"})
"""Columns in which two writings of the same record may differ."""


_STILL_MINE = (
    select(HOLD.c.token)
    .where(
        HOLD.c.campaign_id == bindparam("campaign_id"),
        HOLD.c.token == bindparam("token"),
        HOLD.c.released.is_(None),
    )
    .with_for_update(read=True)
)
"""The row stays locked to the end of the transaction, so nobody takes over in the midst of it."""


class Ledger:
    """A database in which a record is written once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.driver = Driver(engine)
        self._durable: dict[str, bool] = {}
        self._guards: dict[str, Guard] = {}

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

    def writing(self, campaign_id: str, *, on_disk: bool = True) -> AbstractContextManager[None]:
        """Return a block in which the driver writes of a campaign all together or nothing.

        Parameters
        ----------
        on_disk : survives a power cut when the block ends, unless the campaign is a dry run.

        Raises
        ------
        Superseded
            At the first statement, if this process held the campaign and lost it.
        """
        durable = self.is_durable(campaign_id) and on_disk
        return self.driver.writing(durable=durable, guard=self._guards.get(campaign_id))

    def guard(self, campaign_id: str, token: int) -> None:
        """Write of a campaign from now on only as the holder of `token`."""
        self._guards[campaign_id] = Guard(
            _STILL_MINE,
            {"campaign_id": campaign_id, "token": token},
            f"{campaign_id} was taken over by another process, so this one (its token was {token}) "
            "wrote nothing and must end; follow the campaign with `sdlab show`",
        )

    def forget_guard(self, campaign_id: str) -> None:
        """Write of a campaign like anybody who does not run it."""
        self._guards.pop(campaign_id, None)

    def insert_once(
        self,
        table: Table,
        values: Values,
        *,
        then: Sequence[Step] = (),
        compare: Sequence[str] | None = None,
    ) -> Mapping[str, Any] | None:
        """Write a row, and the rows that belong to it; None if it is new, else the row there was.

        Call it inside a block of `writing`.

        Parameters
        ----------
        then : statements in the same transaction, left out if the row was there.
        compare : columns in which the row must equal the one there was; None for all.

        Raises
        ------
        StoreConflict
            A row with one of the keys is there and differs.
        StoreError
            It refers to something that was never recorded.
        """
        try:
            if not self.driver.insert(table, values):
                return self._same(table, values, compare)
            for statement, parameters in then:
                self.driver.change(statement, parameters)
        except self.driver.integrity_error as error:
            raise StoreError(
                f"{_name(table, values)} comes from something that was never recorded ({error}); "
                "record what it came from first"
            ) from error
        return None

    def one(self, table: Table, key: Clause) -> Row[Any] | None:
        """Return the row with that key, None if there is none."""
        with reading(self.engine) as connection:
            return connection.execute(select(table).where(key)).one_or_none()

    def _same(
        self, table: Table, values: Values, compare: Sequence[str] | None
    ) -> Mapping[str, Any]:
        """Return the row that is in the place of this one, which must not differ."""
        row = self.driver.read(_alike(table), values)[0]
        found = dict(zip(table.c.keys(), row, strict=True))
        columns = compare or [name for name in values if name not in _FREE]
        differing = [name for name in columns if found[name] != values[name]]
        if differing:
            raise StoreConflict(
                f"{_name(table, values)} is recorded already with other contents "
                f"({', '.join(differing)} differ); history is never overwritten, so give the new "
                "record another id or number"
            )
        return found


@cache
def _alike(table: Table) -> Select[Any]:
    """Return the query for rows that share a key with some values."""
    unique = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    keys = [key.columns for key in (table.primary_key, *unique) if "row" not in key.columns]
    same = (and_(*(column == bindparam(column.name) for column in key)) for key in keys)
    return select(table).where(or_(*same))


def _name(table: Table, values: Values) -> str:
    name = values.get("id") or values.get("command_id")
    if name is None:
        name = f"{values['number']} of campaign {values['campaign_id']}"
    return f"{table.name} {name}"
