"""Tables of the history. No class of this module is seen outside the store.

Every record is a row with what is searched for in columns and the rest as JSON. Foreign keys
say what it came from: sample → proposal, measurement → sample, insight → measurements,
observation → insights.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    UniqueConstraint,
)
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraints have names that do not depend on the database, so migrations can name them."""


class UtcDateTime(TypeDecorator[datetime]):
    """A time with time zone, also in databases that know none: kept and returned in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Return the time in UTC; naive times are refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value} has no time zone; add one")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, _: Dialect) -> datetime | None:
        """Return the time with its zone, UTC."""
        if value is None:
            return None
        found: datetime = value
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


class TableRow(SQLModel, registry=registry(metadata=MetaData(naming_convention=NAMING))):
    """Base of all rows, with a metadata of its own."""


RowNumber = BigInteger().with_variant(Integer, "sqlite")
"""Counts rows in the order of writing; SQLite only counts by itself in an INTEGER."""


def _of_experiment() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["campaign_id", "number"], ["proposal.campaign_id", "proposal.number"]
    )


def _by_experiment() -> Index:
    return Index(None, "campaign_id", "number")


class CampaignRow(TableRow, table=True):
    """One campaign."""

    __tablename__ = "campaign"

    id: str = Field(primary_key=True)
    name: str
    status: str
    message: str
    created: datetime = Field(sa_type=UtcDateTime)
    updated: datetime = Field(sa_type=UtcDateTime)
    campaign_toml: str
    campaign_source: str
    laboratory_toml: str
    laboratory_source: str
    seed: int = Field(sa_type=BigInteger)
    dry_run: bool
    versions: dict[str, Any] = Field(sa_type=JSON)
    config: dict[str, Any] = Field(sa_type=JSON)


class ProposalRow(TableRow, table=True):
    """One proposal, which begins an experiment."""

    __tablename__ = "proposal"

    campaign_id: str = Field(primary_key=True, foreign_key="campaign.id")
    number: int = Field(primary_key=True)
    contents: dict[str, Any] = Field(sa_type=JSON)
    seed: list[int] = Field(sa_type=JSON)
    recorded: datetime = Field(sa_type=UtcDateTime)
    told: int | None
    pending: list[int] | None = Field(sa_type=JSON)


class SampleRow(TableRow, table=True):
    """One sample, made after one proposal."""

    __tablename__ = "sample"
    __table_args__ = (UniqueConstraint("campaign_id", "number"), _of_experiment())

    id: str = Field(primary_key=True)
    campaign_id: str
    number: int
    contents: dict[str, Any] = Field(sa_type=JSON)
    recorded: datetime = Field(sa_type=UtcDateTime)


class MeasurementRow(TableRow, table=True):
    """One measurement of one sample; its arrays are files."""

    __tablename__ = "measurement"
    __table_args__ = (UniqueConstraint("id"), _of_experiment(), _by_experiment())

    row: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    id: str
    campaign_id: str
    number: int
    sample_id: str = Field(foreign_key="sample.id")
    technique: str
    contents: dict[str, Any] = Field(sa_type=JSON)
    x: str
    y: str
    sigma: str | None
    recorded: datetime = Field(sa_type=UtcDateTime)


class InsightRow(TableRow, table=True):
    """One insight of one agent; its arrays are files."""

    __tablename__ = "insight"
    __table_args__ = (UniqueConstraint("id"), _of_experiment(), _by_experiment())

    row: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    id: str
    campaign_id: str
    number: int
    agent: str
    contents: dict[str, Any] = Field(sa_type=JSON)
    covariance: str | None
    recorded: datetime = Field(sa_type=UtcDateTime)


class InsightSourceRow(TableRow, table=True):
    """An insight came from a measurement."""

    __tablename__ = "insight_source"

    insight_id: str = Field(primary_key=True, foreign_key="insight.id")
    position: int = Field(primary_key=True)
    measurement_id: str = Field(foreign_key="measurement.id")


class ObservationRow(TableRow, table=True):
    """One observation, which ends an experiment."""

    __tablename__ = "observation"
    __table_args__ = (UniqueConstraint("campaign_id", "number"), _of_experiment())

    row: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    campaign_id: str
    number: int
    contents: dict[str, Any] = Field(sa_type=JSON)
    failed: bool
    recorded: datetime = Field(sa_type=UtcDateTime)


class ObservationSourceRow(TableRow, table=True):
    """An observation came from an insight."""

    __tablename__ = "observation_source"
    __table_args__ = (
        ForeignKeyConstraint(
            ["campaign_id", "number"], ["observation.campaign_id", "observation.number"]
        ),
    )

    campaign_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    insight_id: str = Field(primary_key=True, foreign_key="insight.id")


class ActionRow(TableRow, table=True):
    """One attempt at one physical action."""

    __tablename__ = "action"
    __table_args__ = (UniqueConstraint("command_id"), _of_experiment(), _by_experiment())

    row: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    command_id: str
    campaign_id: str
    number: int
    step: str
    attempt: int
    instrument: str
    arguments: str
    arguments_hash: str
    intended: datetime = Field(sa_type=UtcDateTime)
    sent: datetime | None = Field(sa_type=UtcDateTime)
    settled: str | None
    started: datetime | None = Field(sa_type=UtcDateTime)
    finished: datetime | None = Field(sa_type=UtcDateTime)
    error: str
    fault: str
    consumed: dict[str, Any] = Field(sa_type=JSON)
    token: int | None
    expected: float | None
    memory: str | None


class EventRow(TableRow, table=True):
    """One line of a campaign's log."""

    __tablename__ = "event"

    row: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    campaign_id: str = Field(foreign_key="campaign.id", index=True)
    kind: str
    message: str
    number: int | None
    at: datetime = Field(sa_type=UtcDateTime)


METADATA = TableRow.metadata
"""The schema the newest migration must arrive at."""

CAMPAIGN = METADATA.tables["campaign"]
PROPOSAL = METADATA.tables["proposal"]
SAMPLE = METADATA.tables["sample"]
MEASUREMENT = METADATA.tables["measurement"]
INSIGHT = METADATA.tables["insight"]
INSIGHT_SOURCE = METADATA.tables["insight_source"]
OBSERVATION = METADATA.tables["observation"]
OBSERVATION_SOURCE = METADATA.tables["observation_source"]
ACTION = METADATA.tables["action"]
EVENT = METADATA.tables["event"]
