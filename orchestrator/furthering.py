"""Further measurements: what agents ask for, within what the campaign allows for a sample.

They are measured like any other, through the journal, and read together with those before. Their
time is part of the experiment's cost and of the campaign's hours.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from analysis.insight import Insight
from instruments.commands import Measure
from instruments.errors import CommandRefused
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.acting.again import asked_again, further_ones
from orchestrator.acting.weighing import weighs, worth_measuring
from orchestrator.agreeing.noting import leave_open, note_disputes
from orchestrator.failing.clearing import (
    Further,
    further,
    remedy_for_analysis,
    request,
    standing,
    unclear,
)
from orchestrator.failing.remedies import StepFailed
from orchestrator.measuring import measure_once
from orchestrator.run import Run

logger = logging.getLogger(__name__)

Analyze = Callable[[Run, int, list[Measurement]], Awaitable[list[Insight]]]
"""The verb `analyze`, as a turn calls it."""


async def cleared(
    run: Run, number: int, sample: Sample, measurements: Sequence[Measurement], analyze: Analyze
) -> list[Insight]:
    """Return what the agents say, after the further measurements that pay or were asked for.

    One more is taken if they tell nothing of what is wanted and that is the remedy; of a sample
    that was measured before, what was known then stands.

    Raises
    ------
    StepFailed
        They tell nothing, and another remedy is to be taken.
    """
    taken = list(measurements)
    rounds = [await analyze(run, number, taken)]
    while (more := await measured_further(run, number, sample, rounds[-1], taken)) is not None:
        taken.append(more)
        rounds.append(await analyze(run, number, taken))
    measured_again = False
    while (why := unclear(run, standing(rounds))) is not None:
        if asked_again(run, number) is not None:
            break
        remedy = await remedy_for_analysis(run, number, why, measured_again=measured_again)
        if remedy == "skip":
            break
        if remedy != "measure_again":
            raise StepFailed(why, cause="analysis", remedy=remedy)
        wanted, times = further(run, rounds[-1]), len(taken) - len(measurements) + 1
        taken.append(
            await measure_once(run, number, sample, wanted.index, more=wanted.settings, times=times)
        )
        rounds.append(await analyze(run, number, taken))
        measured_again = True
    return standing(rounds)


async def measured_further(
    run: Run,
    number: int,
    sample: Sample,
    insights: Sequence[Insight],
    measurements: Sequence[Measurement],
) -> Measurement | None:
    """Return the further measurement that settles a dispute of agents, or that one asks for.

    None where the campaign's `further` does not allow it, or the instrument refuses it or fails:
    what the agents said before then stands. Disputes are written down as they come and go.

    In a campaign with ``[actions]`` the planner decides once something of what is wanted is known,
    by what each further measurement is worth; what agents ask for is then offered to it.

    Parameters
    ----------
    measurements : of the sample so far.
    """
    taken = further_ones(run, number, measurements)
    found = note_disputes(run, number, insights, first=not taken)
    more = await _measured(run, number, sample, insights, measurements, taken)
    if more is None:
        leave_open(run, number, found)
    return more


async def _measured(
    run: Run,
    number: int,
    sample: Sample,
    insights: Sequence[Insight],
    measurements: Sequence[Measurement],
    taken: Sequence[Measurement],
) -> Measurement | None:
    if len(taken) >= run.campaign.further.most:
        return None
    left = _seconds_left(run, taken)
    if weighs(run) and unclear(run, insights) is None:
        wanted = await worth_measuring(
            run,
            number,
            sample,
            insights,
            measurements[len(run.campaign.measurements) :],
            asked=request(run, insights, measurements, seconds=left),
            forbidden=lambda one: _forbidden(run, sample, one, left),
        )
    else:
        wanted = _asked_for(run, number, sample, insights, measurements, left)
    if wanted is None:
        return None
    try:
        return await measure_once(
            run, number, sample, wanted.index, more=wanted.settings, times=len(taken) + 1
        )
    except StepFailed as failed:
        logger.warning("further measurement failed sample=%s: %s", sample.id, failed)
        return None


def _asked_for(
    run: Run,
    number: int,
    sample: Sample,
    insights: Sequence[Insight],
    measurements: Sequence[Measurement],
    left: float,
) -> Further | None:
    """Return the further measurement that is asked for, None if there is none to take.

    Parameters
    ----------
    left : instrument time [s] that is left for the sample.
    """
    asked = request(run, insights, measurements, seconds=left)
    if asked is None or run.campaign.further.seconds == 0:  # never allowed, so nothing to tell
        return None
    wanted = further(run, insights, measurements, seconds=left)
    if why := _forbidden(run, sample, wanted, left):
        run.tell(number, "measure", "failed", f"a further measurement was asked for, but {why}")
        logger.info("further measurement declined sample=%s: %s", sample.id, why)
        return None
    run.tell(number, "measure", "started", f"a further one: {asked.reason}")
    return wanted


def _seconds_left(run: Run, taken: Sequence[Measurement]) -> float:
    allowed = run.campaign.further.seconds
    return allowed - sum((m.finished - m.started).total_seconds() for m in taken)


def _forbidden(run: Run, sample: Sample, wanted: Further, left: float) -> str | None:
    """Return why a further measurement is not taken, None if nothing speaks against it."""
    if left <= 0:
        return f"the campaign's {run.campaign.further.seconds:g} s for this sample are spent"
    order = Measure(
        measurement_id=f"{sample.id}/further", sample=sample, settings=dict(wanted.settings)
    )
    try:
        seconds = run.laboratory.check(run.match.measurers[wanted.index], order).seconds
    except CommandRefused as error:
        return str(error)
    if seconds > left:
        return f"it takes {seconds:.0f} s, and {left:.0f} s are left for this sample"
    return None
