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
from planners.encoding import Array, Encoding
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
"""Settings of one discrete name tried as single moves, the nearest ones."""

Terms = tuple[torch.Tensor, torch.Tensor, float]
"""Columns, coefficients, right side: BoTorch's form of a linear constraint."""


def refine(encoding: Encoding, acquisition: Acquisition, starts: Array) -> list[dict[str, Value]]:
    """Return the feasible points that gradient ascent reaches from start coordinates.

    Categories and discrete values stay as they are; stepped parameters move freely and are
    snapped at the end. Mixture totals and linear constraints hold on the way. A constraint is not
    linear in a logarithmic coordinate, so a logarithmic name in a constraint stays put too.
    """
    fixed = _fixed_columns(encoding)
    if all(fixed):
        return []
    equal, above = linear_terms(encoding)
    found: list[dict[str, Value]] = []
    for group in _by_fixed_values(starts, fixed):
        held = {i: float(group[0, i]) for i, stays in enumerate(fixed) if stays}
        try:
            rows, _ = gen_candidates_scipy(
                torch.as_tensor(group, dtype=torch.float64).unsqueeze(1),
                acquisition.function,
                lower_bounds=0.0,
                upper_bounds=1.0,
                equality_constraints=equal or None,
                inequality_constraints=above or None,
                fixed_features=held or None,
                options={"maxiter": MAX_ITERATIONS},
            )
        except (BotorchError, ValueError, RuntimeError) as error:
            logger.warning("refining %d points failed, samples stand: %s", len(group), error)
            continue
        reached = rows.squeeze(1).detach().numpy()
        found += encoding.decode(reached[np.isfinite(reached).all(axis=1)])
    return found


def neighbours(encoding: Encoding, point: Point) -> list[dict[str, Value]]:
    """Return the feasible points that differ from `point` in one value that has steps."""
    space = encoding.space
    moved: list[dict[str, Value]] = []
    for parameter in space.parameters:
        for setting in _other_settings(parameter, point):
            candidate = {**point, parameter.names[0]: setting}
            if all(c.fault(candidate) is None for c in space.constraints):
                moved.append(candidate)
    return moved


def linear_terms(encoding: Encoding) -> tuple[list[Terms], list[Terms]]:
    """Return the equalities and the inequalities (``sum >= right side``) in coordinates."""
    equal = [
        _terms(encoding, dict.fromkeys(p.components, 1.0), p.total)
        for p in encoding.space.parameters
        if isinstance(p, MixtureParameter)
    ]
    above: list[Terms] = []
    for c in encoding.space.constraints:
        if _log_names(encoding) & set(c.coefficients):
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


def _log_names(encoding: Encoding) -> set[str]:
    return {c.name for c in encoding.columns if c.log}


def _fixed_columns(encoding: Encoding) -> list[bool]:
    bound = {n for c in encoding.space.constraints for n in c.coefficients}
    # a constraint that holds a logarithmic name holds its other names as well: what is left of it
    # cannot be given to the optimiser
    frozen = {
        n
        for c in encoding.space.constraints
        if _log_names(encoding) & set(c.coefficients)
        for n in c.coefficients
    }
    return [
        not c.relaxed or c.high == c.low or c.name in frozen or (c.log and c.name in bound)
        for c in encoding.columns
    ]


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
