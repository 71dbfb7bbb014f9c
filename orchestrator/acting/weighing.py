"""The inner loop: while a sample lies in the instrument, is another measurement of it worth it?

The planner answers, as it does between experiments and in the same currency: what is known of the
sample so far is its last observation, and the options are further measurements of it. It is told
what it knew when it proposed the experiment, so a turn that is taken up again decides alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from analysis.insight import Insight, MeasurementRequest
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.acting.again import plan_of
from orchestrator.acting.current import current, latest
from orchestrator.acting.executed import so_far
from orchestrator.acting.options import Priced, as_offer, candidates, fitting, priced, times_taken
from orchestrator.acting.prices import made_so_far
from orchestrator.beside import beside
from orchestrator.deciding.choosing import not_offered, weigh
from orchestrator.failing.clearing import Further
from orchestrator.run import Run
from orchestrator.store.records import Experiment
from orchestrator.telling import in_one_line
from orchestrator.trust.applying import retold
from planners.actions.protocols import ActionAware
from planners.actions.records import MeasureAgain, Offer
from planners.errors import NothingLeftToPropose
from planners.proposal import Observation, Proposal

logger = logging.getLogger(__name__)

EVENT = "weighed"
"""Kind of the event that tells why a further measurement was taken, or not."""

Forbidden = Callable[[Further], str | None]
"""Tells why a further measurement cannot be taken, None if it can."""


def weighs(run: Run) -> bool:
    """Return whether the planner is asked about further measurements, rather than the agents."""
    return run.campaign.actions is not None and isinstance(run.match.planner, ActionAware)


async def worth_measuring(
    run: Run,
    number: int,
    sample: Sample,
    insights: Sequence[Insight],
    beyond: Sequence[Measurement],
    *,
    asked: MeasurementRequest | None,
    forbidden: Forbidden,
) -> Further | None:
    """Return the further measurement that the planner chooses, None if it goes on without.

    Parameters
    ----------
    insights : what agents read so far; something of what is wanted.
    beyond : measurements of the sample besides those that are planned for every sample.
    asked : the one that would be taken if the planner were not asked.
    forbidden : tells which ones cannot be taken.
    """
    known = run.history.experiment(run.id, number)
    assert known is not None
    observations, ended = _known_then(run, known, sample, insights)
    wanted = [r for r in (asked, *(i.next_measurement for i in insights)) if r is not None]
    found = [
        Priced(candidate, len(observations) - 1, cost)
        for candidate in candidates(
            run, sample.number, fitting(run, wanted), lambda again: times_taken(again, beyond)
        )
        if forbidden(_as_further(run, candidate.again)) is None
        and (cost := priced(run, candidate.again, sample)) is not None
    ]
    offer = as_offer(run, made_so_far(ended) or {number}, found)
    if not offer.options:
        return None
    rng = np.random.default_rng([*run.seed(number, "weigh"), len(beyond)])
    chosen = await beside(
        run.laboratory.clock, lambda: _chosen(run, known, observations, offer, rng)
    )
    _tell(run, number, chosen, is_asked=asked is not None)
    if isinstance(chosen, str) or chosen.measure_again is None:
        return None
    return _as_further(run, chosen.measure_again)


def _known_then(
    run: Run, known: Experiment, sample: Sample, insights: Sequence[Insight]
) -> tuple[list[Observation], list[tuple[int, Observation]]]:
    """Return what the planner is told, the sample last; and what had ended when it proposed."""
    _, recorded = run.history.observations_since(run.id)
    ended = sorted(recorded[: known.told], key=lambda told: told[0])
    standing = dict(retold(run, known.number, current(ended)))
    first = standing.pop(sample.number, None)
    told = so_far(run, known.proposal, sample, insights)
    if first is not None:
        replaced = latest(ended, sample.number)
        told = told.model_copy(update={"supersedes": replaced, "predicted": first.predicted})
    return [*standing.values(), told], ended


def _chosen(
    run: Run,
    known: Experiment,
    observations: Sequence[Observation],
    offer: Offer,
    rng: np.random.Generator,
) -> Proposal | str:
    """Return what the planner chooses, or why it chooses nothing."""
    planner = run.match.planner
    assert isinstance(planner, ActionAware)
    others = (run.history.experiment(run.id, n) for n in known.pending)
    pending = [e.proposal.values for e in others if e is not None]
    try:
        chosen = weigh(
            planner,
            run.campaign,
            observations=observations,
            pending=pending,
            offer=offer,
            rng=rng,
        )
    except NothingLeftToPropose as error:
        return str(error)
    except Exception as error:  # whatever somebody else's planner raises ends no campaign
        logger.warning("planner crashed planner=%s", planner.name, exc_info=True)
        return f"{planner.name} crashed: {in_one_line(error)}"
    if chosen.measure_again is None:
        return chosen
    return not_offered(chosen, offer, observations) or chosen


def _tell(run: Run, number: int, chosen: Proposal | str, *, is_asked: bool) -> None:
    """Tell what was decided, once, also if the experiment is taken up again after a stop.

    Parameters
    ----------
    is_asked : somebody asked for a further measurement, so that doing without is news.
    """
    if isinstance(chosen, str):
        said = f"no further measurement: {chosen}"
    elif chosen.measure_again is None:
        said = f"goes on without a further measurement: {chosen.reason.text}"
    else:
        said, is_asked = f"measures the sample further: {chosen.reason.text}", True
    run.tell(number, "measure", "started", said)
    events = run.history.events(run.id)
    is_told = any(e.kind == EVENT and e.number == number and e.message == said for e in events)
    if is_asked and not is_told:
        run.history.record_event(run.id, EVENT, said, number)


def _as_further(run: Run, again: MeasureAgain) -> Further:
    index = plan_of(run, again.technique)
    return Further(index, {**run.campaign.plans[index].settings, **again.settings})
