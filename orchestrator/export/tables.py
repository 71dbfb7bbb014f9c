"""Tables of a campaign, each with a dictionary of its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator.store.records import CampaignRecord, Experiment, InsightSummary

if TYPE_CHECKING:
    import pandas as pd

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a table means.

    Attributes
    ----------
    unit : empty if the column has none or none is known.
    """

    name: str
    unit: str
    description: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A table ready to be written.

    Attributes
    ----------
    columns : every column in order; the keys of `records` are among them.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    records: tuple[Record, ...] = field(repr=False)

    def frame(self) -> pd.DataFrame:
        """Return the table; a column that mixes numbers and words holds words."""
        import pandas as pd

        names = [column.name for column in self.columns]
        frame = pd.DataFrame.from_records(list(self.records), columns=names)
        for name in names:
            if any(isinstance(value, str) for value in frame[name]):
                frame[name] = [None if pd.isna(value) else str(value) for value in frame[name]]
        return frame


def tables(record: CampaignRecord, experiments: Sequence[Experiment]) -> list[Exported]:
    """Return every table of a campaign; the last one describes the columns of the others."""
    found = [
        experiments_table(record, experiments),
        _long_table(_ESTIMATES, experiments, _estimates),
        _long_table(_PROBABILITIES, experiments, _probabilities),
        _long_table(_QUALITY, experiments, _quality),
        _long_table(_READINGS, experiments, _readings),
    ]
    return [*found, _dictionary(found)]


def experiments_table(record: CampaignRecord, experiments: Sequence[Experiment]) -> Exported:
    """Return one row an experiment: what was asked, made, predicted and found."""
    records = tuple(_experiment(experiment) for experiment in experiments)
    units = _units(record, experiments)
    known = {column.name: column for column in _EXPERIMENT}
    present = dict.fromkeys(name for row in records for name in row)
    variable = sorted(
        (name for name in present if name not in known),
        key=lambda name: list(_PREFIXES).index(name.partition(".")[0]),
    )
    columns = [_EXPERIMENT[0], *(_variable(name, units) for name in variable), *_EXPERIMENT[1:]]
    return Exported("experiments", "One row for each experiment", tuple(columns), records)


_EXPERIMENT = (
    Column("number", "", "number of the experiment in its campaign"),
    Column("p_wrong", "", "probability that the analysis behind the outcomes is wrong altogether"),
    Column("failed", "", "the experiment gave no outcome; empty while it is under way"),
    Column("failure", "", "why it failed"),
    Column("cost", "", "what it cost, in the currency of the laboratory"),
    Column("planner", "", "name of the planner that chose the point"),
    Column("reason", "", "why it was chosen"),
    Column("acquisition", "", "name of the acquisition function"),
    Column("acquisition_value", "", "its value at the point; a logarithm where it is one"),
    Column("sample_id", "", "the sample that was made"),
    Column("made_by", "", "instrument that made it"),
    Column("simulated", "", "no matter was moved"),
    Column("synthesis_started", "", "laboratory time, virtual on a twin"),
    Column("synthesis_finished", "", "laboratory time, virtual on a twin"),
    Column("measured_until", "", "laboratory time at the end of the last measurement"),
    Column("recorded", "", "wall-clock time at which the proposal was recorded"),
    Column("completed", "", "wall-clock time at which the observation was recorded"),
)

_PREFIXES = {
    "setting": "setting as proposed: {}",
    "made": "setting as executed: {}",
    "outcome": "{} as the planner was told",
    "std": "standard deviation of {}; empty if unknown",
    "predicted_mean": "{} as predicted before the experiment",
    "predicted_std": "standard deviation of the noise-free prediction of {}",
    "consumed": "amount consumed of {}",
}


def _experiment(experiment: Experiment) -> Record:
    reason = experiment.proposal.reason
    row: Record = {
        "number": experiment.number,
        "planner": reason.planner,
        "reason": reason.text,
        "acquisition": reason.acquisition,
        "acquisition_value": reason.acquisition_value,
        "recorded": experiment.started,
        "completed": experiment.finished,
        **_prefixed("setting", experiment.proposal.values),
    }
    for quantity, prediction in reason.predicted.items():
        row[f"predicted_mean.{quantity}"] = prediction.mean
        row[f"predicted_std.{quantity}"] = prediction.std
    return row | _made(experiment) | _found(experiment)


def _made(experiment: Experiment) -> Record:
    sample = experiment.sample
    if sample is None:
        return {}
    ends = [measurement.finished for measurement in experiment.measurements]
    return {
        "sample_id": sample.id,
        "made_by": sample.made_by,
        "simulated": sample.simulated,
        "synthesis_started": sample.started,
        "synthesis_finished": sample.finished,
        "measured_until": max(ends, default=None),
        **_prefixed("made", sample.recipe),
        **_prefixed("consumed", sample.consumed),
    }


def _found(experiment: Experiment) -> Record:
    observation = experiment.observation
    if observation is None:
        return {}
    return {
        "p_wrong": None if observation.failed else observation.p_wrong,
        "failed": observation.failed,
        "failure": observation.failure or None,
        "cost": observation.cost,
        **_prefixed("outcome", observation.outcomes),
        **_prefixed("std", observation.stds),
    }


def _prefixed(prefix: str, values: Mapping[str, Any]) -> Record:
    return {f"{prefix}.{name}": value for name, value in values.items()}


def _variable(name: str, units: Mapping[str, str]) -> Column:
    prefix, _, quantity = name.partition(".")
    unit = "" if prefix == "consumed" else units.get(quantity, "")
    return Column(name, unit, _PREFIXES[prefix].format(quantity))


def _units(record: CampaignRecord, experiments: Iterable[Experiment]) -> dict[str, str]:
    """Return setting or quantity → unit, from the search space, the samples and the insights."""
    units: dict[str, str] = {}
    for parameter in record.config.get("space", {}).get("parameters", ()):
        for name in parameter.get("components") or [parameter.get("name", "")]:
            units[name] = parameter.get("unit", "")
    for experiment in experiments:
        if experiment.sample is not None:
            units.update(experiment.sample.units)
        for insight in experiment.insights:
            units.update({key: estimate.unit for key, estimate in insight.estimates.items()})
    return units


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
