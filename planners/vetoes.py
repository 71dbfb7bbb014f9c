"""Points that a person refused: the planner is asked until it proposes something else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.encoding import Encoding
from planners.errors import NothingLeftToPropose, PlanningError
from planners.finite import key_of
from planners.kept import kept
from planners.objective import Objective
from planners.parameters import ContinuousParameter, MixtureParameter
from planners.proposal import Observation, Proposal
from planners.protocols import Planner
from planners.settable import Record, Value
from planners.space import CandidateList, Point, SearchSpace

SAME_POINT = 0.005
"""Root-mean-square distance, in coordinates of the unit cube, under which a point of a continuous
space counts as the one that was refused."""


class Veto(Record):
    """A point that must not be made, and why.

    Attributes
    ----------
    reason : in the words of the person who refused it.
    """

    values: dict[str, Value]
    reason: str


def allowed_space(space: SearchSpace, vetoes: Sequence[Veto]) -> SearchSpace:
    """Return the space without the refused rows of its list.

    Only a list of whole points can lose rows; any other space comes back as it is. The parameters
    stay, so that coordinates mean the same.

    Raises
    ------
    NothingLeftToPropose
        Every row was refused.
    """
    if space.candidates is None or space.is_hybrid or not vetoes:
        return space
    refused = {key_of(space, v.values) for v in vetoes}
    order = [space.candidates.columns.index(n) for n in space.names]
    rows = tuple(
        row for row in space.candidates.rows if tuple(row[i] for i in order) not in refused
    )
    if not rows:
        raise NothingLeftToPropose(
            f"all {len(space.candidates)} candidates were refused; lift a veto, add candidates, or "
            "end the study"
        )
    listed = CandidateList(columns=space.candidates.columns, rows=rows)
    return SearchSpace(
        parameters=space.parameters,
        constraints=space.constraints,
        candidates=listed,
        context=space.context,
    )


def propose_allowed(
    planner: Planner,
    space: SearchSpace,
    objective: Objective,
    *,
    vetoes: Sequence[Veto],
    observations: Sequence[Observation],
    pending: Sequence[Point],
    n: int,
    rng: np.random.Generator,
) -> list[Proposal]:
    """Return `n` proposals, none of them refused.

    A refused point that the planner proposes nevertheless is shown to it as under way, and it is
    asked again; points that it does not insist on do not enter the model.

    Parameters
    ----------
    space : as `allowed_space` gives it.

    Raises
    ------
    NothingLeftToPropose
        Too few points are left that were neither tried nor refused.
    PlanningError
        The planner proposes a refused point although it is told that it is under way.
    """
    blocked: list[Point] = []
    while True:
        proposals = planner.propose(
            space,
            objective,
            observations=observations,
            pending=[*pending, *blocked],
            n=n,
            rng=rng,
        )
        hit = [v.values for v in vetoes if any(is_same(space, v.values, p) for p in proposals)]
        if not hit:
            return proposals
        if any(point in blocked for point in hit):
            raise PlanningError(
                f"the planner {planner.name!r} proposes {dict(hit[0])}, which was refused, "
                "although it was told that it is under way; a planner leaves out what is pending. "
                "Take another planner"
            )
        blocked += hit


def is_same(space: SearchSpace, point: Point, proposal: Proposal) -> bool:
    """Return whether a proposal is a refused point, or lies within `SAME_POINT` of it."""
    if key_of(space, point) == key_of(space, proposal.values):
        return True
    if space.candidates is not None and not space.is_hybrid:
        return False
    moving = kept(space, "moving names", _moving_names)
    if any(point[n] != proposal.values[n] for n in space.names if n not in moving):
        return False
    one, other = Encoding(space).encode([point, proposal.values])
    return float(((one - other) ** 2).mean()) <= SAME_POINT**2


def _moving_names(space: SearchSpace) -> frozenset[str]:
    """Return the names whose settings lie as close to each other as one likes."""
    endless = [
        p
        for p in space.parameters
        if isinstance(p, MixtureParameter)
        or (isinstance(p, ContinuousParameter) and p.step is None)
    ]
    return frozenset(n for p in endless for n in p.names if n not in space.listed)
