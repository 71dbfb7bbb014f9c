"""What to try next: the planner's word, or an evenly filled space if the planner crashes.

What is decided depends on the arguments alone, so a replay of the history decides the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from orchestrator.campaign import Campaign
from orchestrator.telling import in_one_line, shortened
from planners.baselines import BaselineSettings, SobolPlanner
from planners.errors import NothingLeftToPropose, SpaceError, UnsupportedSpace
from planners.proposal import Observation, Proposal
from planners.protocols import Planner
from planners.space import Point, SearchSpace

logger = logging.getLogger(__name__)


def choose(
    planner: Planner,
    campaign: Campaign,
    *,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    rng: np.random.Generator,
) -> Proposal:
    """Return the planner's proposal, or a space-filling one if the planner crashes.

    A planner crashes by raising, or by returning anything but one feasible point that is not
    under way. The reason of a proposal in its place names it in `instead_of`.

    Raises
    ------
    NothingLeftToPropose, UnsupportedSpace, SpaceError
        The planner says that nobody can choose here, or that it is the wrong one.
    """
    try:
        proposed = planner.propose(
            campaign.space,
            campaign.objective,
            observations=observations,
            pending=pending,
            n=1,
            rng=rng,
        )
        fault = _fault(proposed, campaign.space, pending)
    except (NothingLeftToPropose, UnsupportedSpace, SpaceError, MemoryError):
        raise
    except Exception as error:  # whatever somebody else's planner raises ends no campaign
        logger.warning("planner crashed planner=%s", planner.name, exc_info=True)
        fault = in_one_line(error)
    if fault is None:
        return proposed[0]
    return _filling(planner.name, fault, campaign, observations, pending, rng)


def _fault(proposed: object, space: SearchSpace, pending: Sequence[Point]) -> str | None:
    """Say why nobody can try what a planner returned, or None if one can."""
    if not isinstance(proposed, list) or len(proposed) != 1:
        return f"it returned {shortened(repr(proposed))} instead of a list with one proposal"
    proposal = proposed[0]
    if not isinstance(proposal, Proposal):
        return f"it proposed {shortened(repr(proposal))}, which is no Proposal"
    if wrong := space.faults(proposal.values):
        return f"it proposed a point outside the space: {shortened('; '.join(wrong))}"
    if any(dict(point) == proposal.values for point in pending):
        return "it proposed a point that is under way already"
    return None


def _filling(
    failed: str,
    fault: str,
    campaign: Campaign,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    rng: np.random.Generator,
) -> Proposal:
    filler = SobolPlanner(BaselineSettings(seed=campaign.seed))
    [proposal] = filler.propose(
        campaign.space,
        campaign.objective,
        observations=observations,
        pending=pending,
        n=1,
        rng=rng,
    )
    text = f"{failed} failed ({fault}), so the space is filled instead: {proposal.reason.text}"
    reason = proposal.reason.model_copy(update={"text": text, "instead_of": failed})
    return proposal.model_copy(update={"reason": reason})
