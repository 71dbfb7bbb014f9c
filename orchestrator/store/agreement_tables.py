"""Tables by which processes, campaigns and people agree with each other.

The tables of `tables` say what happened and are never overwritten; these say how things stand now:
who runs a campaign, who may use an instrument, who holds a sample, what is left in stock, what
a person was asked, and what a person wishes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlmodel import Field

from orchestrator.store.tables import METADATA, RowNumber, TableRow, UtcDateTime


class HoldRow(TableRow, table=True):
    """Which process runs a campaign; its token goes up with every new holder."""

    __tablename__ = "hold"

    campaign_id: str = Field(primary_key=True, foreign_key="campaign.id")
    token: int
    host: str
    pid: int
    born: float
    taken: datetime = Field(sa_type=UtcDateTime)
    heartbeat: datetime = Field(sa_type=UtcDateTime)
    released: datetime | None = Field(sa_type=UtcDateTime)


class LeaseRow(TableRow, table=True):
    """A campaign asks for instruments, is granted them, and gives them back."""

    __tablename__ = "lease"
    __table_args__ = (Index(None, "laboratory", "released"),)

    row: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    laboratory: str
    campaign_id: str = Field(foreign_key="campaign.id")
    purpose: str
    needs: list[list[str]] = Field(sa_type=JSON)
    given: list[str] = Field(sa_type=JSON)
    priority: int
    host: str
    pid: int
    born: float
    asked: datetime = Field(sa_type=UtcDateTime)
    heartbeat: datetime = Field(sa_type=UtcDateTime)
    granted: datetime | None = Field(sa_type=UtcDateTime)
    released: datetime | None = Field(sa_type=UtcDateTime)


class QuestionRow(TableRow, table=True):
    """Something a person was asked, and the answer."""

    __tablename__ = "question"
    __table_args__ = (UniqueConstraint("campaign_id", "key"),)

    row: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    campaign_id: str = Field(foreign_key="campaign.id")
    key: str
    number: int | None
    kind: str
    text: str
    options: list[str] = Field(sa_type=JSON)
    details: dict[str, Any] = Field(sa_type=JSON)
    asked: datetime = Field(sa_type=UtcDateTime)
    answer: str | None
    reason: str
    answered: datetime | None = Field(sa_type=UtcDateTime)
    answered_by: str


class WishRow(TableRow, table=True):
    """What a person wishes a campaign to do: run, pause, cancel or stop."""

    __tablename__ = "wish"

    campaign_id: str = Field(primary_key=True, foreign_key="campaign.id")
    wish: str
    reason: str
    asked: datetime = Field(sa_type=UtcDateTime)
    asked_by: str


class CustodyRow(TableRow, table=True):
    """Where a thing is: every thing has one holder, and a slot holds one thing."""

    __tablename__ = "custody"
    __table_args__ = (UniqueConstraint("scope", "holder", "slot"),)

    scope: str = Field(primary_key=True)
    thing: str = Field(primary_key=True)
    kind: str
    holder: str
    slot: str
    campaign_id: str | None = Field(foreign_key="campaign.id")
    since: datetime = Field(sa_type=UtcDateTime)


def _open(name: str, *columns: str) -> Index:
    """Return an index by which only one offer at a time is open for a thing, and for a slot."""
    is_open = text("accepted IS NULL AND withdrawn IS NULL")
    where: dict[str, Any] = {"sqlite_where": is_open, "postgresql_where": is_open}
    return Index(f"uq_handover_{name}", *columns, unique=True, **where)


class HandoverRow(TableRow, table=True):
    """A thing is offered by one holder and accepted by another, or the offer is withdrawn."""

    __tablename__ = "handover"
    __table_args__ = (
        Index(None, "scope", "thing"),
        Index(None, "command_id"),
        _open("open_thing", "scope", "thing"),
        _open("open_slot", "scope", "taker", "taker_slot"),
    )

    row: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    scope: str
    thing: str
    giver: str
    giver_slot: str
    taker: str
    taker_slot: str
    command_id: str
    offered: datetime = Field(sa_type=UtcDateTime)
    accepted: datetime | None = Field(sa_type=UtcDateTime)
    withdrawn: datetime | None = Field(sa_type=UtcDateTime)


class LevelRow(TableRow, table=True):
    """What is left of a consumable now; the rows of `stock` say how it came to that."""

    __tablename__ = "level"

    scope: str = Field(primary_key=True)
    instrument: str = Field(primary_key=True)
    consumable: str = Field(primary_key=True)
    unit: str
    left: float
    aside: float
    declared: float | None


class StockRow(TableRow, table=True):
    """A consumable was filled up to a level, set aside for an action, or used by one."""

    __tablename__ = "stock"
    __table_args__ = (
        UniqueConstraint("command_id", "instrument", "consumable"),
        Index(None, "scope", "instrument", "consumable"),
    )

    row: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    scope: str
    instrument: str
    consumable: str
    kind: str
    amount: float
    command_id: str | None
    at: datetime = Field(sa_type=UtcDateTime)


class ReservationRow(TableRow, table=True):
    """How much of a consumable is kept back for a campaign."""

    __tablename__ = "reservation"

    scope: str = Field(primary_key=True)
    instrument: str = Field(primary_key=True)
    consumable: str = Field(primary_key=True)
    campaign_id: str = Field(primary_key=True, foreign_key="campaign.id")
    amount: float


HOLD = METADATA.tables["hold"]
LEASE = METADATA.tables["lease"]
QUESTION = METADATA.tables["question"]
WISH = METADATA.tables["wish"]
CUSTODY = METADATA.tables["custody"]
HANDOVER = METADATA.tables["handover"]
LEVEL = METADATA.tables["level"]
STOCK = METADATA.tables["stock"]
RESERVATION = METADATA.tables["reservation"]
