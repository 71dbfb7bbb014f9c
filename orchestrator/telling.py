"""What happens in the loop, in the words of whoever watches it."""

from __future__ import annotations

from analysis.insight import Insight
from instruments.commands import Outcome
from instruments.measurement import Measurement
from orchestrator.acting.words import again_in_words
from orchestrator.run import Run
from planners.parameters import Value
from planners.proposal import Observation, Proposal

LONGEST_ERROR = 300
"""Characters of somebody else's error that are kept."""


def in_words(run: Run, values: dict[str, Value]) -> str:
    """Return a point for a person: ``temperature 640 degC, dwell 2 h``."""
    parts = []
    for name, value in values.items():
        unit = run.campaign.space.parameter(name).unit
        shown = value if isinstance(value, str) else f"{value:.4g}"
        parts.append(f"{name} {shown} {unit}".rstrip())
    return ", ".join(parts)


def proposal_in_words(run: Run, proposal: Proposal) -> str:
    """Return what is to be done for a person: a point, or a sample that is measured again."""
    if proposal.measure_again is not None:
        return again_in_words(proposal.measure_again, run.campaign)
    return in_words(run, proposal.values)


def outcome_in_words(run: Run, observation: Observation) -> str:
    """Return what an experiment told for a person, e.g. ``rutile 0.31 ± 0.01``."""
    if observation.failed:
        return observation.failure
    parts = []
    for quantity in run.campaign.objective.quantities:
        name = " ".join(reversed(quantity.split(".")[1:])) or quantity
        value, std = observation.outcomes.get(quantity), observation.stds.get(quantity)
        if value is None:
            parts.append(f"{name} unknown")
        else:
            parts.append(f"{name} {value:.4g}" + (f" ± {std:.2g}" if std is not None else ""))
    return ", ".join(parts)


def insight_in_words(run: Run, insight: Insight) -> str:
    """Return what an agent says of the wanted quantities, or why it declines."""
    if insight.abstained:
        return f"{insight.agent} abstains: {insight.remarks[0]}"
    wanted = [q for q in run.campaign.objective.quantities if q in insight.estimates]
    return ", ".join(f"{q.rpartition('.')[2]} {insight.estimates[q]}" for q in wanted)


def measurement_in_words(measurement: Measurement) -> str:
    """Return how much was measured: ``3001 points, two_theta up to 80``."""
    if measurement.n_points:
        return f"{measurement.n_points} points, {measurement.x_name} up to {measurement.x[-1]:g}"
    return ", ".join(f"{k} = {r.value:.4g} {r.unit}" for k, r in measurement.readings.items())


def why_it_failed(outcome: Outcome) -> str:
    """Return why an outcome is of no use."""
    if isinstance(outcome.value, Measurement):
        return f"the data are spoilt: {', '.join(outcome.value.flags)}"
    return f"{outcome.fault or outcome.settled}: {outcome.error}"


def in_one_line(error: BaseException) -> str:
    """Return what an error of foreign code says, short enough for a table."""
    return shortened(f"{type(error).__name__}: {error}".strip().rstrip(":"))


def shortened(text: str) -> str:
    """Return a text on one line, cut where it is too long for a table."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_ERROR else line[: LONGEST_ERROR - 1] + "…"
