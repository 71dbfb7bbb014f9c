"""Records ⇄ rows: the door of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from analysis.insight import Curve, Insight
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.store.arrays import ArrayFiles
from orchestrator.store.codec import (
    Json,
    insight_from_json,
    insight_to_json,
    measurement_from_json,
    measurement_to_json,
    plain,
    restored,
)
from orchestrator.store.records import (
    ActionRecord,
    CampaignRecord,
    Event,
    InsightSummary,
    MeasurementSummary,
)
from planners.proposal import Observation, Proposal

AnyRow = Row[Any]


def now() -> datetime:
    """Return the wall-clock time in UTC."""
    return datetime.now(UTC)


def campaign_row(record: CampaignRecord) -> Json:
    """Return the row of a campaign."""
    return {**asdict(record), "versions": plain(record.versions), "config": plain(record.config)}


def campaign_record(row: AnyRow) -> CampaignRecord:
    """Return the campaign of a row."""
    values = dict(row._mapping)
    return CampaignRecord(**{**values, "config": restored(values["config"])})


def proposal_row(
    campaign_id: str,
    number: int,
    proposal: Proposal,
    seed: list[int],
    *,
    told: int | None = None,
    pending: Sequence[int] = (),
) -> Json:
    """Return the row of a proposal."""
    return {
        "campaign_id": campaign_id,
        "number": number,
        "contents": proposal.model_dump(mode="json"),
        "seed": seed,
        "told": told,
        "pending": list(pending),
        "recorded": now(),
    }


def sample_row(campaign_id: str, number: int, sample: Sample) -> Json:
    """Return the row of a sample."""
    return {
        "id": sample.id,
        "campaign_id": campaign_id,
        "number": number,
        "contents": sample.model_dump(mode="json", exclude={"id"}),
        "recorded": now(),
    }


def sample_record(row: AnyRow) -> Sample:
    """Return the sample of a row."""
    return Sample.model_validate({"id": row.id, **row.contents})


def measurement_row(
    campaign_id: str, number: int, measurement: Measurement, arrays: ArrayFiles, *, durable: bool
) -> Json:
    """Write the arrays of a measurement and return its row."""
    sigma = measurement.sigma
    return {
        "id": measurement.id,
        "campaign_id": campaign_id,
        "number": number,
        "sample_id": measurement.sample_id,
        "technique": measurement.technique,
        "contents": measurement_to_json(measurement),
        "x": arrays.write(measurement.x, durable=durable),
        "y": arrays.write(measurement.y, durable=durable),
        "sigma": None if sigma is None else arrays.write(sigma, durable=durable),
        "recorded": now(),
    }


def measurement_summary(row: AnyRow) -> MeasurementSummary:
    """Return the measurement of a row without its arrays."""
    return measurement_from_json(
        row.contents, measurement_id=row.id, sample_id=row.sample_id, technique=row.technique
    )


def measurement_record(row: AnyRow, arrays: ArrayFiles) -> Measurement:
    """Return the measurement of a row with its arrays, verified."""
    known = {name: getattr(measurement_summary(row), name) for name in _SUMMARISED}
    return Measurement(
        x=arrays.read(row.x),
        y=arrays.read(row.y),
        sigma=None if row.sigma is None else arrays.read(row.sigma),
        **known,
    )


_SUMMARISED = tuple(name for name in MeasurementSummary.__slots__ if name != "n_points")


def insight_row(
    campaign_id: str, number: int, insight: Insight, arrays: ArrayFiles, *, durable: bool
) -> Json:
    """Write the arrays of an insight and return its row."""
    covariance = insight.covariance
    evidence = {
        name: _curve_row(curve, arrays, durable=durable) for name, curve in insight.evidence.items()
    }
    return {
        "id": insight.id,
        "campaign_id": campaign_id,
        "number": number,
        "agent": insight.agent,
        "contents": {
            **insight_to_json(insight),
            "measurement_ids": list(insight.measurement_ids),
            "evidence": evidence,
        },
        "covariance": None if covariance is None else arrays.write(covariance, durable=durable),
        "recorded": now(),
    }


def insight_summary(row: AnyRow) -> InsightSummary:
    """Return the insight of a row without its arrays."""
    return insight_from_json(
        row.contents,
        insight_id=row.id,
        agent=row.agent,
        measurement_ids=tuple(row.contents["measurement_ids"]),
    )


def insight_record(row: AnyRow, arrays: ArrayFiles) -> Insight:
    """Return the insight of a row with its arrays, verified."""
    summary = insight_summary(row)
    known = {name: getattr(summary, name) for name in InsightSummary.__slots__}
    known["evidence"] = {
        name: _curve(contents, arrays) for name, contents in row.contents["evidence"].items()
    }
    known["covariance"] = None if row.covariance is None else arrays.read(row.covariance)
    return Insight(**known)


def observation_row(campaign_id: str, number: int, observation: Observation) -> Json:
    """Return the row of an observation."""
    return {
        "campaign_id": campaign_id,
        "number": number,
        "contents": observation.model_dump(mode="json"),
        "failed": observation.failed,
        "recorded": now(),
    }


def action_row(action: ActionRecord) -> Json:
    """Return the row of an action."""
    values = {name: getattr(action, name) for name in ActionRecord.__slots__}
    return {**values, "consumed": plain(action.consumed)}


def action_record(row: AnyRow) -> ActionRecord:
    """Return the action of a row."""
    values = dict(row._mapping)
    del values["row"]
    return ActionRecord(**{**values, "consumed": restored(values["consumed"])})


def event_record(row: AnyRow) -> Event:
    """Return the event of a row."""
    return Event(kind=row.kind, message=row.message, number=row.number, at=row.at)


def _curve_row(curve: Curve, arrays: ArrayFiles, *, durable: bool) -> Json:
    columns = {name: arrays.write(y, durable=durable) for name, y in curve.columns.items()}
    return {
        "x": arrays.write(curve.x, durable=durable),
        "x_name": curve.x_name,
        "x_unit": curve.x_unit,
        "y_unit": curve.y_unit,
        "columns": columns,
    }


def _curve(contents: Json, arrays: ArrayFiles) -> Curve:
    return Curve(
        x=arrays.read(contents["x"]),
        x_name=contents["x_name"],
        x_unit=contents["x_unit"],
        y_unit=contents["y_unit"],
        columns={name: arrays.read(column) for name, column in contents["columns"].items()},
    )
