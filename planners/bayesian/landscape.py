"""What the surrogate believes along one or two names: the landscape for reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planners.bayesian.gaussian_process import SurrogateFailed
from planners.bayesian.surrogate import fit_quantity, fit_surrogates
from planners.context import latest
from planners.encoding import Array, Encoding
from planners.objective import Objective
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    MixtureParameter,
    Value,
)
from planners.proposal import Observation
from planners.space import Point, SearchSpace

MAX_SETTINGS = 50
"""Discrete settings drawn on one axis at most."""


@dataclass(frozen=True, slots=True)
class Landscape:
    """Mean and standard deviation of one quantity along one or two names.

    Attributes
    ----------
    names : the names that vary, one or two.
    axes : their settings, one array a name: numbers in the name's unit, or categories.
    mean, std : noise-free quantity, in its unit; shape (n_1,) or (n_1, n_2), first name first.
    quantity : what is predicted.
    held : every other name and its setting: the chosen point's or the best experiment's (for the
        other components of a mixture: their amounts before they make room).
    """

    names: tuple[str, ...]
    axes: tuple[npt.NDArray[np.float64] | npt.NDArray[np.str_], ...]
    mean: Array
    std: Array
    quantity: str
    held: dict[str, Value]


def landscape(
    space: SearchSpace,
    objective: Objective,
    observations: Sequence[Observation],
    *,
    names: tuple[str, ...],
    grid: int = 40,
    quantity: str | None = None,
    through: Point | None = None,
    rng: np.random.Generator | None = None,  # noqa: ARG001  the fit is deterministic
) -> Landscape | None:
    """Return the landscape of `quantity` (default: the first target) along one or two names.

    Other names stand as in the point `through`, by default the best experiment. Where a component
    of a mixture varies, the other components share what is left in their present proportion; NaN
    where that leaves their bounds.
    Context variables stand as reported last. Linear constraints are not looked at. No randomness is
    drawn; `rng` is accepted so that a caller can treat all model calls alike.

    Returns
    -------
    None if no model is possible, such as from fewer than two experiments or constant outcomes.

    Raises
    ------
    ValueError
        Not one or two names of the space, or two of one mixture.
    """
    _check(space, names)
    wanted = quantity or objective.targets[0].quantity
    rows = [o for o in observations if not o.failed and wanted in o.outcomes]
    encoding = Encoding(space, latest(observations))
    try:
        if wanted in objective.quantities:
            surrogate = fit_surrogates(encoding, objective, observations)[wanted]
        elif len(rows) < 2:
            return None
        else:
            surrogate = fit_quantity(encoding, wanted, rows)
    except SurrogateFailed:
        return None
    complete = [o for o in rows if all(q in o.outcomes for q in objective.quantities)] or rows
    best = max(complete, key=lambda o: _rank(objective, o, wanted)).values
    start = dict(best if through is None else through)
    axes = tuple(_axis(space, name, grid) for name in names)
    shape = tuple(len(a) for a in axes)
    points = [
        _moved(space, dict(start), {n: a[i] for n, a, i in zip(names, axes, at, strict=True)})
        for at in np.ndindex(*shape)
    ]
    inside = np.array([p is not None for p in points])
    mean, std = np.full(len(points), np.nan), np.full(len(points), np.nan)
    mean[inside], std[inside] = surrogate.predict(encoding.encode([p for p in points if p]))
    return Landscape(
        names=tuple(names),
        axes=axes,
        mean=mean.reshape(shape),
        std=std.reshape(shape),
        quantity=wanted,
        held={n: v for n, v in start.items() if n not in names},
    )


def _check(space: SearchSpace, names: tuple[str, ...]) -> None:
    unknown = [n for n in names if n not in space.names]
    if len(names) not in (1, 2) or unknown or len(set(names)) != len(names):
        raise ValueError(
            f"a landscape runs along one or two different names, found {list(names)}; the space "
            f"has {', '.join(space.names)}"
        )
    owners = [space.parameter(n) for n in names]
    if len(owners) == 2 and owners[0] == owners[1]:
        raise ValueError(
            f"{names[0]} and {names[1]} belong to one mixture and cannot vary on their own; take "
            "one of them"
        )


def _rank(objective: Objective, observation: Observation, quantity: str) -> tuple[bool, float]:
    if not all(q in observation.outcomes for q in objective.quantities):
        return False, observation.outcomes[quantity]
    return objective.is_feasible(observation.outcomes), objective.utility(observation.outcomes)


def _axis(
    space: SearchSpace, name: str, grid: int
) -> npt.NDArray[np.float64] | npt.NDArray[np.str_]:
    p = space.parameter(name)
    if isinstance(p, CategoricalParameter):
        return np.array(p.categories)
    if isinstance(p, MixtureParameter):
        return np.linspace(*p.bounds(name), grid)
    if isinstance(p, DiscreteParameter) and len(p.values) <= MAX_SETTINGS:
        return np.array(sorted(p.values), dtype=np.float64)
    if isinstance(p, ContinuousParameter) and p.log:
        return np.geomspace(p.low, p.high, grid)
    low, high = (
        (p.low, p.high) if isinstance(p, ContinuousParameter) else (min(p.values), max(p.values))
    )
    return np.linspace(low, high, grid)


def _moved(
    space: SearchSpace, point: dict[str, Value], settings: dict[str, object]
) -> dict[str, Value] | None:
    for name, setting in settings.items():
        p = space.parameter(name)
        point[name] = str(setting) if isinstance(p, CategoricalParameter) else float(str(setting))
        if isinstance(p, MixtureParameter) and not _make_room(p, point, name):
            return None
    return point


def _make_room(p: MixtureParameter, point: dict[str, Value], name: str) -> bool:
    """Scale the other components to what `name` leaves; False if that breaks their bounds."""
    others = [c for c in p.components if c != name]
    left = p.total - float(point[name])
    present = sum(float(point[c]) for c in others)
    for c in others:
        point[c] = left * (float(point[c]) / present if present > 0 else 1.0 / len(others))
    return all(p.fault(c, float(point[c])) is None for c in others)
