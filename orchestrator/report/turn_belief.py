"""What the planner believes after a turn, over the two settings it learnt most about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from orchestrator.campaign import Campaign
from orchestrator.report.figures.landscape import Map
from planners.errors import PlanningError
from planners.parameters import CategoricalParameter
from planners.proposal import Observation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GRID = 30
_FEWEST, _MOST = 3, 200
"""Results from which a map says something, and up to which it costs a turn little."""


def belief_after(
    campaign: Campaign, observations: Sequence[Observation], *, learnt: Mapping[str, float]
) -> Map | None:
    """Return the first target's landscape, None where it cannot be drawn on two numeric axes.

    Parameters
    ----------
    learnt : what the planner's surrogate learnt, by name; settings of short length scales, along
        which the outcome changes fastest, make the axes.
    """
    names = _names(campaign, learnt)
    known = sum(not o.failed for o in observations)
    if campaign.planner.use != "bayesian" or len(names) < 2 or not _FEWEST <= known <= _MOST:
        return None
    from planners.bayesian.landscape import landscape

    try:
        found = landscape(campaign.space, campaign.objective, observations, names=names, grid=_GRID)
    except PlanningError:
        return None  # too little is known for a model yet
    if found is None or not np.isfinite(found.mean).any():
        return None
    return found


def _names(campaign: Campaign, learnt: Mapping[str, float]) -> tuple[str, ...]:
    """Return the two numeric settings that matter most, no two of one mixture."""
    numeric = [
        p.names[0] for p in campaign.space.parameters if not isinstance(p, CategoricalParameter)
    ]

    def length(name: str) -> float:
        scales = [v for key, v in learnt.items() if key.endswith(f"length_scale.{name}")]
        return min(scales, default=np.inf)

    return tuple(sorted(numeric, key=length)[:2])
