"""BayBE as a planner: its default recommender (qLogEI, or qLogNEHVI for a front).

Fitzner et al. 2025, doi:10.1039/D5DD00050E (pkg baybe).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from planners.adapters.frame import BorrowedPlanner, BorrowedSettings, Question, require
from planners.adapters.limits import linear_limits, require_sought, require_translatable
from planners.errors import UnsupportedSpace
from planners.finite import table_of
from planners.kept import kept
from planners.objective import Objective
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    Parameter,
    Value,
    extremes,
)
from planners.proposal import Observation
from planners.space import LinearConstraint, Point, SearchSpace

MAX_COMBINATIONS = 32
"""Settings of the discrete parameters that are optimised one by one beside continuous ones."""

UTILITY = "utility"


class BaybePlanner(BorrowedPlanner):
    """BayBE with the surrogate and acquisition function that it chooses itself.

    A finite space (candidate list or small grid) becomes a discrete subspace whose measured and
    pending rows are masked out; numbers are numerical parameters without tolerance, text is one-hot
    encoded. Other spaces are hybrid: steps are optimised as continuous and snapped, logarithmic
    parameters enter as logarithms. Several weighted targets, or one to match, become one utility
    before modelling. BayBE takes neither constraints on outcomes nor an error of each value:
    the first are refused, `Observation.stds` and `Observation.p_wrong` are not used.
    """

    name = "baybe"
    package = "baybe"
    extra = "baybe"
    own_initial = 1

    def require_served(self, space: SearchSpace, objective: Objective) -> None:
        """Raise UnsupportedSpace for outcome constraints and for constraints across kinds."""
        require_sought(self.name, objective)
        if objective.constraints:
            names = ", ".join(c.quantity for c in objective.constraints)
            raise UnsupportedSpace(
                f"the objective constrains {names}; BayBE takes no constraints on outcomes. Make "
                "them targets of a front, or use the planner 'bayesian' or 'ax'"
            )
        require_translatable(self.name, space)
        if table_of(space) is None:
            for constraint in space.linear:
                _require_continuous(space, constraint)

    def choose(self, question: Question) -> list[dict[str, Value]]:
        """Return `n` points by BayBE's default recommender."""
        import pandas as pd
        from baybe.settings import Settings

        translated = _translated(question.space)
        with Settings(random_seed=question.seed):
            waiting = pd.DataFrame([translated.row(p) for p in question.pending])
            found = _recommender(translated).recommend(
                question.n,
                _masked(translated, question.free),
                _wanted(question.objective),
                _measured(translated, question),
                waiting if len(waiting) else None,
            )
        if question.table is not None:
            return [question.table.point(int(i)) for i in found.index]
        return [translated.point(row) for row in found.to_dict(orient="records")]

    def in_words(self, question: Question) -> str:
        """Return how BayBE chose."""
        if question.free is None:
            return "BayBE's default recommender optimised its acquisition function."
        return f"Best of {int(question.free.sum())} untried points by BayBE's default recommender."


def make(settings: Mapping[str, object]) -> BaybePlanner:
    """Return the planner `baybe`; its settings are those of `BorrowedSettings`.

    Raises
    ------
    PlanningError
        The package is not installed.
    """
    require(BaybePlanner.package, planner=BaybePlanner.name, extra=BaybePlanner.extra)
    return BaybePlanner(BorrowedSettings.model_validate(dict(settings)))


def _require_continuous(space: SearchSpace, constraint: LinearConstraint) -> None:
    for name in constraint.coefficients:
        if isinstance(space.parameter(name), DiscreteParameter):
            raise UnsupportedSpace(
                f"the constraint {constraint.in_words()} binds the listed values of {name!r} to "
                "other parameters; BayBE constrains either continuous parameters or a discrete "
                "grid. Use the planner 'bayesian' or 'ax'"
            )


@dataclass(frozen=True, slots=True)
class _Translated:
    """A space in BayBE's words.

    Attributes
    ----------
    space : BayBE's search space.
    logarithmic : names that BayBE sees as natural logarithms.
    fixed : names that cannot vary, and their value; BayBE does not see them.
    names : names that BayBE sees.
    n_combinations : settings of the discrete part.
    """

    space: Any
    logarithmic: frozenset[str]
    fixed: dict[str, Value]
    names: tuple[str, ...]
    n_combinations: int

    def row(self, point: Point) -> dict[str, Value]:
        """Return a point as BayBE sees it."""
        return {
            n: math.log(float(point[n])) if n in self.logarithmic else point[n] for n in self.names
        }

    def point(self, row: Mapping[str, Any]) -> dict[str, Value]:
        """Return what BayBE recommends as a point of our space."""
        found = {n: v if isinstance(v, str) else float(v) for n, v in row.items()}
        return self.fixed | {
            n: math.exp(float(v)) if n in self.logarithmic else v for n, v in found.items()
        }


def _translate(space: SearchSpace) -> _Translated:
    table = table_of(space)
    return _listed(space) if table is not None else _hybrid(space)


def _translated(space: SearchSpace) -> _Translated:
    return kept(space, "baybe", _translate)


def _listed(space: SearchSpace) -> _Translated:
    """Return the discrete subspace of a finite space; row numbers stay."""
    import pandas as pd
    from baybe.searchspace import SearchSpace as BaybeSpace
    from baybe.searchspace import SubspaceDiscrete

    table = table_of(space)
    assert table is not None
    frame = pd.DataFrame(list(table.rows), columns=list(table.names))
    values = {n: list(dict.fromkeys(frame[n])) for n in table.names}
    names = tuple(n for n in table.names if len(values[n]) > 1)
    parameters = [_discrete(space.parameter(n), n, values[n]) for n in names]
    discrete = SubspaceDiscrete.from_dataframe(frame[list(names)], parameters)
    return _Translated(
        space=BaybeSpace(discrete=discrete),
        logarithmic=frozenset(),
        fixed={n: values[n][0] for n in table.names if n not in names},
        names=names,
        n_combinations=len(table),
    )


