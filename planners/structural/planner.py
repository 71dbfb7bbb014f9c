"""The planner `structure`: it learns what settings make, and knows what is wanted of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from planners.actions.records import Option
from planners.baselines import tried_points
from planners.bayesian.acting.choice import choose_action
from planners.bayesian.circling import circles, no_news
from planners.bayesian.closing_in import best_points
from planners.bayesian.feasibility import success_model
from planners.bayesian.filling import fill
from planners.bayesian.planner import BayesianPlanner
from planners.bayesian.search import Choice
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import Surrogates, fit_surrogates
from planners.context import latest
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Observation, Proposal, Reason
from planners.space import Point, SearchSpace
from planners.structural.aiming import Aim, aim_at
from planners.structural.evidence import Evidence, can_be_evidence, choose_by, gathered
from planners.structural.foretelling import StructureModel, believed
from planners.structural.known import KnownFunction
from planners.structural.readings import readings_of
from planners.structural.reasons import reason_for
from planners.threads import one_thread

logger = logging.getLogger(__name__)

N_CENTRES = 5
"""Latest experiments around which is searched."""


class StructuralSettings(BaseModel):
    """Settings of the planner `structure`.

    Attributes
    ----------
    n_initial : experiments that fill the space before structure steers; one reading is enough.
    n_candidates : random points weighed before the best are improved, in infinite spaces.
    n_alternatives : runners-up stored with each proposal.
    otherwise : settings of the planner `bayesian`, which chooses where no agent knows what
        follows from structure, with structure as evidence where any was read.
    evidence : families of readings that may be evidence, such as ``xrd.weight_fraction``; all if
        empty. Where somebody knows that cells or the sample's height have nothing to do with what
        is wanted, a dozen experiments need not find it out.
    at_face_value : take readings for right and exact where they are evidence, to see what their
        doubts are worth; known functions are not concerned.
    seed : scrambles the initial design; a campaign fills in a number drawn from its own seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_initial: int = Field(default=1, ge=1)
    n_candidates: int = Field(default=600, ge=16)
    n_alternatives: int = Field(default=3, ge=0)
    otherwise: BayesianSettings = BayesianSettings()
    evidence: tuple[str, ...] = ()
    at_face_value: bool = False
    seed: int = Field(default=0, ge=0)


