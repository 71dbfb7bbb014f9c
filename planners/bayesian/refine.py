"""Better points near good ones: gradients for what is continuous, single moves for the rest.

Importing this file imports torch.
"""

from __future__ import annotations

import logging

import numpy as np
import torch
from botorch.exceptions.errors import BotorchError
from botorch.generation.gen import gen_candidates_scipy

from planners.bayesian.acquisition import Acquisition
from planners.bayesian.trust_region import Box
from planners.conditions import condition_names, conditional, inactive, settle
from planners.encoding import Array, Encoding
from planners.listed import listing_of
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    MixtureParameter,
    Parameter,
    Value,
)
from planners.space import Point

logger = logging.getLogger(__name__)

MAX_ITERATIONS = 60
MAX_MOVES = 30
"""Settings of one discrete name, or rows of a list, tried as single moves, the nearest ones."""

HALVINGS = 6
"""How often the way to a point that breaks a constraint is halved, back to where it started."""

Terms = tuple[torch.Tensor, torch.Tensor, float]
"""Columns, coefficients, right side: BoTorch's form of a linear constraint."""


def refine(
    encoding: Encoding, acquisition: Acquisition, starts: Array, *, within: Box | None = None
) -> list[dict[str, Value]]:
    """Return the feasible points that gradient ascent reaches from start coordinates.

    Categories, discrete values, rows of a list and what is only reported stay as they are, and so
    do names that a condition looks at and names whose condition does not hold; stepped parameters
    move freely and are snapped at the end. Mixture totals and linear constraints hold on the way.
    A constraint is not linear in a logarithmic coordinate, so a logarithmic name in a constraint
    stays put too. Other constraints are looked at afterwards: a point that breaks one is pulled
    back towards its start, which breaks none.

    Parameters
    ----------
    within : box that holds the starts and is not left; the whole cube if None.
    """
    always = _fixed_columns(encoding)
    found: list[dict[str, Value]] = []
    for group in _by_fixed_values(starts, always):
        fixed = _with_inactive(encoding, group[0], always)
        if all(fixed):
            continue
        reached = _ascend(encoding, acquisition, group, fixed, within)
        ok = np.isfinite(reached).all(axis=1)
        found += _feasible(encoding, group[ok], reached[ok])
    return found


def _ascend(
    encoding: Encoding,
    acquisition: Acquisition,
    group: Array,
    fixed: list[bool],
    within: Box | None,
) -> Array:
    """Return the coordinates reached from each start, those of a failed search as none."""
    held = {i: float(group[0, i]) for i, stays in enumerate(fixed) if stays}
    equal, above = linear_terms(encoding)
    try:
        rows, _ = gen_candidates_scipy(
            torch.as_tensor(group, dtype=torch.float64).unsqueeze(1),
            acquisition.function,
            lower_bounds=0.0 if within is None else torch.as_tensor(within.lower),
            upper_bounds=1.0 if within is None else torch.as_tensor(within.upper),
            equality_constraints=_moving(equal, fixed) or None,
            inequality_constraints=_moving(above, fixed) or None,
            fixed_features=held or None,
            options={"maxiter": MAX_ITERATIONS},
        )
    except (BotorchError, ValueError, RuntimeError) as error:
        logger.warning("refining %d points failed, samples stand: %s", len(group), error)
        return np.full(group.shape, np.nan)
    return np.asarray(rows.squeeze(1).detach().numpy(), dtype=np.float64)


def _feasible(encoding: Encoding, starts: Array, reached: Array) -> list[dict[str, Value]]:
    space = encoding.space
    if len(space.linear) == len(space.constraints):
        return encoding.decode(reached)
    found: list[dict[str, Value]] = []
    for start, end in zip(starts, reached, strict=True):
        for halving in range(HALVINGS):
            points = encoding.snap_feasible((start + 0.5**halving * (end - start))[None])
            if points:
                found += points
                break
    return found


