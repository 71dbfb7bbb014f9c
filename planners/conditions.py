"""Parameters that exist only under a condition: which are active, and what the others stand at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from planners.kept import kept
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    MixtureParameter,
    Parameter,
    SingleParameter,
)
from planners.settable import Value, same

if TYPE_CHECKING:
    from planners.space import SearchSpace

Mask = npt.NDArray[np.bool_]


def conditional(space: SearchSpace) -> tuple[SingleParameter, ...]:
    """Return the parameters with a condition, each after those it depends on."""
    return kept(space, "conditional", _in_order)


def condition_names(space: SearchSpace) -> frozenset[str]:
    """Return the names that some condition looks at."""
    return frozenset(name for p in conditional(space) for name in p.only_if)


def check_conditions(space: SearchSpace) -> None:
    """Raise ValueError if a condition speaks of what it cannot, or conditions run in a circle."""
    for p in space.parameters:
        if isinstance(p, MixtureParameter):
            continue
        for name, values in p.only_if.items():
            if name not in space.names or name == p.name:
                raise ValueError(
                    f"parameter {p.name!r} depends on {name!r}, which no other parameter sets; "
                    f"there are {', '.join(n for n in space.names if n != p.name)}"
                )
            _check_parent(p.name, space.parameter(name), values)
    ordered = {p.name for p in _in_order(space)}
    circle = [
        p.names[0]
        for p in space.parameters
        if not isinstance(p, MixtureParameter) and p.only_if and p.name not in ordered
    ]
    if circle:
        raise ValueError(
            f"the conditions of {', '.join(circle)} depend on one another in a circle; remove one "
            "`only_if`"
        )


def inactive(space: SearchSpace, point: Mapping[str, Value]) -> list[str]:
    """Return the names whose condition does not hold at a point.

    A name that depends on an inactive one is inactive too. Of a part of a point, only names that
    it holds together with all they depend on.
    """
    found: list[str] = []
    for p in conditional(space):
        if p.name not in point or not all(name in point for name in p.only_if):
            continue
        for name, values in p.only_if.items():
            if name in found or not _is_among(space.parameter(name), point[name], values):
                found.append(p.name)
                break
    return found


def settle(space: SearchSpace, point: Mapping[str, Value]) -> dict[str, Value]:
    """Return the point with every inactive name at its `otherwise`."""
    settled = dict(point)
    if conditional(space):
        for name in inactive(space, point):
            settled[name] = resting(space, name)
    return settled


def resting(space: SearchSpace, name: str) -> Value:
    """Return the value that a conditional name takes where its condition does not hold."""
    parameter = space.parameter(name)
    assert not isinstance(parameter, MixtureParameter)
    return parameter.resting


def condition_faults(space: SearchSpace, point: Mapping[str, Value]) -> Iterator[str]:
    """Say which inactive names stand elsewhere than at their `otherwise`."""
    if not conditional(space):
        return
    for name in inactive(space, point):
        wanted = resting(space, name)
        if not same(point[name], wanted):
            parameter = space.parameter(name)
            assert not isinstance(parameter, MixtureParameter)
            when = " and ".join(
                f"{n} is {' or '.join(map(_shown, v))}" for n, v in parameter.only_if.items()
            )
            yield (
                f"{name} = {_shown(point[name])} plays no role here (only if {when}); there it "
                f"must be {_shown(wanted)}"
            )


def inactive_rows(space: SearchSpace, table: Mapping[str, npt.NDArray[Any]]) -> dict[str, Mask]:
    """Return conditional name → rows of a table in which it is inactive, shape (n_rows,).

    Names whose parents the table does not hold are left out.
    """
    found: dict[str, Mask] = {}
    for p in conditional(space):
        if not all(name in table for name in p.only_if):
            continue
        off = np.zeros(len(table[next(iter(p.only_if))]), dtype=np.bool_)
        for name, values in p.only_if.items():
            parent = space.parameter(name)
            cells = table[name].tolist()
            among = {v: _is_among(parent, v, values) for v in set(cells)}
            off |= np.array([not among[v] for v in cells], dtype=np.bool_)
            off |= found.get(name, np.zeros_like(off))
        found[p.name] = off
    return found


def _in_order(space: SearchSpace) -> tuple[SingleParameter, ...]:
    waiting = [p for p in space.parameters if not isinstance(p, MixtureParameter) and p.only_if]
    ordered: list[SingleParameter] = []
    while waiting:
        names = {p.name for p in waiting}
        ready = [p for p in waiting if not names & set(p.only_if)]
        if not ready:
            break
        ordered += ready
        waiting = [p for p in waiting if p not in ready]
    return tuple(ordered)


def _check_parent(name: str, parent: Parameter, values: tuple[Value, ...]) -> None:
    endless = isinstance(parent, ContinuousParameter) and parent.step is None
    if endless or isinstance(parent, MixtureParameter):
        raise ValueError(
            f"parameter {name!r} depends on {parent.name!r}, which is not a choice among values; "
            "give that a `step`, or make it discrete or categorical"
        )
    for value in values:
        fault = parent.fault(parent.name, value)
        if fault is not None:
            raise ValueError(
                f"parameter {name!r} depends on a setting that does not exist: {fault}; correct "
                "its `only_if`"
            )


def _is_among(parent: Parameter, value: Value, values: tuple[Value, ...]) -> bool:
    if isinstance(parent, CategoricalParameter) or isinstance(value, str):
        return value in values
    assert not isinstance(parent, MixtureParameter)
    settled = parent.snap(float(value))
    return any(same(settled, v) for v in values)


def _shown(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:g}"
