"""Experiments put together from their rows, without touching an array."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, Table, bindparam, select

from orchestrator.store import rows
from orchestrator.store.records import Experiment
from orchestrator.store.tables import INSIGHT, MEASUREMENT, OBSERVATION, PROPOSAL, SAMPLE
from planners.proposal import Observation, Proposal

T = TypeVar("T")


def assemble(
    connection: Connection, campaign_id: str, *, number: int | None = None
) -> list[Experiment]:
    """Return a campaign's experiments by number, or the one with that number."""
    which = {"campaign_id": campaign_id} | ({} if number is None else {"number": number})

    def found(table: Table) -> list[Row[Any]]:
        return list(connection.execute(_query(table, only_one=number is not None), which))

    samples = {row.number: rows.sample_record(row) for row in found(SAMPLE)}
    observations = {row.number: row for row in found(OBSERVATION)}
    measurements = _grouped(found(MEASUREMENT), rows.measurement_summary)
    insights = _grouped(found(INSIGHT), rows.insight_summary)
    return [
        _experiment(
            row,
            observations.get(row.number),
            sample=samples.get(row.number),
            measurements=tuple(measurements[row.number]),
            insights=tuple(insights[row.number]),
        )
        for row in found(PROPOSAL)
    ]


@cache
def _query(table: Table, *, only_one: bool) -> Select[Any]:
    """Return the rows of a campaign, or of one experiment, in order; built once."""
    query = select(table).where(table.c.campaign_id == bindparam("campaign_id"))
    if only_one:
        query = query.where(table.c.number == bindparam("number"))
    return query.order_by(table.c.row if "row" in table.c else table.c.number)


def _grouped(found: list[Row[Any]], convert: Callable[[Row[Any]], T]) -> dict[int, list[T]]:
    groups: dict[int, list[T]] = defaultdict(list)
    for row in found:
        groups[row.number].append(convert(row))
    return groups


def _experiment(proposal: Row[Any], observation: Row[Any] | None, **parts: Any) -> Experiment:
    return Experiment(
        number=proposal.number,
        proposal=Proposal.model_validate(proposal.contents),
        seed=tuple(proposal.seed),
        observation=Observation.model_validate(observation.contents) if observation else None,
        started=proposal.recorded,
        finished=observation.recorded if observation else None,
        told=proposal.told,
        pending=tuple(proposal.pending or ()),
        **parts,
    )
