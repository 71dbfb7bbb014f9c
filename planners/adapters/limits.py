"""Which limits of a space a foreign optimiser must keep, and of what it cannot be told."""

from __future__ import annotations

from planners.errors import UnsupportedSpace
from planners.finite import table_of
from planners.objective import Objective
from planners.parameters import ContinuousParameter, MixtureParameter
from planners.space import LinearConstraint, SearchSpace


def linear_limits(space: SearchSpace) -> list[LinearConstraint]:
    """Return the linear constraints, and the total of each mixture as an equality."""
    totals = [
        LinearConstraint(
            coefficients=dict.fromkeys(p.components, 1.0), lower=p.total, upper=p.total
        )
        for p in space.parameters
        if isinstance(p, MixtureParameter)
    ]
    return [*space.linear, *totals]


def require_translatable(planner: str, space: SearchSpace) -> None:
    """Raise UnsupportedSpace for what the borrowed planners cannot be told of.

    Refused are context variables and, in a space that is not finite, a partial candidate list,
    constraints that are not linear, and linear ones of a logarithmic parameter. In a finite space
    every constraint is kept, as only feasible rows are listed.
    """
    if space.context:
        names = ", ".join(v.name for v in space.context)
        raise UnsupportedSpace(
            f"the space reports the context {names}; {planner!r} models settings only. Remove the "
            "context, or use the planner 'bayesian'"
        )
    if table_of(space) is not None:
        return
    if space.is_hybrid:
        raise UnsupportedSpace(
            f"some settings come from a list and others are continuous; {planner!r} takes a list "
            "of all settings or none. Give the others a `step`, or use the planner 'bayesian'"
        )
    for constraint in space.constraints:
        if not isinstance(constraint, LinearConstraint):
            raise UnsupportedSpace(
                f"the constraint {constraint.in_words()} is not linear; {planner!r} takes linear "
                "ones in a space with continuous settings. Use the planner 'bayesian'"
            )
        _require_linear_names(planner, space, constraint)


def require_sought(planner: str, objective: Objective) -> None:
    """Raise UnsupportedSpace if the objective wants more than the best values of quantities.

    Refused are targets that map the space, and input errors, whose spread the borrowed planners
    cannot weigh.
    """
    for target in objective.targets:
        if target.goal not in ("maximize", "minimize", "match"):
            raise UnsupportedSpace(
                f"the target {target.quantity!r} has the goal {target.goal!r}; {planner!r} takes "
                "maximize, minimize and match. Use the planner 'bayesian'"
            )
    if objective.input_errors:
        names = ", ".join(objective.input_errors)
        raise UnsupportedSpace(
            f"the objective states input errors of {names}; {planner!r} takes settings as exact. "
            "Remove them, or use the planner 'bayesian'"
        )


def _require_linear_names(planner: str, space: SearchSpace, constraint: LinearConstraint) -> None:
    for name in constraint.coefficients:
        parameter = space.parameter(name)
        if isinstance(parameter, ContinuousParameter) and parameter.log:
            raise UnsupportedSpace(
                f"the constraint {constraint.in_words()} uses {name!r}, which is searched "
                f"logarithmically; {planner!r} takes linear constraints of linear parameters "
                "only. Search it linearly, or use the planner 'bayesian'"
            )
