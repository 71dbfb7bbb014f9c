"""Earlier campaigns, from which a planner may learn."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import Field

from planners.columns import Column
from planners.encoding import Array, Encoding
from planners.errors import PlanningError
from planners.objective import Objective
from planners.parameters import CategoricalParameter
from planners.proposal import Observation
from planners.settable import Record, Value
from planners.space import SearchSpace

logger = logging.getLogger(__name__)


class EarlierCampaign(Record):
    """What another campaign had searched and found.

    Attributes
    ----------
    name : how a person calls it.
    space : what it searched; it may share only some names with another space.
    observations : its experiments, failed ones included.
    """

    name: str = Field(min_length=1)
    space: SearchSpace
    observations: tuple[Observation, ...] = ()


def shared_names(space: SearchSpace, earlier: SearchSpace) -> tuple[str, ...]:
    """Return the settings and context variables that two spaces share, in the order of `space`.

    A name is shared if both set it (or both report it), in the same unit, and both as a number or
    both as a category. Bounds and categories may differ.
    """
    here, there = _kinds(space), _kinds(earlier)
    return tuple(name for name, kind in here.items() if there.get(name) == kind)


def check_earlier(
    space: SearchSpace, objective: Objective, campaigns: Sequence[EarlierCampaign]
) -> None:
    """Raise PlanningError for an earlier campaign from which nothing can be learnt here.

    Raises
    ------
    PlanningError
        It shares no setting with the space, or no experiment of it knows a wanted quantity.
    """
    for campaign in campaigns:
        if not shared_names(space, campaign.space):
            raise PlanningError(
                f"the earlier campaign {campaign.name!r} sets {', '.join(campaign.space.names)}, "
                f"and this one {', '.join(space.names)}; they share no setting of the same unit "
                "and kind. Remove it from `learn_from`, or give equal settings equal names and "
                "units"
            )
        known = sorted({q for o in campaign.observations for q in o.outcomes})
        if not set(known) & set(objective.quantities):
            found = ", ".join(known) or "no quantity at all"
            raise PlanningError(
                f"the earlier campaign {campaign.name!r} knows {found}, and this one wants "
                f"{', '.join(objective.quantities)}; they share none. Remove it from `learn_from`"
            )


def encode_shared(
    encoding: Encoding, campaign: EarlierCampaign, observations: Sequence[Observation]
) -> tuple[npt.NDArray[np.int64], Array, npt.NDArray[np.bool_]]:
    """Return the columns that a campaign shares, its coordinates there, and which rows have them.

    Values outside the bounds of this space become coordinates outside 0 to 1; a category that is
    none here stands at 0 in all its columns. A row with a category that has no descriptors here is
    left out.

    Returns
    -------
    Indices of shape (n_shared,), coordinates of shape (n_rows, n_shared), rows of shape (n,).
    """
    shared = set(shared_names(encoding.space, campaign.space))
    index = np.array([i for i, c in enumerate(encoding.columns) if c.name in shared], dtype=int)
    columns = [encoding.columns[i] for i in index]
    rows = np.array([all(_stands(c, o) for c in columns) for o in observations], dtype=bool)
    if not rows.all():
        logger.info(
            "%d experiments of %s lack a setting or hold a category without descriptors",
            int((~rows).sum()),
            campaign.name,
        )
    taken = [o for o, ok in zip(observations, rows, strict=True) if ok]
    x = [c.to_unit(np.array([_value(c.name, o) for o in taken], dtype=object)) for c in columns]
    return index, np.stack(x, axis=1).reshape(len(taken), len(columns)), rows


def best_of(objective: Objective, campaign: EarlierCampaign) -> Observation | None:
    """Return the best complete experiment of a campaign, None without any."""
    complete = [
        o for o in campaign.observations if not o.failed and objective.is_complete(o.outcomes)
    ]
    if not complete or objective.maps:
        return None
    return max(complete, key=lambda o: objective.rank(o.outcomes))


def _kinds(space: SearchSpace) -> dict[str, tuple[str, str]]:
    """Return name → kind and unit."""
    found: dict[str, tuple[str, str]] = {}
    for name in space.names:
        p = space.parameter(name)
        kind = "category" if isinstance(p, CategoricalParameter) else "number"
        found[name] = (kind, p.unit)
    for v in space.context:
        found[v.name] = ("reported category" if v.categories else "reported number", v.unit)
    return found


def _value(name: str, observation: Observation) -> Value:
    found = observation.values.get(name, observation.context.get(name))
    assert found is not None
    return found


def _stands(column: Column, observation: Observation) -> bool:
    value = observation.values.get(column.name, observation.context.get(column.name))
    return value is not None and (column.levels is None or value in column.levels)
