"""A study: plan experiments without a laboratory, by asking and telling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from planners.errors import PlanningError
from planners.finite import key_of
from planners.installed import planner_named
from planners.objective import Objective
from planners.proposal import Observation, Prediction, Proposal
from planners.protocols import Planner
from planners.settable import Value
from planners.space import Point, SearchSpace
from planners.standing import best_of, front_of
from planners.study_state import StudyState
from planners.telling import plain_numbers, plain_point, plain_values
from planners.vetoes import Veto, allowed_space, propose_allowed

if TYPE_CHECKING:
    from planners.explaining.records import Explanation

EXPLAINING = 1_000_003
"""Distinguishes the stream of explanations from those of the asks."""


class Study:
    """The caller that remembers: what was asked, told and refused; planners stay stateless.

    Every call to `ask` has a random stream of its own, drawn from the seed and the number of asks
    before it. So a study that was written down and read again goes on bit for bit, also between
    asking and telling, on the same machine with the same library versions.

    Parameters
    ----------
    space : what may be proposed.
    objective : what is wanted.
    planner : name of an installed planner, or a planner object.
    settings : of a planner given by name; the seed of the study is filled in.
    seed : of everything random.

    Raises
    ------
    PlanningError
        No planner of that name can be loaded, or settings were given for a planner object.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        planner: str | Planner = "bayesian",
        settings: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        if not isinstance(planner, str) and settings:
            raise PlanningError(
                f"found settings ({', '.join(settings)}) beside the planner object "
                f"{planner.name!r}, which has its own; give settings to the object, or give the "
                "planner by its name"
            )
        state = StudyState(
            space=space,
            objective=objective,
            planner=planner if isinstance(planner, str) else planner.name,
            settings=dict(settings or {}),
            brought=not isinstance(planner, str),
            seed=seed,
        )
        self._begin(state, planner)

    def _begin(self, state: StudyState, planner: str | Planner) -> None:
        self._state = state
        if isinstance(planner, str):
            planner = planner_named(planner, {"seed": state.seed, **state.settings})
        self._planner = planner
        self._allowed = allowed_space(state.space, state.vetoes)

    @property
    def space(self) -> SearchSpace:
        """What may be proposed."""
        return self._state.space

    @property
    def objective(self) -> Objective:
        """What is wanted."""
        return self._state.objective

    @property
    def observations(self) -> tuple[Observation, ...]:
        """What was told, oldest first."""
        return self._state.observations

    @property
    def pending(self) -> tuple[Proposal, ...]:
        """Proposals that were given out and not answered, oldest first."""
        return self._state.pending

    @property
    def vetoes(self) -> tuple[Veto, ...]:
        """What was refused, and why."""
        return self._state.vetoes

    def ask(self, n: int = 1) -> list[Proposal]:
        """Return `n` points to try next, best first; they are pending until they are told of.

        Raises
        ------
        NothingLeftToPropose
            Fewer than `n` points are left that were neither tried, pending nor refused.
        PlanningError
            `n` is below 1, or the planner cannot serve the space or the objective.
        """
        if n < 1:
            raise PlanningError(f"{n} proposals were asked for; ask for at least 1")
        state = self._state
        proposals = propose_allowed(
            self._planner,
            self._allowed,
            state.objective,
            vetoes=state.vetoes,
            observations=state.observations,
            pending=[p.values for p in state.pending],
            n=n,
            rng=np.random.default_rng([state.seed, state.asks]),
        )
        self._change(asks=state.asks + 1, pending=(*state.pending, *proposals))
        return proposals

    def tell(
        self,
        values: Point | Proposal,
        outcomes: Mapping[str, float] | None = None,
        stds: Mapping[str, float] | None = None,
        *,
        asked: Point | Proposal | None = None,
        failed: str = "",
        p_wrong: float = 0.0,
        cost: float = 0.0,
        context: Mapping[str, Value] | None = None,
    ) -> Observation:
        """Remember what came of an experiment, asked for or not, and return it as remembered.

        Parameters
        ----------
        values : the recipe as executed, or the proposal if it was followed.
        outcomes : quantity → value; what is not known is left out.
        stds : quantity → standard deviation of its value, in its unit.
        asked : the proposal that this answers, where the recipe was executed differently.
        failed : why the experiment gave no outcome.
        p_wrong : probability that the analysis behind the outcomes is wrong altogether.
        context : context variable → what it was.

        Raises
        ------
        PlanningError
            Values, outcomes or context do not belong to the study, or `asked` is not pending.
        pydantic.ValidationError
            The observation contradicts itself, such as an outcome of a failed experiment.
        """
        state = self._state
        made = plain_point(state.space, values)
        known = plain_numbers(outcomes or {})
        if known and not set(known) & set(state.objective.quantities):
            raise PlanningError(
                f"found the outcomes {', '.join(known)}; the objective speaks of "
                f"{', '.join(state.objective.quantities)}. Tell at least one of these, or that the "
                "experiment failed"
            )
        answered = self._answered(made if asked is None else plain_point(state.space, asked))
        if asked is not None and answered is None:
            raise PlanningError(
                f"{plain_point(state.space, asked)} is not pending, so nothing answers it; give "
                "`asked` a proposal that `ask` returned and that was not told of yet, or leave it "
                "out"
            )
        predicted: dict[str, Prediction] = answered.reason.predicted if answered else {}
        observation = Observation(
            values=made,
            outcomes=known,
            stds=plain_numbers(stds or {}),
            failed=bool(failed),
            failure=failed,
            p_wrong=p_wrong,
            cost=cost,
            context=plain_values(state.space, context or {}),
            predicted=predicted,
        )
        self._change(observations=(*state.observations, observation), pending=self._less(answered))
        return observation

    def tell_failed(
        self,
        values: Point | Proposal,
        why: str,
        *,
        asked: Point | Proposal | None = None,
        cost: float = 0.0,
        context: Mapping[str, Value] | None = None,
    ) -> Observation:
        """Remember an experiment that gave no outcome. See `tell`."""
        return self.tell(values, asked=asked, failed=why, cost=cost, context=context)

    def veto(self, point: Point | Proposal, reason: str) -> None:
        """Refuse a point: it is never proposed again, and no longer pending if it was.

        The model learns nothing from a veto. In a continuous space what lies within `SAME_POINT`
        of it counts as the point.

        Raises
        ------
        PlanningError
            No reason is given, or the point does not belong to the space.
        NothingLeftToPropose
            It was the last candidate.
        """
        if not reason.strip():
            raise PlanningError("a veto without a reason was found; say in a few words why")
        values = plain_point(self.space, point)
        faults = self.space.faults(values)
        if faults:
            raise PlanningError(
                f"the refused point could not be proposed anyway: {'; '.join(faults)}; refuse a "
                "point of the space"
            )
        vetoes = (*self.vetoes, Veto(values=values, reason=reason))
        allowed = allowed_space(self.space, vetoes)
        self._change(vetoes=vetoes, pending=self._less(self._answered(values)))
        self._allowed = allowed

    def withdraw(self, point: Point | Proposal) -> None:
        """Forget that a point is pending, such as one that nobody will make after all.

        Raises
        ------
        PlanningError
            It is not pending.
        """
        values = plain_point(self.space, point)
        answered = self._answered(values)
        if answered is None:
            raise PlanningError(f"{values} is not pending; pending are {self._pending_words()}")
        self._change(pending=self._less(answered))

    def best(self) -> Observation | None:
        """Return the best experiment; None without one. See `planners.standing.best_of`."""
        return best_of(self.objective, self.observations)

    def front(self) -> list[Observation]:
        """Return the experiments no other beats. See `planners.standing.front_of`."""
        return front_of(self.objective, self.observations)

    def explain(
        self, point: Point | Proposal | None = None, *, quantity: str | None = None
    ) -> Explanation:
        """Return which names matter and what the prediction at a point is made of.

        See `planners.explaining.explain`.
        """
        # Here, since a study that is not explained need not wait for it.
        from planners.explaining import explain

        return explain(
            self.space,
            self.objective,
            self.observations,
            quantity=quantity,
            point=None if point is None else plain_point(self.space, point),
            rng=np.random.default_rng([self._state.seed, EXPLAINING, len(self.observations)]),
        )

    def to_json(self) -> str:
        """Return everything the study remembers, as JSON text."""
        return self._state.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str, *, planner: Planner | None = None) -> Study:
        """Return the study that `to_json` wrote down; it goes on as if nothing had happened.

        Parameters
        ----------
        planner : the planner object, if the study was begun with one; no file can hold it.

        Raises
        ------
        PlanningError
            The text is no study, or its planner object is missing.
        """
        try:
            state = StudyState.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise PlanningError(
                f"the text is no study of this version ({where}: {first['msg']}); give what "
                "`Study.to_json` returned"
            ) from error
        if state.brought and planner is None:
            raise PlanningError(
                f"the study was begun with the planner object {state.planner!r}, which JSON cannot "
                "hold; give it again as `planner=`"
            )
        study = cls.__new__(cls)
        study._begin(state, planner or state.planner)
        return study

    def add_dataframe(self, frame: Any) -> list[Observation]:
        """Tell every row of a pandas table, and return them as remembered.

        See `planners.study_table.told_rows` for the columns. Nothing is remembered if a row is
        wrong.
        """
        from planners.study_table import told_rows

        rows = told_rows(frame, self.space, self.objective)
        before = self._state
        try:
            return [self.tell(**row) for row in rows]
        except BaseException:
            self._state = before
            raise

    def to_dataframe(self) -> Any:
        """Return the observations as a pandas table, one row each.

        See `planners.study_table.as_frame` for the columns.
        """
        from planners.study_table import as_frame

        return as_frame(self.space, self.objective, self.observations)

    def _change(self, **changes: object) -> None:
        self._state = self._state.model_copy(update=changes)

    def _answered(self, values: Point) -> Proposal | None:
        """Return the oldest pending proposal of these values."""
        key = key_of(self.space, values)
        return next((p for p in self.pending if key_of(self.space, p.values) == key), None)

    def _less(self, answered: Proposal | None) -> tuple[Proposal, ...]:
        return tuple(p for p in self.pending if p is not answered)

    def _pending_words(self) -> str:
        return "; ".join(str(p.values) for p in self.pending) or "none"
