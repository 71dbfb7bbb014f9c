"""Uniform points inside a linear polytope, for constraints too tight for rejection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import null_space
from scipy.optimize import linprog

from planners.columns import Array
from planners.conditions import inactive
from planners.parameters import ContinuousParameter, MixtureParameter, Value
from planners.space import Point, SearchSpace

STEPS_PER_DIMENSION = 30
"""Hit-and-run steps between two points, for each dimension of the polytope."""

ON_THE_EDGE = 1e-12


@dataclass(frozen=True, slots=True)
class Polytope:
    """``{x : upper_rows x <= upper_limits, equal_rows x = equal_limits}``, x scaled to the ranges.

    Attributes
    ----------
    names : the free names, those that move continuously.
    offset, scale : value = offset + scale * x, shape (n_free,).
    """

    names: tuple[str, ...]
    offset: Array
    scale: Array
    upper_rows: Array
    upper_limits: Array
    equal_rows: Array
    equal_limits: Array

    def values(self, x: Array) -> dict[str, Value]:
        """Return name → value at x."""
        numbers = self.offset + self.scale * x
        return {n: float(v) for n, v in zip(self.names, numbers, strict=True)}


def polytope_at(space: SearchSpace, point: Point) -> Polytope:
    """Return what the free names may do while every other name stays as in `point`."""
    off = set(inactive(space, point))
    low, high, names = _free_bounds(space, off)
    scale = np.where(high > low, high - low, 1.0)
    upper = [(np.eye(len(names))[i], (high[i] - low[i]) / scale[i]) for i in range(len(names))]
    upper += [(-np.eye(len(names))[i], 0.0) for i in range(len(names))]
    equal: list[tuple[Array, float]] = []
    for p in space.parameters:
        if isinstance(p, MixtureParameter) and p.components[0] in names:
            row = np.isin(names, p.components).astype(np.float64)
            equal.append((row * scale, p.total - float(row @ low)))
    for c in space.linear:
        row = np.array([c.coefficients.get(n, 0.0) for n in names])
        fixed = sum(k * float(point[n]) for n, k in c.coefficients.items() if n not in names)
        base = float(row @ low) + fixed
        if c.lower is not None and c.lower == c.upper:
            equal.append((row * scale, c.lower - base))
            continue
        if c.upper is not None:
            upper.append((row * scale, c.upper - base))
        if c.lower is not None:
            upper.append((-row * scale, base - c.lower))
    n = len(names)
    return Polytope(
        names=tuple(names),
        offset=low,
        scale=scale,
        upper_rows=np.array([r for r, _ in upper]).reshape(len(upper), n),
        upper_limits=np.array([b for _, b in upper]),
        equal_rows=np.array([r for r, _ in equal]).reshape(len(equal), n),
        equal_limits=np.array([b for _, b in equal]),
    )


def draw_inside(polytope: Polytope, n: int, *, rng: np.random.Generator) -> list[Array]:
    """Return `n` points of the polytope by hit-and-run, asymptotically uniform.

    Smith 1984, doi:10.1287/opre.32.6.1296. The walk starts at the mean of random vertices, which
    lies inside unless the polytope is a single point.
    """
    dimension = len(polytope.names)
    if dimension == 0:
        return [np.zeros(0) for _ in range(n)]
    basis = null_space(polytope.equal_rows) if len(polytope.equal_rows) else np.eye(dimension)
    x = _inside(polytope, rng=rng)
    points: list[Array] = []
    for _ in range(n):
        for _ in range(STEPS_PER_DIMENSION * max(basis.shape[1], 1)):
            x = _step(polytope, x, basis, rng=rng)
        points.append(x)
    return points


def _step(polytope: Polytope, x: Array, basis: Array, *, rng: np.random.Generator) -> Array:
    if basis.shape[1] == 0:
        return x
    direction = basis @ rng.standard_normal(basis.shape[1])
    direction /= np.linalg.norm(direction)
    slope = polytope.upper_rows @ direction
    room = np.maximum(polytope.upper_limits - polytope.upper_rows @ x, 0.0)
    ahead, behind = slope > ON_THE_EDGE, slope < -ON_THE_EDGE
    far = float(np.min(room[ahead] / slope[ahead])) if ahead.any() else 0.0
    near = float(np.max(room[behind] / slope[behind])) if behind.any() else 0.0
    return np.asarray(x + rng.uniform(near, far) * direction)


def _inside(polytope: Polytope, *, rng: np.random.Generator) -> Array:
    vertices: list[npt.NDArray[np.float64]] = []
    dimension = len(polytope.names)
    for _ in range(2 * dimension):
        found = linprog(
            rng.standard_normal(dimension),
            A_ub=polytope.upper_rows,
            b_ub=polytope.upper_limits,
            A_eq=polytope.equal_rows if len(polytope.equal_rows) else None,
            b_eq=polytope.equal_limits if len(polytope.equal_rows) else None,
            bounds=(None, None),
        )
        if found.success:
            vertices.append(found.x)
    assert vertices, "the polytope holds the point it was cut at"
    return np.asarray(np.mean(vertices, axis=0))


def _free_bounds(space: SearchSpace, off: set[str]) -> tuple[Array, Array, list[str]]:
    names: list[str] = []
    bounds: list[tuple[float, float]] = []
    for p in space.parameters:
        if p.names[0] in off or p.names[0] in space.listed:
            continue
        if isinstance(p, ContinuousParameter) and p.step is None:
            names.append(p.name)
            bounds.append((p.low, p.high))
        elif isinstance(p, MixtureParameter):
            names += p.components
            bounds += [p.bounds(c) for c in p.components]
    low, high = np.array(bounds, dtype=np.float64).reshape(-1, 2).T
    return low, high, names
