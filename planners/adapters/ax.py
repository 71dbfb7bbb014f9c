"""Ax as a planner: its modular BoTorch generator with its own defaults.

Olson et al. 2025, "Ax: A Platform for Adaptive Experimentation", AutoML Conf. (pkg ax-platform).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planners.adapters.frame import BorrowedPlanner, BorrowedSettings, Question, require
from planners.adapters.limits import linear_limits, require_sought, require_translatable
from planners.finite import table_of
from planners.kept import kept
from planners.objective import Objective, Target
from planners.parameters import CategoricalParameter, ContinuousParameter, Value, extremes
from planners.proposal import Observation
from planners.space import Point, SearchSpace

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN = float("nan")
"""How Ax is told that a standard error is not known."""


class AxPlanner(BorrowedPlanner):
    """Ax with the surrogate and acquisition function that it chooses itself.

    A finite space (candidate list or small grid) is scored row by row with the adapter's
    `evaluate_acquisition_function`; for others Ax optimises its acquisition function and the point
    is snapped to what can be set. Every number is a range (logarithmic where the space says so),
    text an unordered choice. A target to match becomes the distance from it before modelling.
    Standard deviations of outcomes become Ax's standard errors if every observation states them;
    `Observation.p_wrong` is not used.
    """

    name = "ax"
    package = "ax"
    extra = "ax"
    own_initial = 5

    def require_served(self, space: SearchSpace, objective: Objective) -> None:
        """Raise UnsupportedSpace for what Ax cannot be told of."""
        require_sought(self.name, objective)
        require_translatable(self.name, space)

    def choose(self, question: Question) -> list[dict[str, Value]]:
        """Return `n` points by Ax's acquisition function."""
        from ax.utils.common.random import with_rng_seed

        with with_rng_seed(question.seed):
            adapter = _fitted(question)
            if question.table is None:
                return _generated(adapter, question)
            return _best_rows(adapter, question)

    def in_words(self, question: Question) -> str:
        """Return how Ax chose."""
        if question.table is None:
            return "Ax optimised its acquisition function."
        count = int(question.free.sum()) if question.free is not None else 0
        return f"Best of {count} untried points by Ax's acquisition function."


def make(settings: Mapping[str, object]) -> AxPlanner:
    """Return the planner `ax`; its settings are those of `BorrowedSettings`.

    Raises
    ------
    PlanningError
        The package is not installed.
    """
    require(AxPlanner.package, planner=AxPlanner.name, extra=AxPlanner.extra)
    return AxPlanner(BorrowedSettings.model_validate(dict(settings)))


@dataclass(frozen=True, slots=True)
class _Translated:
    """A space in Ax's words.

    Attributes
    ----------
    space : Ax's search space.
    codes : name of the space → name in Ax; a name that cannot vary has none.
    features : one ObservationFeatures a row of a finite space, else empty.
    """

    space: Any
    codes: dict[str, str]
    features: tuple[Any, ...]

    def parameters(self, point: Point) -> dict[str, Value]:
        """Return a point with Ax's names."""
        return {code: point[name] for name, code in self.codes.items()}


def _translate(space: SearchSpace) -> _Translated:
    from ax.core.observation import ObservationFeatures
    from ax.core.search_space import SearchSpace as AxSpace

    values = {n: _values(space, n) for n in space.names}
    varying = [n for n in space.names if len(set(values[n])) > 1]
    codes = {n: f"x{i}" for i, n in enumerate(varying)}
    table = table_of(space)
    limits = [] if table is not None else list(_limits(space, codes))
    theirs = AxSpace([_parameter(space, n, codes[n], values[n]) for n in varying], limits)
    points = [] if table is None else [table.point(i) for i in range(len(table))]
    translated = _Translated(space=theirs, codes=codes, features=())
    features = tuple(ObservationFeatures(translated.parameters(p)) for p in points)
    return _Translated(space=theirs, codes=codes, features=features)


def _translated(space: SearchSpace) -> _Translated:
    return kept(space, "ax", _translate)


def _values(space: SearchSpace, name: str) -> tuple[Value, ...]:
    """Return the values of a name, or the two between which all lie."""
    table = table_of(space)
    if table is None:
        return tuple(extremes(space.parameter(name), name))
    column = table.names.index(name)
    return tuple(dict.fromkeys(row[column] for row in table.rows))


def _parameter(space: SearchSpace, name: str, code: str, values: Sequence[Value]) -> Any:
    from ax.core.parameter import ChoiceParameter, ParameterType, RangeParameter

    parameter = space.parameter(name)
    if isinstance(parameter, CategoricalParameter):
        return ChoiceParameter(
            code,
            ParameterType.STRING,
            [str(v) for v in values],
            is_ordered=False,
            sort_values=False,
        )
    numbers = [float(v) for v in values]
    logarithmic = isinstance(parameter, ContinuousParameter) and parameter.log
    return RangeParameter(
        code, ParameterType.FLOAT, min(numbers), max(numbers), log_scale=logarithmic
    )


def _limits(space: SearchSpace, codes: Mapping[str, str]) -> Iterator[Any]:
    from ax.core.parameter_constraint import ParameterConstraint

    for c in linear_limits(space):
        fixed = sum(
            k * float(_values(space, n)[0]) for n, k in c.coefficients.items() if n not in codes
        )
        terms = " + ".join(f"{k!r}*{codes[n]}" for n, k in c.coefficients.items() if n in codes)
        if not terms:
            continue
        if c.lower is not None and c.lower == c.upper:
            yield ParameterConstraint(equality=f"{terms} == {c.lower - fixed!r}")
            continue
        if c.lower is not None:
            yield ParameterConstraint(inequality=f"{terms} >= {c.lower - fixed!r}")
        if c.upper is not None:
            yield ParameterConstraint(inequality=f"{terms} <= {c.upper - fixed!r}")


