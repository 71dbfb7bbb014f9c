"""What to try next: the planner's word, or an evenly filled space if the planner crashes.

What is decided depends on the arguments alone, so a replay of the history decides the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from orchestrator.campaign import Campaign
from orchestrator.telling import in_one_line, shortened
from planners.actions.protocols import ActionAware
from planners.actions.records import Offer
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
    offer: Offer | None = None,
) -> Proposal:
    """Return the planner's proposal, or a space-filling one if the planner crashes.

    A planner crashes by raising, or by returning anything but one feasible point that is not
    under way, or one of the measurements that it was offered. The reason of a proposal in its
    place names it in `instead_of`.

    Parameters
    ----------
    offer : what could be measured of earlier samples; planners that do not weigh actions, and all
        of them without an offer, choose a new sample.

    Raises
    ------
    NothingLeftToPropose, UnsupportedSpace, SpaceError
        The planner says that nobody can choose here, or that it is the wrong one.
    """
    try:
        proposed = _asked(planner, campaign, observations, pending, rng, offer)
        fault = _fault(proposed, campaign.space, pending, offer, observations)
    except (NothingLeftToPropose, UnsupportedSpace, SpaceError, MemoryError):
        raise
    except Exception as error:  # whatever somebody else's planner raises ends no campaign
        logger.warning("planner crashed planner=%s", planner.name, exc_info=True)
        fault = in_one_line(error)
    if fault is None:
        return proposed[0].model_copy(update={"offer": offer})
    filling = _filling(planner.name, fault, campaign, observations, pending, rng)
    return filling.model_copy(update={"offer": offer})


def weigh(
    planner: ActionAware,
    campaign: Campaign,
    *,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    offer: Offer,
    rng: np.random.Generator,
) -> Proposal:
    """Return the action that a planner chooses: a new sample, or one of the measurements offered.

    Raises
    ------
    Exception
        Whatever the planner raises.
    """
    return planner.choose_action(
        campaign.space,
        campaign.objective,
        observations=observations,
        pending=pending,
        options=offer.options,
        new_cost=offer.new_cost,
        replicates=campaign.actions is None or campaign.actions.replicate,
        rng=rng,
    )


def not_offered(
    proposal: Proposal, offer: Offer | None, observations: Sequence[Observation]
) -> str | None:
    """Say why a measurement of an earlier sample cannot be taken, or None if it can."""
    options = () if offer is None else offer.options
    rows = [option.row for option in options if option.again == proposal.measure_again]
    if not rows:
        return f"it chose {shortened(repr(proposal.measure_again))}, which was not offered"
    if observations[rows[0]].values != proposal.values:
        return f"it proposed {proposal.values} for a sample that was made otherwise"
    return None


def _asked(
    planner: Planner,
    campaign: Campaign,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    rng: np.random.Generator,
    offer: Offer | None,
) -> list[Proposal]:
    if offer is not None and isinstance(planner, ActionAware):
        chosen = weigh(
            planner, campaign, observations=observations, pending=pending, offer=offer, rng=rng
        )
        return [chosen]
    return planner.propose(
        campaign.space,
        campaign.objective,
        observations=observations,
        pending=pending,
        n=1,
        rng=rng,
    )


def _fault(
    proposed: object,
    space: SearchSpace,
    pending: Sequence[Point],
    offer: Offer | None,
    observations: Sequence[Observation],
) -> str | None:
    """Say why nobody can try what a planner returned, or None if one can."""
    if not isinstance(proposed, list) or len(proposed) != 1:
        return f"it returned {shortened(repr(proposed))} instead of a list with one proposal"
    proposal = proposed[0]
    if not isinstance(proposal, Proposal):
        return f"it proposed {shortened(repr(proposal))}, which is no Proposal"
    if proposal.measure_again is not None:
        return not_offered(proposal, offer, observations)
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
