"""Every table of a campaign, and the dictionary of their columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from orchestrator.export.experiment_table import experiments_table
from orchestrator.export.handover_table import handover_table
from orchestrator.export.table import Column, Exported
from orchestrator.store.records import CampaignRecord, Experiment, InsightSummary
from orchestrator.store.storage_records import Handover


def tables(
    record: CampaignRecord, experiments: Sequence[Experiment], handovers: Sequence[Handover] = ()
) -> list[Exported]:
    """Return every table of a campaign; the last one describes the columns of the others."""
    found = [
        experiments_table(record, experiments),
        _long_table(_ESTIMATES, experiments, _estimates),
        _long_table(_PROBABILITIES, experiments, _probabilities),
        _long_table(_QUALITY, experiments, _quality),
        _long_table(_READINGS, experiments, _readings),
        handover_table(handovers),
    ]
    return [*found, _dictionary(found)]


_INSIGHT = (
    Column("number", "", "number of the experiment"),
    Column("insight_id", "", "the insight"),
    Column("agent", "", "the agent that gave it"),
)

_ESTIMATES = Exported(
    "estimates",
    "Everything the agents estimated",
    (
        *_INSIGHT,
        Column("quantity", "", "what was estimated"),
        Column("value", "", "in the unit of the same row"),
        Column("std", "", "standard deviation of the value; empty if unknown"),
        Column("unit", "", "unit of value and std"),
        Column("p_wrong", "", "probability that the insight as a whole is wrong"),
        Column("novelty", "", "0: like what the agent knows; 1: unlike anything"),
    ),
    (),
)

_PROBABILITIES = Exported(
    "class_probabilities",
    "How probable the agents hold each answer to their questions",
    (
        *_INSIGHT,
        Column("question", "", "what was asked"),
        Column("answer", "", "one possible answer"),
        Column("probability", "", "sums to 1 over the answers"),
    ),
    (),
)

_QUALITY = Exported(
    "insights",
    "One row for each figure of merit of an insight, and one without for an insight that has none",
    (
        *_INSIGHT,
        Column("abstained", "", "the agent declined"),
        Column("figure", "", "name of the figure of merit"),
        Column("value", "", "its value"),
        Column("remarks", "", "sentences for a person"),
    ),
    (),
)

_READINGS = Exported(
    "readings",
    "Single numbers the instruments reported by themselves",
    (
        Column("number", "", "number of the experiment"),
        Column("measurement_id", "", "the measurement"),
        Column("technique", "", "technique of the measurement"),
        Column("reading", "", "what was read"),
        Column("value", "", "in the unit of the same row"),
        Column("std", "", "standard deviation of the value; empty if unknown"),
        Column("unit", "", "unit of value and std"),
    ),
    (),
)


def _long_table(
    empty: Exported,
    experiments: Iterable[Experiment],
    rows: Callable[[Experiment], Iterable[tuple[Any, ...]]],
) -> Exported:
    """Return `empty` filled with a row for each tuple that `rows` gives."""
    names = [column.name for column in empty.columns]
    records = tuple(
        dict(zip(names, row, strict=True)) for experiment in experiments for row in rows(experiment)
    )
    return Exported(empty.name, empty.title, empty.columns, records)


def _of(experiment: Experiment, insight: InsightSummary) -> tuple[int, str, str]:
    return experiment.number, insight.id, insight.agent


def _estimates(experiment: Experiment) -> Iterable[tuple[Any, ...]]:
    for insight in experiment.insights:
        for key, estimate in insight.estimates.items():
            number = (key, estimate.value, estimate.std, estimate.unit)
            yield *_of(experiment, insight), *number, insight.p_wrong, insight.novelty


def _probabilities(experiment: Experiment) -> Iterable[tuple[Any, ...]]:
    for insight in experiment.insights:
        for question, answers in insight.class_probabilities.items():
            for answer, probability in answers.items():
                yield *_of(experiment, insight), question, answer, probability


def _quality(experiment: Experiment) -> Iterable[tuple[Any, ...]]:
    for insight in experiment.insights:
        remarks = " ".join(insight.remarks) or None
        for figure, value in insight.quality.items() or [(None, None)]:
            yield *_of(experiment, insight), insight.abstained, figure, value, remarks


def _readings(experiment: Experiment) -> Iterable[tuple[Any, ...]]:
    for measured in experiment.measurements:
        for name, reading in measured.readings.items():
            which = (experiment.number, measured.id, measured.technique)
            yield *which, name, reading.value, reading.std, reading.unit


def _dictionary(described: Iterable[Exported]) -> Exported:
    """Return the table that says what the columns of the other tables mean."""
    columns = (
        Column("table", "", "name of the table"),
        Column("column", "", "name of the column"),
        Column("unit", "", "its unit; empty if it has none"),
        Column("description", "", "what it means"),
    )
    records = tuple(
        {
            "table": table.name,
            "column": column.name,
            "unit": column.unit,
            "description": column.description,
        }
        for table in described
        for column in table.columns
    )
    return Exported("columns", "What the columns of the other tables mean", columns, records)