def _fitted(question: Question) -> Any:
    """Return Ax's adapter with its default surrogate fitted to the observations."""
    from ax.adapter.registry import Generators
    from ax.core.experiment import Experiment
    from ax.core.metric import Metric

    translated = _translated(question.space)
    metrics = _metrics(question.objective)
    experiment = Experiment(
        search_space=translated.space,
        optimization_config=_wanted(question.objective),
        tracking_metrics=[Metric(m) for m in metrics],
        is_test=True,
    )
    data = _attach(experiment, translated, question)
    return Generators.BOTORCH_MODULAR(experiment=experiment, data=data)


def _attach(experiment: Any, translated: _Translated, question: Question) -> Any:
    import pandas as pd
    from ax.core.arm import Arm
    from ax.core.data import Data

    rows: list[dict[str, object]] = []
    tables = {m: _means_and_errors(m, question) for m in _metrics(question.objective)}
    for i, observation in enumerate(question.observations):
        trial = experiment.new_trial()
        trial.add_arm(Arm(translated.parameters(observation.values)))
        trial.mark_running(no_runner_required=True)
        trial.mark_completed()
        rows += [
            {
                "trial_index": trial.index,
                "arm_name": trial.arm.name,
                "metric_name": metric,
                "metric_signature": metric,
                "mean": means[i],
                "sem": errors[i],
            }
            for metric, (means, errors) in tables.items()
        ]
    return Data(df=pd.DataFrame(rows))


def _metrics(objective: Objective) -> dict[str, tuple[str, Target | None]]:
    """Return Ax's metric → quantity and target; constraints have metrics of their own."""
    wanted: dict[str, tuple[str, Target | None]] = {
        f"m{i}": (t.quantity, t) for i, t in enumerate(objective.targets)
    }
    bound = dict.fromkeys(c.quantity for c in objective.constraints)
    return wanted | {f"c{i}": (q, None) for i, q in enumerate(bound)}


def _means_and_errors(metric: str, question: Question) -> tuple[list[float], list[float]]:
    quantity, target = _metrics(question.objective)[metric]
    values = [o.outcomes[quantity] for o in question.observations]
    if target is not None and target.goal == "match":
        assert target.value is not None
        values = [abs(v - target.value) for v in values]
    return values, _errors(quantity, question.observations)


def _errors(quantity: str, observations: Sequence[Observation]) -> list[float]:
    """Return standard errors, all unknown if one is: Ax takes one kind of noise for a metric."""
    stds = [o.stds.get(quantity, 0.0) for o in observations]
    return stds if all(s > 0 for s in stds) else [UNKNOWN] * len(stds)


def _wanted(objective: Objective) -> Any:
    from ax.core.objective import Objective as AxObjective
    from ax.core.optimization_config import MultiObjectiveOptimizationConfig, OptimizationConfig
    from ax.core.outcome_constraint import OutcomeConstraint

    metrics = _metrics(objective)
    same = {m: m for m in metrics}
    codes = {q: m for m, (q, target) in metrics.items() if target is None}
    bounds = [
        f"{codes[c.quantity]} {sign} {bound!r}"
        for c in objective.constraints
        for sign, bound in ((">=", c.lower), ("<=", c.upper))
        if bound is not None
    ]
    front = objective.combine == "front" and len(objective.targets) > 1
    terms = [_term(f"m{i}", t, objective) for i, t in enumerate(objective.targets)]
    kind = MultiObjectiveOptimizationConfig if front else OptimizationConfig
    return kind(
        objective=AxObjective(
            (", " if front else " + ").join(terms), metric_name_to_signature=same
        ),
        outcome_constraints=[OutcomeConstraint(b, metric_name_to_signature=same) for b in bounds],
    )


def _term(metric: str, target: Target, objective: Objective) -> str:
    sign = "" if target.goal == "maximize" else "-"
    if len(objective.targets) == 1 or objective.combine == "front":
        return f"{sign}{metric}"
    return f"{sign}{target.weight / (target.scale or target.tolerance or 1.0)!r}*{metric}"


def _pending(question: Question, points: Sequence[Point]) -> dict[str, list[Any]] | None:
    from ax.core.observation import ObservationFeatures

    if not points:
        return None
    translated = _translated(question.space)
    # Ax transforms them in place, so each metric has its own
    return {
        metric: [ObservationFeatures(translated.parameters(p)) for p in points]
        for metric in _metrics(question.objective)
    }


def _best_rows(adapter: Any, question: Question) -> list[dict[str, Value]]:
    """Return the rows with the best acquisition value, each pending for the next."""
    import numpy as np

    assert question.table is not None
    assert question.free is not None
    features = _translated(question.space).features
    left = [int(i) for i in np.flatnonzero(question.free)]
    chosen: list[dict[str, Value]] = []
    for _ in range(question.n):
        values = adapter.evaluate_acquisition_function(
            observation_features=[features[i] for i in left],
            pending_observations=_pending(question, [*question.pending, *chosen]),
        )
        best = left.pop(int(np.argmax(values)))
        chosen.append(question.table.point(best))
    return chosen


def _generated(adapter: Any, question: Question) -> list[dict[str, Value]]:
    """Return what Ax's optimiser of the acquisition function finds."""
    translated = _translated(question.space)
    run = adapter.gen(n=question.n, pending_observations=_pending(question, question.pending))
    found: list[dict[str, Value]] = []
    for arm in run.arms:
        point = {n: _values(question.space, n)[0] for n in question.space.names}
        for name, code in translated.codes.items():
            value = arm.parameters[code]
            point[name] = value if isinstance(value, str) else float(value)
        found.append(point)
    return found
