"""The Bayesian planner's choice among actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from planners.actions.choosing import Choosing, SceneOf
from planners.actions.records import Option
from planners.actions.scene import Scene
from planners.actions.weighing import Price
from planners.baselines import tried_points
from planners.bayesian.acting.promising import promising
from planners.bayesian.acting.scenes import scene_of
from planners.bayesian.feasibility import success_model
from planners.bayesian.gaussian_process import SurrogateFailed
from planners.bayesian.goals.references import reference_points
from planners.bayesian.goals.serving import first_experiments
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import Surrogates, fit_surrogates
from planners.context import latest
from planners.costs import last_made
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Observation, Proposal
from planners.space import Point, SearchSpace

Fit = Callable[[], Surrogates]
"""Returns surrogates of all quantities, fitted to the observations."""


def choose_action(
    space: SearchSpace,
    objective: Objective,
    *,
    planner: str,
    propose: Callable[[], Proposal],
    fit: Fit | None = None,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    options: Sequence[Option],
    new_cost: float,
    replicates: bool,
    settings: BayesianSettings,
    rng: np.random.Generator,
) -> Proposal:
    """Return the action of most worth per cost. See `planners.actions.protocols.ActionAware`.

    Parameters
    ----------
    planner : name of the planner that chooses.
    propose : returns what it would make next.
    fit : what it believes; one Gaussian process a quantity if None.
    """
    encoding = Encoding(space).at(latest(observations))
    why_not = _why_not(encoding, objective, observations, settings)
    scene = None
    if why_not is None:
        try:
            surrogates = fit_surrogates(encoding, objective, observations) if fit is None else fit()
            scene = _scene(encoding, objective, surrogates, observations, pending, rng)
        except SurrogateFailed as error:
            why_not = f"there is no model yet: {error}"
    return Choosing(
        planner=planner,
        objective=objective,
        propose=propose,
        scene=scene,
        price=_price(observations, pending, settings, new_cost),
        replicates=replicates,
        why_not=why_not or "",
    ).among(options)


def _why_not(
    encoding: Encoding,
    objective: Objective,
    observations: Sequence[Observation],
    settings: BayesianSettings,
) -> str | None:
    """Say why actions cannot be weighed, None if they can."""
    if objective.combine == "front" and len(objective.targets) > 1:
        return "a front has no single best recipe of which one could be surer"
    if objective.phase_map is not None:
        return "a map of phases is wanted as well"
    if objective.input_errors:
        return "recipes are judged by what comes out under input errors"
    if settings.fidelity is not None:
        return "experiments have fidelities, which are weighed on their own"
    initial = first_experiments(encoding, objective, settings)
    if sum(not o.failed for o in observations) < initial:
        return f"the space is filled first, by {initial} experiments"
    return None


def _scene(
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    rng: np.random.Generator,
) -> SceneOf:
    references = reference_points(encoding, None, rng=rng) if objective.maps else None

    def scene(candidates: Sequence[Point]) -> Scene:
        others: Sequence[Point] = ()
        if candidates and not objective.maps:
            made = [o for o in observations if objective.is_complete(o.outcomes)]
            tried = [*tried_points(observations, pending), *candidates]
            x = encoding.encode_observations(made or observations)
            others = promising(encoding, objective, surrogates, made=x, tried=tried, rng=rng)
        return scene_of(
            encoding,
            objective,
            observations,
            surrogates,
            [*candidates, *others],
            pending=pending,
            success=success_model(encoding, observations),
            references=references,
        )

    return scene


def _price(
    observations: Sequence[Observation],
    pending: Sequence[Point],
    settings: BayesianSettings,
    new_cost: float,
) -> Price:
    """Return what new samples cost: by the cost model if there is one, else all the same."""
    if settings.cost is None:
        return lambda _: new_cost
    model, previous = settings.cost, last_made(observations, pending)
    return lambda point: model.cost(point, previous=previous)
