"""Agreements between processes, campaigns and people; what a planner was told; fencing tokens."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns and tables."""
    op.add_column("proposal", sa.Column("told", sa.Integer(), nullable=True))
    op.add_column("proposal", sa.Column("pending", sa.JSON(), nullable=True))
    op.add_column("action", sa.Column("token", sa.Integer(), nullable=True))
    op.add_column("action", sa.Column("expected", sa.Float(), nullable=True))
    op.add_column("action", sa.Column("memory", sa.String(), nullable=True))
    _hold()
    _lease()
    _question()
    _wish()
    _custody()
    _handover()
    _level()
    _stock()
    _reservation()


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TIME, nullable=nullable)


def _row() -> sa.Column[Any]:
    return sa.Column("row", ROW_NUMBER, nullable=False)


def _of_campaign(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_campaign_id"
    return sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=name)


def _hold() -> None:
    op.create_table(
        "hold",
        _text("campaign_id"),
        sa.Column("token", sa.Integer(), nullable=False),
        _text("host"),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("born", sa.Float(), nullable=False),
        _time("taken"),
        _time("heartbeat"),
        _time("released", nullable=True),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_hold"),
        _of_campaign("hold"),
    )


def _lease() -> None:
    op.create_table(
        "lease",
        _row(),
        _text("laboratory"),
        _text("campaign_id"),
        _text("purpose"),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        _text("host"),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("born", sa.Float(), nullable=False),
        _time("asked"),
        _time("heartbeat"),
        _time("granted", nullable=True),
        _time("released", nullable=True),
        sa.PrimaryKeyConstraint("row", name="pk_lease"),
        _of_campaign("lease"),
    )
    op.create_index("ix_lease_laboratory_released", "lease", ["laboratory", "released"])


def _question() -> None:
    op.create_table(
        "question",
        _row(),
        _text("campaign_id"),
        _text("key"),
        sa.Column("number", sa.Integer(), nullable=True),
        _text("kind"),
        _text("text"),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        _time("asked"),
        _text("answer", nullable=True),
        _text("reason"),
        _time("answered", nullable=True),
        _text("answered_by"),
        sa.PrimaryKeyConstraint("row", name="pk_question"),
        sa.UniqueConstraint("campaign_id", "key", name="uq_question_campaign_id_key"),
        _of_campaign("question"),
    )


def _wish() -> None:
    op.create_table(
        "wish",
        _text("campaign_id"),
        _text("wish"),
        _text("reason"),
        _time("asked"),
        _text("asked_by"),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_wish"),
        _of_campaign("wish"),
    )


def _custody() -> None:
    op.create_table(
        "custody",
        _text("scope"),
        _text("thing"),
        _text("kind"),
        _text("holder"),
        _text("slot"),
        _text("campaign_id", nullable=True),
        _time("since"),
        sa.PrimaryKeyConstraint("scope", "thing", name="pk_custody"),
        sa.UniqueConstraint("scope", "holder", "slot", name="uq_custody_scope_holder_slot"),
        _of_campaign("custody"),
    )


def _handover() -> None:
    op.create_table(
        "handover",
        _row(),
        *map(_text, ("scope", "thing", "giver", "giver_slot", "taker", "taker_slot", "command_id")),
        _time("offered"),
        _time("accepted", nullable=True),
        _time("withdrawn", nullable=True),
        sa.PrimaryKeyConstraint("row", name="pk_handover"),
    )
    op.create_index("ix_handover_scope_thing", "handover", ["scope", "thing"])
    op.create_index("ix_handover_command_id", "handover", ["command_id"])
    _one_open_offer("open_thing", "scope", "thing")
    _one_open_offer("open_slot", "scope", "taker", "taker_slot")


def _one_open_offer(name: str, *columns: str) -> None:
    is_open = sa.text("accepted IS NULL AND withdrawn IS NULL")
    op.create_index(
        f"uq_handover_{name}",
        "handover",
        list(columns),
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _level() -> None:
    op.create_table(
        "level",
        *map(_text, ("scope", "instrument", "consumable", "unit")),
        sa.Column("left", sa.Float(), nullable=False),
        sa.Column("aside", sa.Float(), nullable=False),
        sa.Column("declared", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("scope", "instrument", "consumable", name="pk_level"),
    )


def _stock() -> None:
    op.create_table(
        "stock",
        _row(),
        *map(_text, ("scope", "instrument", "consumable", "kind")),
        sa.Column("amount", sa.Float(), nullable=False),
        _text("command_id", nullable=True),
        _time("at"),
        sa.PrimaryKeyConstraint("row", name="pk_stock"),
        sa.UniqueConstraint(
            "command_id",
            "instrument",
            "consumable",
            name="uq_stock_command_id_instrument_consumable",
        ),
    )
    op.create_index(
        "ix_stock_scope_instrument_consumable", "stock", ["scope", "instrument", "consumable"]
    )


def _reservation() -> None:
    op.create_table(
        "reservation",
        *map(_text, ("scope", "instrument", "consumable", "campaign_id")),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "scope", "instrument", "consumable", "campaign_id", name="pk_reservation"
        ),
        _of_campaign("reservation"),
    )
