"""The further measurement that is expected to settle a dispute for the least instrument time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.insight import Insight, MeasurementRequest
from instruments.commands import Measure
from instruments.errors import CommandRefused
from instruments.measurement import Measurement
from instruments.sample import Sample, Setting
from orchestrator.agreeing.disputes import Dispute
from orchestrator.agreeing.expecting import doubt_after
from orchestrator.agreeing.statements import UNTOLD, said_wrong
from orchestrator.campaign import MeasurementPlan
from orchestrator.run import Run

LONGER = 2.0
"""Factor by which counting times grow where a measurement is taken once more, so that an agent that
reads the best of several reads the new one."""

LEAST_GAIN = 0.05
"""Reduction of the probability of being wrong below which no measurement is worth its time."""


SHORTEST = 1.0
"""Instrument time [s] that a measurement counts for at least."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A measurement that may settle a dispute.

    Attributes
    ----------
    index : which of the campaign's `plans` it is.
    settings : setting → value.
    what : for a person, such as ``xrd once more``.
    p_wrong : probability of being wrong that is expected afterwards.
    """

    index: int
    settings: Mapping[str, Setting]
    what: str
    p_wrong: float


@dataclass(frozen=True, slots=True)
class Resolving:
    """The measurement chosen to settle a dispute.

    Attributes
    ----------
    index : which of the campaign's `plans` it is.
    request : its settings, why it is asked for and what it promises.
    """

    index: int
    request: MeasurementRequest


def resolving(
    run: Run,
    insights: Sequence[Insight],
    measurements: Sequence[Measurement],
    found: Sequence[Dispute],
    *,
    seconds: float,
) -> Resolving | None:
    """Return the measurement of most expected reduction of doubt per second, None if none helps.

    Candidates are what the agents ask for, each measurement of the campaign once more with twice
    the counting time, and those that the campaign keeps for disputes. A measurement that nobody has
    read yet settles the dispute unless it is itself wrong, and so leaves the doubt times the doubt
    of who reads it. What a repeat leaves, `doubt_after` tells; an agent that promises a smaller
    doubt afterwards is believed in proportion. Each is repeated once at most, since a dispute that
    outlives it has another cause.

    Parameters
    ----------
    measurements : of the sample so far.
    found : disputes to be settled; the first decides.
    seconds : instrument time that is left for the sample.
    """
    if not found or not measurements:
        return None
    doubt, worth = found[0].p_wrong, dict[float, Candidate]()
    for candidate in _candidates(run, insights, measurements, found[0]):
        takes = _seconds(run, candidate, measurements)
        gain = doubt - candidate.p_wrong
        if takes is not None and takes <= seconds and gain >= LEAST_GAIN:
            worth.setdefault(gain / max(takes, SHORTEST), candidate)
    return _chosen(run, worth[max(worth)], found[0]) if worth else None


def _chosen(run: Run, candidate: Candidate, dispute: Dispute) -> Resolving:
    asked = MeasurementRequest(
        technique=run.campaign.plans[candidate.index].technique,
        settings=candidate.settings,
        reason=(
            f"agents disagree on {dispute.sentence}; {candidate.what} is expected to leave "
            f"{candidate.p_wrong:.0%}"
        ),
        expected_gain=dispute.p_wrong - candidate.p_wrong,
        p_wrong=candidate.p_wrong,
    )
    return Resolving(candidate.index, asked)


def _candidates(
    run: Run, insights: Sequence[Insight], measurements: Sequence[Measurement], dispute: Dispute
) -> Iterator[Candidate]:
    for index, plan in enumerate(run.campaign.plans):
        taken = [m.id for m in measurements if _is_of(m, plan.technique, index)]
        if not taken:
            what = f"{plan.technique}, not yet measured,"
            yield Candidate(index, plan.settings, what, dispute.p_wrong * UNTOLD)
        elif len(taken) == 1:
            after = min(doubt_after(dispute.about, insights, again=taken), dispute.p_wrong)
            yield Candidate(index, _longer(run, index, plan), f"{plan.technique} once more", after)
            yield from _asked_for(run, index, plan, insights, doubt=dispute.p_wrong, again=after)


def _asked_for(
    run: Run,
    index: int,
    plan: MeasurementPlan,
    insights: Sequence[Insight],
    *,
    doubt: float,
    again: float,
) -> Iterator[Candidate]:
    """Yield what agents ask for of a measurement; a setting that is refused stays as it was."""
    capabilities = run.laboratory.describe(run.match.measurers[index])
    for insight in insights:
        asked = insight.next_measurement
        if asked is None or asked.technique != plan.technique:
            continue
        accepted = {
            name: value
            for name, value in asked.settings.items()
            if (known := capabilities.setting(name)) is not None and known.fault(value) is None
        }
        after = again
        if asked.p_wrong is not None and (before := said_wrong(insight)) > 0:
            after = min(again, doubt * min(asked.p_wrong / before, 1.0))
        what = f"{plan.technique} as {insight.agent} asks for it"
        yield Candidate(index, {**plan.settings, **accepted}, what, after)


def _is_of(measurement: Measurement, technique: str, index: int) -> bool:
    """Whether a measurement is one of the campaign's, first or repeated."""
    stem = measurement.id.rpartition("/")[0].removeprefix(f"{measurement.sample_id}/")
    return stem == f"{technique}-{index}" or stem.startswith(f"{technique}-{index}-")


def _longer(run: Run, index: int, plan: MeasurementPlan) -> dict[str, Setting]:
    """Return a plan's settings with every counting time longer, as far as the instrument goes."""
    capabilities = run.laboratory.describe(run.match.measurers[index])
    settings = capabilities.completed(plan.settings)
    for accepted in capabilities.accepts:
        value = settings.get(accepted.name)
        if accepted.unit == "s" and isinstance(value, int | float):
            settings[accepted.name] = min(LONGER * value, accepted.high or LONGER * value)
    return settings


def _seconds(run: Run, candidate: Candidate, measurements: Sequence[Measurement]) -> float | None:
    """Return how long a candidate takes [s]; None if the instrument refuses it."""
    last = measurements[-1]
    sample = Sample(
        id=last.sample_id,
        number=0,
        recipe={},
        made_by="",
        simulated=True,
        started=last.started,
        finished=last.finished,
    )
    order = Measure(measurement_id="resolving", sample=sample, settings=dict(candidate.settings))
    try:
        return run.laboratory.check(run.match.measurers[candidate.index], order).seconds
    except CommandRefused:
        return None
