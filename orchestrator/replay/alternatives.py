"""What another planner or other agents would have decided, from what was known then."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.insight import Estimate
from orchestrator.campaign import AgentChoice, Campaign, PlannerChoice
from orchestrator.deciding.deciders import deciders
from orchestrator.deciding.interpreting import interpret
from orchestrator.failing.clearing import standing
from orchestrator.replay.past import Past
from orchestrator.replay.replaying import chosen, proposed
from orchestrator.routing import combine
from planners.encoding import Encoding
from planners.proposal import Proposal


@dataclass(frozen=True, slots=True)
class OtherProposal:
    """What one planner chose, and what the other would have chosen.

    Attributes
    ----------
    other : None if it proposes nothing; `why` says so.
    distance : between the two in the unit cube in which planners see the space, as a share of its
        diagonal, 0 … 1; None without an other.
    """

    number: int
    then: Proposal
    other: Proposal | None
    why: str
    distance: float | None


@dataclass(frozen=True, slots=True)
class OtherReading:
    """What was read of one wanted quantity then, and what the other agents read.

    Attributes
    ----------
    then, other : None where nobody could tell; `why` says what the others remarked.
    deviation : their difference in combined standard deviations; None where it is not known.
    """

    number: int
    quantity: str
    then: Estimate | None
    other: Estimate | None
    why: str
    deviation: float | None


def other_planner(
    past: Past, name: str, *, experiments: int | None = None
) -> Iterator[OtherProposal]:
    """Yield for each experiment what a planner would have proposed in its place.

    It knows what the campaign's own planner knew then, so each line is a decision by itself: the
    campaign that it would have led to is another one.

    Raises
    ------
    BadFile
        There is no such planner, or it refuses its settings.
    """
    past = replace(past, campaign=_with_planner(past.campaign, name))
    who = deciders(past.campaign, past.source, earlier=past.earlier)
    encoding = Encoding(past.campaign.space)
    for experiment in chosen(past, experiments):
        now = proposed(past, experiment, who)
        then = experiment.proposal
        if isinstance(now, str):
            yield OtherProposal(experiment.number, then, None, now, None)
            continue
        one, other = encoding.encode([then.values, now.values])
        distance = float(np.linalg.norm(one - other) / math.sqrt(len(one)))
        yield OtherProposal(experiment.number, then, now, now.reason.text, distance)


def other_agents(
    past: Past, names: Sequence[str], *, experiments: int | None = None
) -> Iterator[OtherReading]:
    """Yield for each experiment and wanted quantity what other agents read in the stored data.

    Raises
    ------
    BadFile
        There is no such agent, it refuses its settings, or none estimates a wanted quantity.
    """
    past = replace(past, campaign=_with_agents(past.campaign, names))
    who = deciders(past.campaign, past.source, earlier=past.earlier)
    for experiment in chosen(past, experiments):
        if not experiment.insights:
            continue
        rounds = past.rounds(experiment)
        shown = past.shown(experiment, times=rounds[-1])
        said = standing([past.said(experiment, times=n) for n in rounds])
        read = [
            interpret(agents, shown, rng=past.reading_stream(experiment.number))
            for agents in who.agents.values()
        ]
        insights = [r.insight for r in read if r is not None]
        remarks = "; ".join(remark for i in insights for remark in i.remarks)
        for quantity in past.campaign.objective.quantities:
            then, other = combine(quantity, said), combine(quantity, insights)
            yield _reading(
                experiment.number,
                quantity,
                then[0] if then else None,
                other[0] if other else None,
                remarks,
            )


def _reading(
    number: int, quantity: str, then: Estimate | None, other: Estimate | None, why: str
) -> OtherReading:
    deviation = None
    if then is not None and other is not None and (then.std or other.std):
        combined = math.hypot(then.std or 0.0, other.std or 0.0)
        deviation = (other.value - then.value) / combined
    return OtherReading(number, quantity, then, other, why, deviation)


def _with_planner(campaign: Campaign, name: str) -> Campaign:
    """Return the campaign with another planner; its own keeps its settings."""
    if name == campaign.planner.use:
        return campaign
    return campaign.model_copy(update={"planner": PlannerChoice(use=name)})


def _with_agents(campaign: Campaign, names: Sequence[str]) -> Campaign:
    """Return the campaign with other agents; those it has keep their settings."""
    own = {choice.use: choice for choice in campaign.agents}
    own |= {
        other.use: AgentChoice(use=other.use, settings=other.settings)
        for choice in campaign.agents
        for other in choice.fallback
    }
    picked = tuple(own.get(name) or AgentChoice(use=name) for name in names)
    return campaign.model_copy(update={"agents": picked})