def neighbours(encoding: Encoding, point: Point) -> list[dict[str, Value]]:
    """Return the feasible points that differ from `point` in one value that has steps.

    Of a list beside free names, the nearest rows; the free values stay.
    """
    space = encoding.space
    moves = [
        {parameter.names[0]: setting}
        for parameter in space.parameters
        if parameter.names[0] not in space.listed
        for setting in _other_settings(parameter, point)
    ]
    listing = listing_of(space) if space.is_hybrid else None
    if listing is not None:
        rows = listing.nearest(listing.locate(space, point), MAX_MOVES + 1)
        moves += [listing.point(row) for row in rows]
    here = settle(space, point)
    moved = [settle(space, {**point, **move}) for move in moves]
    return [p for p in moved if p != here and space.obeys(p)]


def linear_terms(encoding: Encoding) -> tuple[list[Terms], list[Terms]]:
    """Return the equalities and the inequalities (``sum >= right side``) in coordinates.

    Without the constraints that are not linear in coordinates: of logarithmic names, and of names
    that stand at 0.5 where they play no role.
    """
    equal = [
        _terms(encoding, dict.fromkeys(p.components, 1.0), p.total)
        for p in encoding.space.parameters
        if isinstance(p, MixtureParameter)
    ]
    above: list[Terms] = []
    for c in encoding.space.linear:
        if _bent_names(encoding) & set(c.coefficients):
            continue
        if c.lower is not None and c.lower == c.upper:
            equal.append(_terms(encoding, c.coefficients, c.lower))
            continue
        if c.lower is not None:
            above.append(_terms(encoding, c.coefficients, c.lower))
        if c.upper is not None:
            negated = {n: -k for n, k in c.coefficients.items()}
            above.append(_terms(encoding, negated, -c.upper))
    return equal, above


def _moving(terms: list[Terms], fixed: list[bool]) -> list[Terms]:
    """Return the terms with a column that is not fixed; the others cannot be broken on the way."""
    return [t for t in terms if not all(fixed[int(i)] for i in t[0])]


def _terms(encoding: Encoding, coefficients: dict[str, float], side: float) -> Terms:
    indices: list[int] = []
    slopes: list[float] = []
    for i, column in enumerate(encoding.columns):
        k = coefficients.get(column.name, 0.0)
        side -= k * column.low
        if k * (column.high - column.low) != 0.0:
            indices.append(i)
            slopes.append(k * (column.high - column.low))
    return torch.tensor(indices), torch.tensor(slopes, dtype=torch.float64), side


def _bent_names(encoding: Encoding) -> set[str]:
    """Return the names whose value is not linear in their coordinate."""
    return {c.name for c in encoding.columns if c.log} | {
        p.name for p in conditional(encoding.space)
    }


def _fixed_columns(encoding: Encoding) -> list[bool]:
    space = encoding.space
    # a constraint that holds a bent name holds its other names as well: what is left of it
    # cannot be given to the optimiser
    frozen = {
        n
        for c in space.linear
        if _bent_names(encoding) & set(c.coefficients)
        for n in c.coefficients
    }
    stays = frozen | space.listed | condition_names(space)
    return [not c.relaxed or c.high == c.low or c.name in stays for c in encoding.columns]


def _with_inactive(encoding: Encoding, row: Array, fixed: list[bool]) -> list[bool]:
    """Return `fixed` with the columns of names that play no role in this group of starts."""
    if not conditional(encoding.space):
        return fixed
    off = set(inactive(encoding.space, encoding.read(row)))
    return [f or c.name in off for f, c in zip(fixed, encoding.columns, strict=True)]


def _by_fixed_values(starts: Array, fixed: list[bool]) -> list[Array]:
    groups: dict[tuple[float, ...], list[Array]] = {}
    for row in starts:
        groups.setdefault(tuple(row[fixed].tolist()), []).append(row)
    return [np.array(rows) for rows in groups.values()]


def _other_settings(parameter: Parameter, point: Point) -> list[Value]:
    if isinstance(parameter, CategoricalParameter):
        return [c for c in parameter.categories if c != point[parameter.name]]
    if isinstance(parameter, DiscreteParameter):
        here = float(point[parameter.name])
        others = [v for v in parameter.values if v != here]
        return list(sorted(others, key=lambda v: abs(v - here))[:MAX_MOVES])
    if isinstance(parameter, ContinuousParameter) and parameter.step is not None:
        here = float(point[parameter.name])
        steps = [parameter.snap(here + k * parameter.step) for k in (-2, -1, 1, 2)]
        return [v for v in dict.fromkeys(steps) if v != here]
    return []
