"""The Bayesian planner: fill the space first, then go where improvement is expected."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from planners.actions.records import Option
from planners.baselines import tried_points
from planners.bayesian.acting.choice import choose_action
from planners.bayesian.blending import blended, vouched_for
from planners.bayesian.feasibility import success_model
from planners.bayesian.filling import fill
from planners.bayesian.gaussian_process import SurrogateFailed
from planners.bayesian.goals import suggest as goals
from planners.bayesian.goals.serving import check_wishes, first_experiments, is_served_here
from planners.bayesian.lessons import Lessons
from planners.bayesian.locality import locality
from planners.bayesian.sampling import sampled
from planners.bayesian.seeking import is_sought
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.suggest import suggest
from planners.bayesian.surrogate import Surrogates, fit_surrogates
from planners.context import latest
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Observation, Proposal, Reason
from planners.space import Point, SearchSpace
from planners.threads import one_thread

logger = logging.getLogger(__name__)


class BayesianPlanner:
    """Gaussian processes over the quantities, optimism or expected improvement over the objective.

    One process a quantity takes every observation with its own noise (`fit_quantity`), failed
    experiments weigh down their neighbourhood (`SuccessModel`), pending points are integrated
    over. Candidate lists and small grids are scored row by row, in closed form where the objective
    allows, else by BoTorch. Where no model is possible, or a fit fails, the point fills the space
    and the reason says so. Trees, sparse processes and those of earlier campaigns join where they
    help (`planners.bayesian.blending`), and many experiments narrow the search to a box
    (`planners.bayesian.locality`). Maps, robust tops, prices and fidelities are chosen in
    `planners.bayesian.goals`.

    The same arguments give the same proposals, bit for bit, on the same machine with the same
    library versions and number of threads. Torch is imported when a model is first needed.
    """

    name = "bayesian"

    def __init__(self, settings: BayesianSettings) -> None:
        self.settings = settings
        self._lessons = Lessons(settings.learn_from, settings.earlier)

    def foretells(self, objective: Objective) -> frozenset[str]:
        """Return the fields of `Outlook` that proposals from a model tell; none for a front."""
        front = objective.combine == "front" and len(objective.targets) > 1
        if front or is_served_here(objective, self.settings):
            return frozenset()
        return frozenset({"probability_of_improvement", "expected_improvement", "expected_regret"})

    def propose(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),
        n: int = 1,
        rng: np.random.Generator,
    ) -> list[Proposal]:
        """Return `n` points to try next, best first. See `Planner.propose`."""
        with one_thread():
            return self._chosen(space, objective, observations, pending, n, rng)

    def choose_action(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),
        options: Sequence[Option],
        new_cost: float,
        replicates: bool = True,
        rng: np.random.Generator,
    ) -> Proposal:
        """Return what to do next. See `planners.actions.protocols.ActionAware`."""

        def propose() -> Proposal:
            return self.propose(
                space, objective, observations=observations, pending=pending, rng=rng
            )[0]

        with one_thread():
            return choose_action(
                space,
                objective,
                planner=self.name,
                propose=propose,
                observations=observations,
                pending=pending,
                options=options,
                new_cost=new_cost,
                replicates=replicates,
                settings=self.settings,
                rng=rng,
            )

    def _chosen(
        self,
        space: SearchSpace,
        objective: Objective,
        observations: Sequence[Observation],
        pending: Sequence[Point],
        n: int,
        rng: np.random.Generator,
    ) -> list[Proposal]:
        encoding = Encoding(space).at(latest(observations))
        check_wishes(encoding, objective, self.settings)
        beyond = is_served_here(objective, self.settings)
        self._lessons.check(space, objective)
        local = None if beyond else locality(encoding, objective, observations, self.settings)
        succeeded = sum(not o.failed for o in observations) if local is None else local.n_since
        initial = first_experiments(encoding, objective, self.settings)
        fills = succeeded + len(pending) < initial
        why = f"experiment {succeeded + len(pending) + 1} of the initial {initial}"
        hopes = local is None and not beyond and self._lessons.may_end_filling(succeeded)
        if fills and not (hopes and self.settings.n_initial is None):
            return self._fill(encoding, objective, observations, pending, n, why)
        try:
            rows = observations if local is None else local.observations
            surrogates = fit_surrogates(encoding, objective, rows)
        except SurrogateFailed as error:
            logger.warning("no surrogate, filling the space instead: %s", error)
            why = f"no model yet, as {error}"
            return self._fill(encoding, objective, observations, pending, n, why)
        if beyond:
            return goals.suggest(
                encoding,
                objective,
                surrogates,
                success=success_model(encoding, observations),
                observations=observations,
                pending=pending,
                n=n,
                settings=self.settings,
                rng=rng,
            )
        if local is None and not fills and self._seeks(encoding, objective, surrogates, rows):
            return self._beyond_level(
                encoding, objective, surrogates, observations, pending, n, rng
            )
        earlier = self._lessons.processes(encoding, objective.quantities)
        surrogates = blended(
            surrogates, encoding, objective, rows, earlier=earlier, settings=self.settings
        )
        if fills and not vouched_for(surrogates, earlier):
            why = f"{why}, as no earlier campaign foretells what came out"
            return self._fill(encoding, objective, observations, pending, n, why)
        return suggest(
            encoding,
            objective,
            surrogates,
            success=success_model(encoding, observations),
            observations=observations,
            pending=pending,
            n=n,
            settings=self.settings,
            within=None if local is None else local.box(encoding, surrogates),
            fitted=None if local is None else local.observations,
            rng=rng,
        )

    def _seeks(
        self,
        encoding: Encoding,
        objective: Objective,
        surrogates: Surrogates,
        observations: Sequence[Observation],
    ) -> bool:
        if not self.settings.seek_level:
            return False
        made = [o for o in observations if not o.failed]
        return is_sought(objective, surrogates, encoding.encode_observations(made))

    def _beyond_level(
        self,
        encoding: Encoding,
        objective: Objective,
        surrogates: Surrogates,
        observations: Sequence[Observation],
        pending: Sequence[Point],
        n: int,
        rng: np.random.Generator,
    ) -> list[Proposal]:
        return sampled(
            encoding,
            objective,
            surrogates,
            success=success_model(encoding, observations),
            observations=observations,
            pending=pending,
            n=n,
            settings=self.settings,
            rng=rng,
        )

    def _fill(
        self,
        encoding: Encoding,
        objective: Objective,
        observations: Sequence[Observation],
        pending: Sequence[Point],
        n: int,
        why: str,
    ) -> list[Proposal]:
        tried = tried_points(observations, pending)
        points = fill(encoding, tried, n, seed=self.settings.seed)
        if self.settings.fidelity is not None:
            points = self.settings.fidelity.opening(encoding.space, points, tried=tried)
        reason = Reason(planner=self.name, text=f"Fills the space evenly ({why}).")
        proposals = [Proposal(values=point, reason=reason) for point in points]
        opening = None if tried else self._lessons.opening(encoding, objective, points[0])
        return proposals if opening is None else [opening, *proposals[1:]]


def make(settings: Mapping[str, object]) -> BayesianPlanner:
    """Return the planner `bayesian`; its settings are those of `BayesianSettings`."""
    return BayesianPlanner(BayesianSettings.model_validate(dict(settings)))