class StructuralPlanner:
    """Chooses by structures: where is the one to be found that is wanted?

    From the readings alone it learns how numbers and answers of structure follow the settings
    (`planners.structural.numbers`, `planners.structural.labels`); what is wanted of a structure is
    a `KnownFunction` of the campaign's agents. The next experiment is the one whose foretold
    structures promise most beyond the best so far (`planners.structural.aiming.Aim.gain`), times
    its probability to succeed.

    A target of which no agent knows how it follows from structure is chosen as the planner
    `bayesian` would, but samples count as alike that are alike in what was read of them, as far as
    that foretells (`planners.structural.evidence`). Where that is not possible either, as with a
    front, a map or a value to be matched, `bayesian` sees quantities alone; the reason says so.
    """

    name = "structure"

    def __init__(
        self, settings: StructuralSettings, functions: Sequence[KnownFunction] = ()
    ) -> None:
        self.settings = settings
        self.functions = {f.quantity: f for f in functions}
        self._otherwise = BayesianPlanner(
            settings.otherwise.model_copy(update={"seed": settings.seed})
        )

    def knowing(self, functions: Sequence[KnownFunction]) -> Self:
        """Return the same planner with what the campaign's agents know."""
        return type(self)(self.settings, functions)

    def foretells(self, objective: Objective) -> frozenset[str]:
        """Return the fields of `Outlook` that its proposals tell."""
        if self._why_not(objective) is not None:
            return self._otherwise.foretells(objective)
        return frozenset({"probability_of_improvement"})

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
        why_not = self._why_not(objective)
        with one_thread():
            if why_not is None:
                return self._chosen(space, objective, observations, pending, n, rng)
            told = self._by_evidence(space, objective, observations, pending, n, rng)
        if told is not None:
            return [_after(p, f"Told by likeness of structures, as {why_not}.") for p in told]
        found = self._otherwise.propose(
            space, objective, observations=observations, pending=pending, n=n, rng=rng
        )
        return [_after(p, f"Chosen without structure, as {why_not}.") for p in found]

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
        """Return what to do next. See `planners.actions.protocols.ActionAware`.

        Where structure is evidence, its process has its say in what actions are worth. The target
        of a known function is taken as a quantity like any other.
        """

        def propose() -> Proposal:
            return self.propose(
                space, objective, observations=observations, pending=pending, rng=rng
            )[0]

        def believed() -> Surrogates:
            encoding = Encoding(space).at(latest(observations))
            evidence = self._evidence(encoding, objective, observations, pending)
            if evidence is None:
                return fit_surrogates(encoding, objective, observations)
            return evidence.surrogates

        with one_thread():
            return choose_action(
                space,
                objective,
                planner=self.name,
                propose=propose,
                fit=believed,
                observations=observations,
                pending=pending,
                options=options,
                new_cost=new_cost,
                replicates=replicates,
                settings=self._otherwise.settings,
                rng=rng,
            )

    def _by_evidence(
        self,
        space: SearchSpace,
        objective: Objective,
        observations: Sequence[Observation],
        pending: Sequence[Point],
        n: int,
        rng: np.random.Generator,
    ) -> list[Proposal] | None:
        """Return proposals by structure as evidence, None where it cannot be any (yet)."""
        encoding = Encoding(space).at(latest(observations))
        evidence = self._evidence(encoding, objective, observations, pending)
        if evidence is None:
            return None
        return choose_by(
            evidence,
            encoding,
            objective,
            observations,
            pending,
            n,
            settings=self._otherwise.settings,
            rng=rng,
        )

    def _evidence(
        self,
        encoding: Encoding,
        objective: Objective,
        observations: Sequence[Observation],
        pending: Sequence[Point],
    ) -> Evidence | None:
        if self._why_not(objective) is None or not can_be_evidence(
            objective, self._otherwise.settings
        ):
            return None
        return gathered(
            encoding,
            objective,
            observations,
            pending,
            settings=self._otherwise.settings,
            at_face_value=self.settings.at_face_value,
            among=self.settings.evidence,
        )

    def _why_not(self, objective: Objective) -> str | None:
        """Say why structure cannot choose, None if it can."""
        if objective.maps or objective.combine == "front" or objective.input_errors:
            return "the objective is a map, a front or robust to input errors"
        if objective.constraints:
            return f"{objective.constraints[0].quantity} has a bound"
        unknown = [q for q in objective.quantities if q not in self.functions]
        if unknown:
            return f"no agent knows how {unknown[0]} follows from structure"
        asked = {
            (f.question, f.numbers) for f in map(self.functions.get, objective.quantities) if f
        }
        return None if len(asked) == 1 else "the targets follow from different structures"

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
        functions = [self.functions[q] for q in objective.quantities]
        readings = readings_of(encoding, observations, functions)
        if not len(readings) or len(readings) + len(pending) < self.settings.n_initial:
            return self._fill(encoding, observations, pending, n)
        made = [o for o in observations if not o.failed]
        success = success_model(encoding, observations)
        waiting: list[Point] = []
        proposals: list[Proposal] = []
        for point in (*pending, *[None] * n):
            model = StructureModel(encoding, readings, functions, rng=rng)
            if point is None:
                aim = aim_at(objective, model, success)
                choices = self._best(encoding, aim, observations, [*pending, *waiting], rng)
                reason = reason_for(aim, encoding, choices, made=made)
                proposals.append(Proposal(values=choices[0].point, reason=reason))
                point = choices[0].point
                waiting.append(point)
                logger.info("chose %s from %d structures", point, len(readings))
            readings = believed(model, readings, encoding.encode([point]))
        return proposals

    def _best(
        self,
        encoding: Encoding,
        aim: Aim,
        observations: Sequence[Observation],
        waiting: Sequence[Point],
        rng: np.random.Generator,
    ) -> list[Choice]:
        made = [o for o in observations if not o.failed]
        x = encoding.encode_observations(made)
        goes_elsewhere = circles(aim.objective, made, x)
        return best_points(
            encoding,
            aim.worth,
            tried=tried_points(observations, waiting),
            centres=[o.values for o in made[-N_CENTRES:]],
            n_candidates=self.settings.n_candidates,
            count=1 + self.settings.n_alternatives,
            last=(lambda rows: no_news(rows, x, aim.success)) if goes_elsewhere else None,
            rng=rng,
        )

    def _fill(
        self,
        encoding: Encoding,
        observations: Sequence[Observation],
        pending: Sequence[Point],
        n: int,
    ) -> list[Proposal]:
        tried = tried_points(observations, pending)
        points = fill(encoding, tried, n, seed=self.settings.seed)
        text = "Fills the space evenly, as no structure was read so far."
        return [Proposal(values=p, reason=Reason(planner=self.name, text=text)) for p in points]


def make(settings: Mapping[str, object]) -> StructuralPlanner:
    """Return the planner `structure`; its settings are those of `StructuralSettings`."""
    return StructuralPlanner(StructuralSettings.model_validate(dict(settings)))


def _after(proposal: Proposal, text: str) -> Proposal:
    """Return the proposal with a sentence after its reason's."""
    reason = proposal.reason.model_copy(update={"text": f"{proposal.reason.text} {text}"})
    return proposal.model_copy(update={"reason": reason})
