"""What a person tells, made plain: numbers of any kind become floats, names are checked."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from planners.encoding import require_names
from planners.errors import PlanningError
from planners.parameters import CategoricalParameter
from planners.proposal import Proposal
from planners.settable import Value
from planners.space import Point, SearchSpace


def plain_point(space: SearchSpace, told: Point | Proposal) -> dict[str, Value]:
    """Return a recipe in the order of the space's names, with plain numbers and text.

    Numbers may lie off a grid or outside a bound, as recipes do that were really executed.

    Raises
    ------
    PlanningError
        A name is missing or unknown, a category is unknown, or a number is none.
    """
    values = told.values if isinstance(told, Proposal) else told
    require_names(space, values)
    strangers = [n for n in values if n not in space.names]
    if strangers:
        raise PlanningError(
            f"found values of {', '.join(strangers)}; the space has the names "
            f"{', '.join(space.names)}. Leave the others out, or tell them as `context`"
        )
    return {name: _setting(space, name, values[name]) for name in space.names}


def plain_values(space: SearchSpace, reported: Mapping[str, Any]) -> dict[str, Value]:
    """Return reported context variables with plain numbers and text.

    Raises
    ------
    PlanningError
        A context variable is unknown, or a number is none.
    """
    known = {v.name: v for v in space.context}
    found: dict[str, Value] = {}
    for name, value in reported.items():
        if name not in known:
            listed = ", ".join(known) or "none"
            raise PlanningError(
                f"found the context variable {name!r}; the space knows {listed}. Declare it in "
                "`SearchSpace.context`, or leave it out"
            )
        found[name] = str(value) if known[name].categories else plain_number(name, value)
    return found


def plain_numbers(told: Mapping[str, Any]) -> dict[str, float]:
    """Return quantities as floats. Raises PlanningError if one is no number."""
    return {name: plain_number(name, value) for name, value in told.items()}


def plain_number(name: str, value: object) -> float:
    """Return a number of any kind as a float. Raises PlanningError if it is none."""
    if isinstance(value, Real):
        return float(value)
    raise PlanningError(f"{name} = {value!r} is no number; tell a number, in the unit of {name}")


def _setting(space: SearchSpace, name: str, value: object) -> Value:
    parameter = space.parameter(name)
    if not isinstance(parameter, CategoricalParameter):
        return plain_number(name, value)
    text = str(value)
    fault = parameter.fault(name, text)
    if fault is not None:
        raise PlanningError(f"{fault}; tell one of the categories of the space")
    return text
