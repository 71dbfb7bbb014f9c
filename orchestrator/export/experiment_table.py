"""The table of experiments: what was asked, made, predicted and found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.export.table import Column, Exported, Record
from orchestrator.store.records import CampaignRecord, Experiment


def experiments_table(record: CampaignRecord, experiments: Sequence[Experiment]) -> Exported:
    """Return one row an experiment: what was asked, made, predicted and found."""
    later = {e.observation.supersedes: e.number for e in experiments if e.observation is not None}
    records = tuple(_experiment(e) | {"superseded_by": later.get(e.number)} for e in experiments)
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
    Column("measures_again", "", "experiment whose sample was measured again; empty: a new one"),
    Column("supersedes", "", "experiment whose outcomes these replace, of the same sample"),
    Column("superseded_by", "", "later experiment whose outcomes replace these"),
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
    reason, again = experiment.proposal.reason, experiment.proposal.measure_again
    row: Record = {
        "number": experiment.number,
        "planner": reason.planner,
        "reason": reason.text,
        "acquisition": reason.acquisition,
        "acquisition_value": reason.acquisition_value,
        "measures_again": None if again is None else again.experiment,
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
        "supersedes": observation.supersedes,
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
