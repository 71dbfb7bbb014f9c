"""An analysis that tells nothing of what is wanted: another measurement, or another sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.insight import Insight, MeasurementRequest
from instruments.measurement import Measurement
from instruments.sample import Setting
from orchestrator.agreeing.disputes import disputes
from orchestrator.agreeing.resolving import Resolving, resolving
from orchestrator.failing.remedies import Remedy, remedy_for
from orchestrator.routing import combine
from orchestrator.run import Run

AGAIN = "/again"
"""Ends the id of what an agent said after a further measurement, with a number from the second."""

MORE = "-more"
"""Ends the name of a further measurement, likewise."""


def mark(word: str, times: int) -> str:
    """Return how a name ends after so many further measurements; nothing after none."""
    return "" if times == 0 else word if times == 1 else f"{word}{times}"


def times_in(name: str, word: str) -> int:
    """Return after how many further measurements a name was given."""
    _, found, number = name.rpartition(word)
    if not found or not (number.isdigit() or number == ""):
        return 0
    return int(number or 1)


def standing(rounds: Sequence[Sequence[Insight]]) -> list[Insight]:
    """Return what each agent said last, but if it then abstained, what it said before that.

    An agent that cannot read a further measurement need not take back what it read.

    Parameters
    ----------
    rounds : what all agents said, first before any further measurement, then after each.
    """
    last: dict[str, Insight] = {}
    for insights in rounds:
        for insight in insights:
            if insight.agent not in last or not insight.abstained:
                last[insight.agent] = insight
    return list(last.values())


@dataclass(frozen=True, slots=True)
class Further:
    """A further measurement of a sample.

    Attributes
    ----------
    index : which of the campaign's `plans` is taken.
    settings : setting → value.
    """

    index: int
    settings: Mapping[str, Setting]


def unclear(run: Run, insights: Sequence[Insight]) -> str | None:
    """Return why insights are of no use, None if they tell anything that is wanted."""
    wanted = run.campaign.objective.quantities
    if any(combine(quantity, insights) is not None for quantity in wanted):
        return None
    remarks = "; ".join(r for i in insights if i.abstained for r in i.remarks)
    return f"analysis failed: {remarks or 'no agent found what is wanted'}"


async def remedy_for_analysis(run: Run, number: int, why: str, *, measured_again: bool) -> Remedy:
    """Return what is to be done; a sample is measured once more at most."""
    remedy = await remedy_for(run, number, "analysis", why, occasion=int(measured_again))
    return "skip" if remedy == "measure_again" and measured_again else remedy


def further(
    run: Run,
    insights: Sequence[Insight],
    measurements: Sequence[Measurement] = (),
    *,
    seconds: float = math.inf,
) -> Further:
    """Return the measurement that is asked for, or else the campaign's first once more.

    A setting that the instrument does not accept as asked for stays as it was.

    Parameters
    ----------
    measurements, seconds : see `request`.
    """
    plans = run.campaign.plans
    asked = _asked(run, insights, measurements, seconds=seconds)
    index, asked_for = (asked.index, asked.request) if asked is not None else (0, None)
    capabilities = run.laboratory.describe(run.match.measurers[index])
    accepted = {
        name: value
        for name, value in (asked_for.settings if asked_for else {}).items()
        if (known := capabilities.setting(name)) is not None and known.fault(value) is None
    }
    return Further(index, {**plans[index].settings, **accepted})


def request(
    run: Run,
    insights: Sequence[Insight],
    measurements: Sequence[Measurement] = (),
    *,
    seconds: float = math.inf,
) -> MeasurementRequest | None:
    """Return the measurement that is wanted most, None if there is none.

    Where agents contradict each other it is the one that is expected to settle that soonest (see
    `orchestrator.agreeing.resolving`); else the one of most expected gain that an agent asks for,
    for a technique that the campaign has.

    Parameters
    ----------
    measurements : of the sample so far; without them, nothing is done about disputes.
    seconds : instrument time that is left for the sample.
    """
    asked = _asked(run, insights, measurements, seconds=seconds)
    return None if asked is None else asked.request


def _asked(
    run: Run,
    insights: Sequence[Insight],
    measurements: Sequence[Measurement],
    *,
    seconds: float,
) -> Resolving | None:
    found = disputes(insights, wanted=run.campaign.objective.quantities)
    settling = resolving(run, insights, measurements, found, seconds=seconds)
    if settling is not None:
        return settling
    techniques = [plan.technique for plan in run.campaign.measurements]
    asked = [i.next_measurement for i in insights if i.next_measurement is not None]
    fitting = [wanted for wanted in asked if wanted.technique in techniques]
    best = max(fitting, key=lambda wanted: wanted.expected_gain or 0.0, default=None)
    return None if best is None else Resolving(techniques.index(best.technique), best)