def _hybrid(space: SearchSpace) -> _Translated:
    from baybe.searchspace import SearchSpace as BaybeSpace

    values = {n: extremes(space.parameter(n), n) for n in space.names}
    names = tuple(n for n in space.names if len(set(values[n])) > 1)
    grouped = {n: space.parameter(n) for n in names}
    logarithmic = frozenset(
        n for n, p in grouped.items() if isinstance(p, ContinuousParameter) and p.log
    )
    listed = [
        n for n, p in grouped.items() if isinstance(p, CategoricalParameter | DiscreteParameter)
    ]
    parameters = [
        _discrete(grouped[n], n, values[n])
        if n in listed
        else _continuous(n, values[n], logarithmic=n in logarithmic)
        for n in names
    ]
    fixed = {n: values[n][0] for n in space.names if n not in names}
    limits = [
        part
        for c in linear_limits(space)
        for part in _limits(c, {n: float(v) for n, v in fixed.items() if not isinstance(v, str)})
    ]
    return _Translated(
        space=BaybeSpace.from_product(parameters, limits),
        logarithmic=logarithmic,
        fixed=fixed,
        names=names,
        n_combinations=math.prod(len(values[n]) for n in listed),
    )


def _discrete(parameter: Parameter, name: str, values: Sequence[Value]) -> Any:
    from baybe.parameters import CategoricalParameter as Labels
    from baybe.parameters import NumericalDiscreteParameter as Numbers

    if isinstance(parameter, CategoricalParameter):
        return Labels(name, [str(v) for v in values], encoding="OHE")
    return Numbers(name, [float(v) for v in values], tolerance=0.0)


def _continuous(name: str, values: Sequence[Value], *, logarithmic: bool) -> Any:
    from baybe.parameters import NumericalContinuousParameter

    low, high = (float(v) for v in (values[0], values[-1]))
    bounds = (math.log(low), math.log(high)) if logarithmic else (low, high)
    return NumericalContinuousParameter(name, bounds)


def _limits(constraint: LinearConstraint, fixed: Mapping[str, float]) -> list[Any]:
    from baybe.constraints import ContinuousLinearConstraint

    taken = sum(k * fixed[n] for n, k in constraint.coefficients.items() if n in fixed)
    free = {n: k for n, k in constraint.coefficients.items() if n not in fixed}
    sides = ((">=", constraint.lower), ("<=", constraint.upper))
    if constraint.lower is not None and constraint.lower == constraint.upper:
        sides = (("=", constraint.lower), ("=", None))
    return [
        ContinuousLinearConstraint(list(free), sign, list(free.values()), bound - taken)
        for sign, bound in sides
        if bound is not None and free
    ]


def _recommender(translated: _Translated) -> Any:
    from baybe.recommenders import BotorchRecommender

    if translated.n_combinations <= MAX_COMBINATIONS or translated.space.continuous.is_empty:
        return BotorchRecommender()
    share = MAX_COMBINATIONS / translated.n_combinations
    return BotorchRecommender(hybrid_sampler="Random", sampling_percentage=share)


def _masked(translated: _Translated, free: npt.NDArray[np.bool_] | None) -> Any:
    """Return the space without the rows that were tried, as BayBE's own campaign does it."""
    if free is None:
        return translated.space
    from baybe.searchspace import SearchSpace as BaybeSpace
    from baybe.searchspace._filtered import FilteredSubspaceDiscrete

    return BaybeSpace(
        discrete=FilteredSubspaceDiscrete.from_subspace(translated.space.discrete, free)
    )


def _is_front(objective: Objective) -> bool:
    return objective.combine == "front" and len(objective.targets) > 1


def _is_plain(objective: Objective) -> bool:
    """Return whether every target enters as its own quantity."""
    plain = all(t.goal != "match" for t in objective.targets)
    return plain and (_is_front(objective) or len(objective.targets) == 1)


def _wanted(objective: Objective) -> Any:
    from baybe.objectives import ParetoObjective, SingleTargetObjective
    from baybe.targets import NumericalTarget

    names = _columns(objective)
    targets = [
        NumericalTarget(name, minimize=_is_plain(objective) and target.goal == "minimize")
        for name, target in zip(names, objective.targets, strict=False)
    ]
    return ParetoObjective(targets) if _is_front(objective) else SingleTargetObjective(targets[0])


def _columns(objective: Objective) -> list[str]:
    if _is_front(objective):
        return [f"{UTILITY}_{i}" for i in range(len(objective.targets))]
    return [UTILITY]


def _outcomes(observation: Observation, objective: Objective) -> list[float]:
    """Return what BayBE models of one observation, one number a column."""
    if _is_plain(objective):
        return [observation.outcomes[t.quantity] for t in objective.targets]
    if _is_front(objective):
        return [t.utility(observation.outcomes[t.quantity]) for t in objective.targets]
    return [objective.utility(observation.outcomes)]


def _measured(translated: _Translated, question: Question) -> Any:
    import pandas as pd

    columns = _columns(question.objective)
    return pd.DataFrame(
        [
            translated.row(o.values)
            | dict(zip(columns, _outcomes(o, question.objective), strict=True))
            for o in question.observations
        ]
    )
