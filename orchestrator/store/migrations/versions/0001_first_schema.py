"""The first schema: campaigns, the five records with their links, actions and events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table."""
    _campaign()
    _proposal()
    _sample()
    _measurement()
    _insight()
    _insight_source()
    _observation()
    _observation_source()
    _action()
    _event()


def _campaign() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("campaign_toml", sa.String(), nullable=False),
        sa.Column("campaign_source", sa.String(), nullable=False),
        sa.Column("laboratory_toml", sa.String(), nullable=False),
        sa.Column("laboratory_source", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
    )


def _proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("seed", sa.JSON(), nullable=False),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_proposal_campaign_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "number", name=op.f("pk_proposal")),
    )


def _sample() -> None:
    op.create_table(
        "sample",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "number"],
            ["proposal.campaign_id", "proposal.number"],
            name=op.f("fk_sample_campaign_id_number"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample")),
        sa.UniqueConstraint("campaign_id", "number", name=op.f("uq_sample_campaign_id_number")),
    )


def _measurement() -> None:
    op.create_table(
        "measurement",
        sa.Column("row", ROW_NUMBER, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.String(), nullable=False),
        sa.Column("technique", sa.String(), nullable=False),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("x", sa.String(), nullable=False),
        sa.Column("y", sa.String(), nullable=False),
        sa.Column("sigma", sa.String(), nullable=True),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "number"],
            ["proposal.campaign_id", "proposal.number"],
            name=op.f("fk_measurement_campaign_id_number"),
        ),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["sample.id"], name=op.f("fk_measurement_sample_id")
        ),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_measurement")),
        sa.UniqueConstraint("id", name=op.f("uq_measurement_id")),
    )
    op.create_index(
        op.f("ix_measurement_campaign_id_number"),
        "measurement",
        ["campaign_id", "number"],
        unique=False,
    )


def _insight() -> None:
    op.create_table(
        "insight",
        sa.Column("row", ROW_NUMBER, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("covariance", sa.String(), nullable=True),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "number"],
            ["proposal.campaign_id", "proposal.number"],
            name=op.f("fk_insight_campaign_id_number"),
        ),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_insight")),
        sa.UniqueConstraint("id", name=op.f("uq_insight_id")),
    )
    op.create_index(
        op.f("ix_insight_campaign_id_number"), "insight", ["campaign_id", "number"], unique=False
    )


def _insight_source() -> None:
    op.create_table(
        "insight_source",
        sa.Column("insight_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("measurement_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["insight_id"], ["insight.id"], name=op.f("fk_insight_source_insight_id")
        ),
        sa.ForeignKeyConstraint(
            ["measurement_id"], ["measurement.id"], name=op.f("fk_insight_source_measurement_id")
        ),
        sa.PrimaryKeyConstraint("insight_id", "position", name=op.f("pk_insight_source")),
    )


def _observation() -> None:
    op.create_table(
        "observation",
        sa.Column("row", ROW_NUMBER, nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "number"],
            ["proposal.campaign_id", "proposal.number"],
            name=op.f("fk_observation_campaign_id_number"),
        ),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_observation")),
        sa.UniqueConstraint(
            "campaign_id", "number", name=op.f("uq_observation_campaign_id_number")
        ),
    )


def _observation_source() -> None:
    op.create_table(
        "observation_source",
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("insight_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "number"],
            ["observation.campaign_id", "observation.number"],
            name=op.f("fk_observation_source_campaign_id_number"),
        ),
        sa.ForeignKeyConstraint(
            ["insight_id"], ["insight.id"], name=op.f("fk_observation_source_insight_id")
        ),
        sa.PrimaryKeyConstraint(
            "campaign_id", "number", "insight_id", name=op.f("pk_observation_source")
        ),
    )


def _action() -> None:
    op.create_table(
        "action",
        sa.Column("row", ROW_NUMBER, nullable=False),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("instrument", sa.String(), nullable=False),
        sa.Column("arguments", sa.String(), nullable=False),
        sa.Column("arguments_hash", sa.String(), nullable=False),
        sa.Column("intended", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled", sa.String(), nullable=True),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("consumed", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "number"],
            ["proposal.campaign_id", "proposal.number"],
            name=op.f("fk_action_campaign_id_number"),
        ),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_action")),
        sa.UniqueConstraint("command_id", name=op.f("uq_action_command_id")),
    )
    op.create_index(
        op.f("ix_action_campaign_id_number"), "action", ["campaign_id", "number"], unique=False
    )


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("row", ROW_NUMBER, nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_event_campaign_id")
        ),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_campaign_id"), "event", ["campaign_id"], unique=False)
