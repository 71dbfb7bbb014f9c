"""The planner `phase_map`: a map of phases and the best property from one campaign."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from planners.baselines import tried_points
from planners.bayesian import marginal
from planners.bayesian.closing_in import best_points
from planners.bayesian.feasibility import success_model
from planners.bayesian.filling import fill
from planners.bayesian.search import Choice
from planners.bayesian.settings import BayesianSettings
from planners.columns import Array
from planners.context import latest
from planners.costs import CostModel, last_made
from planners.encoding import Encoding
from planners.errors import UnsupportedSpace
from planners.mapping.charting import chart_of, points_of
from planners.mapping.maps import PhaseMap
from planners.mapping.property import learnt_property
from planners.mapping.reasons import reason_for
from planners.mapping.weighing import Weighing
from planners.objective import Objective, PhaseMapWish
from planners.proposal import Observation, Proposal, Reason
from planners.space import Point, SearchSpace
from planners.threads import one_thread

logger = logging.getLogger(__name__)

N_CENTRES = 5
"""Latest experiments around which is searched."""


class MappingSettings(BaseModel):
    """Settings of the planner `phase_map`.

    Attributes
    ----------
    n_initial : experiments that fill the space before a map steers.
    n_candidates : random points weighed before the best are improved, in infinite spaces.
    n_alternatives : runners-up stored with each proposal.
    surrogates : settings of the planner `bayesian` for the models of the targets.
    cost : prices by which what a point promises is divided; without them all count as equally dear.
    seed : scrambles the initial design; a campaign fills in a number drawn from its own seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_initial: int = Field(default=8, ge=4)
    n_candidates: int = Field(default=300, ge=16)
    n_alternatives: int = Field(default=3, ge=0)
    surrogates: BayesianSettings = BayesianSettings()
    cost: CostModel | None = None
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _stated(self) -> MappingSettings:
        if self.cost is not None and self.cost.learn:
            raise ValueError(
                "the planner phase_map takes prices as stated, and `cost` asks to learn them; "
                "remove `learn`"
            )
        return self


class PhaseMapPlanner:
    """Maps phases and seeks the best property, by what each measurement promises for either.

    The map is made of what agents read of structure (`planners.mapping.charting`), the property by
    the models of the planners `bayesian` and `structure` and one that sees the map's regions
    (`planners.mapping.property`). How they are weighed is told by `Weighing`; the idea of doing
    both in one campaign is that of CAMEO (Kusne et al. 2020, doi:10.1038/s41467-020-19597-w), which
    switches from one to the other. An objective without `phase_map` is served as if a map were
    wanted for its own sake as much as the targets.
    """

    name = "phase_map"
    serves_phase_maps = True

    def __init__(self, settings: MappingSettings) -> None:
        self.settings = settings

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
        """Return `n` points to try next, best first. See `Planner.propose`.

        Raises
        ------
        UnsupportedSpace
            The targets are not maximised or minimised, or outcomes have bounds.
        """
        _check(objective)
        if self.settings.cost is not None:
            self.settings.cost.check(space)
        with one_thread():
            encoding = Encoding(space).at(latest(observations))
            made = [o for o in observations if not o.failed]
            waiting = list(pending)
            n_filled = min(n, max(self.settings.n_initial - len(made) - len(waiting), 0))
            proposals = self._fill(encoding, observations, waiting, n_filled)
            waiting += [p.values for p in proposals]
            wish = objective.phase_map or PhaseMapWish()
            chart = chart_of(encoding, observations, of=wish.of) if len(proposals) < n else None
            while len(proposals) < n:
                proposals.append(
                    self._chosen(encoding, objective, chart, observations, waiting, rng)
                )
                waiting.append(proposals[-1].values)
        return proposals

    def _weighing(
        self,
        encoding: Encoding,
        objective: Objective,
        chart: PhaseMap | None,
        observations: Sequence[Observation],
        pending: Sequence[Point],
        rng: np.random.Generator,
    ) -> Weighing:
        wish = objective.phase_map or PhaseMapWish()
        over = points_of(encoding, seed=self.settings.seed)
        if chart is not None and pending:
            chart = chart.believing(encoding.encode(list(pending)))
        known = None
        if wish.share < 1:
            known = learnt_property(
                encoding,
                objective,
                observations,
                pending,
                chart=chart,
                over=over,
                settings=self.settings.surrogates.model_copy(update={"seed": self.settings.seed}),
                rng=rng,
            )
        success = success_model(encoding, observations)
        prices = self._prices(encoding, last_made(observations, pending))
        return Weighing(chart, known, over, wish.share, success, prices)

    def _prices(
        self, encoding: Encoding, previous: Point | None
    ) -> Callable[[Array], Array] | None:
        cost = self.settings.cost
        if cost is None:
            return None

        def prices(x: Array) -> Array:
            points = [encoding.read(row) for row in x]
            return np.asarray(cost.costs(points, previous=previous) ** cost.alpha)

        return prices

    def _chosen(
        self,
        encoding: Encoding,
        objective: Objective,
        chart: PhaseMap | None,
        observations: Sequence[Observation],
        waiting: Sequence[Point],
        rng: np.random.Generator,
    ) -> Proposal:
        weighing = self._weighing(encoding, objective, chart, observations, waiting, rng)
        if weighing.chart is None and weighing.known is None:
            return self._fill(encoding, observations, waiting, 1)[0]
        choices = self._best(encoding, weighing, observations, waiting, rng)
        if choices[0].value <= 0:
            return self._fill(encoding, observations, waiting, 1)[0]
        logger.info("chose %s from %d experiments", choices[0].point, len(observations))
        reason = reason_for(weighing, choices, observations=observations)
        return Proposal(values=choices[0].point, reason=reason)

    def _best(
        self,
        encoding: Encoding,
        weighing: Weighing,
        observations: Sequence[Observation],
        waiting: Sequence[Point],
        rng: np.random.Generator,
    ) -> list[Choice]:
        made = [o for o in observations if not o.failed]
        return best_points(
            encoding,
            weighing.worth,
            tried=tried_points(observations, waiting),
            centres=[o.values for o in made[-N_CENTRES:]],
            n_candidates=self.settings.n_candidates,
            count=1 + self.settings.n_alternatives,
            rng=rng,
        )

    def _fill(
        self,
        encoding: Encoding,
        observations: Sequence[Observation],
        waiting: Sequence[Point],
        n: int,
    ) -> list[Proposal]:
        if n == 0:
            return []
        tried = tried_points(observations, waiting)
        points = fill(encoding, tried, n, seed=self.settings.seed)
        text = "Fills the space evenly, as too little was read to tell one region from another."
        return [Proposal(values=p, reason=Reason(planner=self.name, text=text)) for p in points]


def make(settings: Mapping[str, object]) -> PhaseMapPlanner:
    """Return the planner `phase_map`; its settings are those of `MappingSettings`."""
    return PhaseMapPlanner(MappingSettings.model_validate(dict(settings)))


def _check(objective: Objective) -> None:
    """Raise UnsupportedSpace for what cannot be weighed against a map."""
    if marginal.is_normal(objective) and not objective.constraints and not objective.input_errors:
        return
    raise UnsupportedSpace(
        "the planner phase_map weighs a map against quantities that are maximised or minimised, "
        "without bounds on outcomes or input errors; this objective asks for something else. Take "
        'the planner "bayesian" for it, or change the targets'
    )
