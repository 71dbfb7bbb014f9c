"""One call that explains what a model learnt about a quantity, and why it predicts what it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from planners.explaining.belief import believe
from planners.explaining.composites import dependence
from planners.explaining.contributions import why_here
from planners.explaining.importance import importances
from planners.explaining.records import Explanation, Importance, Map
from planners.explaining.slices import map_over, slice_along
from planners.objective import Objective
from planners.proposal import Observation
from planners.space import Point, SearchSpace

N_REPLICATES = 8
"""Groups of the jackknife; each costs one more fit."""

FEW = 10
"""Values below which a remark warns."""


def explain(
    space: SearchSpace,
    objective: Objective,
    observations: Sequence[Observation],
    *,
    quantity: str | None = None,
    point: Point | None = None,
    n_slices: int = 3,
    n_replicates: int = N_REPLICATES,
    rng: np.random.Generator,
) -> Explanation:
    """Return the importances of all names, and what the prediction at a point is made of.

    The model is the Gaussian process that the planner `bayesian` fits to the quantity, whichever
    planner chose the experiments. Under context variables it speaks of the conditions reported
    last.

    Parameters
    ----------
    quantity : what is explained, by default the first target.
    point : a point to explain, such as `Proposal.values`; slices go through it, without one
        through the best experiment.
    n_slices : how many of the most important names get a slice; 0 makes neither slices nor a map.
    n_replicates : groups of the jackknife behind the standard deviations, 0 for none.
    rng : draws the samples; the same generator gives the same explanation.

    Raises
    ------
    SurrogateFailed
        The quantity is known of fewer than two experiments, or all of them gave the same value.
    SpaceError
        The point lacks a name of the space.
    """
    wanted = quantity or objective.targets[0].quantity
    belief = believe(space, wanted, observations, n_replicates=n_replicates, rng=rng)
    ranked = importances(belief, rng=rng)
    here = None if point is None else why_here(belief, point, rng=rng)
    names = [importance.name for importance in ranked[:n_slices]]
    slices = [
        slice_along(space, objective, observations, name=name, quantity=wanted, through=point)
        for name in names
    ]
    return Explanation(
        quantity=wanted,
        n_observations=belief.n_observations,
        importances=ranked,
        here=here,
        slices=tuple(s for s in slices if s is not None),
        map=_map(space, objective, observations, ranked, wanted, point) if n_slices else None,
        remarks=tuple(_remarks(space, belief.n_observations)),
    )


def _map(
    space: SearchSpace,
    objective: Objective,
    observations: Sequence[Observation],
    ranked: Sequence[Importance],
    quantity: str,
    point: Point | None,
) -> Map | None:
    """Return the map over the two most important names that do not share a mixture."""
    first = ranked[0].name
    second = next(
        (i.name for i in ranked[1:] if space.parameter(i.name) != space.parameter(first)), None
    )
    if second is None:
        return None
    return map_over(
        space, objective, observations, names=(first, second), quantity=quantity, through=point
    )


def _remarks(space: SearchSpace, n_observations: int) -> Iterator[str]:
    if n_observations < FEW:
        yield f"Importances from fewer than {FEW} values change with every further experiment."
    pair = dependence(space)
    if pair is not None:
        yield (
            f"On the candidate list {pair[0]} and {pair[1]} go together (correlation "
            f"{pair[2]:.2f}). Importances count them as independent and ask the model at "
            "combinations that are not on the list."
        )
    if space.constraints:
        yield (
            "Constraints tie settings together. Importances exchange settings one by one and ask "
            "the model at combinations that break a constraint, too."
        )
