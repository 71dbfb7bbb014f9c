"""Feasible points without a model: uniformly at random, or evenly by a Sobol' sequence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import qmc

from planners.encoding import Array, Encoding
from planners.errors import NothingLeftToPropose
from planners.finite import PointTable, key_of, table_of, untried
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    MixtureParameter,
    Value,
)
from planners.polytope import draw_inside, polytope_at
from planners.space import Point, SearchSpace
from planners.tried import Tried

logger = logging.getLogger(__name__)

BLOCK = 256
"""Points drawn at a time; a power of two keeps Sobol' blocks balanced."""

MAX_BLOCKS = 16
"""Blocks in which fewer points than asked were feasible before rejection is given up."""

PER_WALK = 16
"""Points taken from one walk before the discrete settings are drawn again."""

MAX_WALKS = 200
"""Draws inside the constraints that may all be repeats before a space counts as exhausted."""


def draw_uniform(
    space: SearchSpace,
    n: int,
    *,
    rng: np.random.Generator,
    avoid: Sequence[Point] = (),
    at_least: int | None = None,
) -> list[dict[str, Value]]:
    """Return `n` distinct feasible points drawn at random, none of them in `avoid`.

    Uniform over a finite space, over the settings of each parameter (logarithm where `log`), and
    over the simplex of a mixture. With `at_least`, a nearly exhausted space may give fewer.

    Raises
    ------
    NothingLeftToPropose
        Fewer than `at_least` (default `n`) untried points remain.
    """
    needed = n if at_least is None else at_least
    table = table_of(space)
    if table is not None:
        rows = np.flatnonzero(untried(space, table, avoid))
        _require(needed, len(rows), table)
        picked = rng.choice(rows, size=min(n, len(rows)), replace=False)
        return [table.point(int(i)) for i in picked]
    width = unit_dimension(space)
    return _by_rejection(
        space,
        n,
        avoid=avoid,
        block=lambda: rng.random((BLOCK, width)),
        rng=rng,
        skip=0,
        needed=needed,
    )


def draw_sobol(
    space: SearchSpace, n: int, *, seed: int, skip: int, avoid: Sequence[Point] = ()
) -> list[dict[str, Value]]:
    """Return `n` points of a scrambled Sobol' sequence, after its first `skip` feasible points.

    The sequence depends on `seed` alone, so calls with growing `skip` continue one sequence.
    In a finite space each element is replaced by the nearest untried point.

    Raises
    ------
    NothingLeftToPropose
        Fewer than `n` untried points remain.
    """
    sequence = qmc.Sobol(unit_dimension(space), scramble=True, rng=np.random.default_rng(seed))
    table = table_of(space)
    if table is not None:
        return _nearest_rows(space, table, n, sequence=sequence, skip=skip, avoid=avoid)
    return _by_rejection(
        space,
        n,
        avoid=avoid,
        block=lambda: sequence.random(BLOCK),
        rng=np.random.default_rng([seed, skip]),
        skip=skip,
        needed=n,
    )


def unit_dimension(space: SearchSpace) -> int:
    """Return how many uniform numbers `from_unit` turns into one point."""
    return len(space.names)


def from_unit(space: SearchSpace, uniforms: Array) -> list[dict[str, Value]]:
    """Return one point a row of uniform numbers, shape (n_points, n_names).

    Settings obey their parameter (a mixture its total and lower bounds, maybe not its upper ones);
    linear constraints are not looked at. A mixture is uniform on its simplex: the components are
    normalised exponential variates.
    """
    columns: dict[str, list[Value]] = {}
    names = space.names
    for p in space.parameters:
        u = uniforms[:, [names.index(n) for n in p.names]]
        if isinstance(p, MixtureParameter):
            spacing = -np.log(np.clip(u, 1e-15, 1.0 - 1e-15))
            low = np.array([p.bounds(c)[0] for c in p.components])
            shares = spacing / spacing.sum(axis=1, keepdims=True)
            amounts = low + (p.total - low.sum()) * shares
            columns.update({c: list(amounts[:, j]) for j, c in enumerate(p.components)})
        else:
            columns[p.name] = [_setting(p, float(v)) for v in u[:, 0]]
    keys = list(names)
    return [
        dict(zip(keys, row, strict=True)) for row in zip(*(columns[k] for k in keys), strict=True)
    ]


def _setting(p: ContinuousParameter | DiscreteParameter | CategoricalParameter, u: float) -> Value:
    if isinstance(p, CategoricalParameter):
        return p.categories[min(int(u * len(p.categories)), len(p.categories) - 1)]
    if isinstance(p, DiscreteParameter):
        return p.values[min(int(u * len(p.values)), len(p.values) - 1)]
    if p.log:
        return p.snap(p.low * (p.high / p.low) ** u)
    if p.n_steps is not None and p.step is not None:
        return p.snap(p.low + min(int(u * p.n_steps), p.n_steps - 1) * p.step)
    return p.snap(p.low + u * (p.high - p.low))


def _by_rejection(
    space: SearchSpace,
    n: int,
    *,
    avoid: Sequence[Point],
    block: Callable[[], Array],
    rng: np.random.Generator,
    skip: int,
    needed: int,
) -> list[dict[str, Value]]:
    taken = Tried(space, avoid)
    chosen: list[dict[str, Value]] = []
    idle = 0
    while len(chosen) < n and idle < MAX_BLOCKS:
        before = len(chosen), skip
        for point in from_unit(space, block()):
            if len(chosen) == n or space.faults(point):
                continue
            if skip > 0:
                skip -= 1
                continue
            _take(space, point, taken, chosen)
        idle = idle + 1 if (len(chosen), skip) == before else 0
    if len(chosen) < n:
        logger.debug("constraints left %d of %d points by rejection; walking", len(chosen), n)
        _walk(space, n, taken, chosen, rng=rng, needed=needed)
    return chosen


def _take(
    space: SearchSpace, point: dict[str, Value], taken: Tried, chosen: list[dict[str, Value]]
) -> bool:
    key = key_of(space, point)
    if key in taken:
        return False
    taken.add(key)
    chosen.append(point)
    return True


def _walk(
    space: SearchSpace,
    n: int,
    taken: Tried,
    chosen: list[dict[str, Value]],
    *,
    rng: np.random.Generator,
    needed: int,
) -> None:
    """Fill `chosen`: discrete settings from a random linear programme, the rest by hit-and-run."""
    encoding = Encoding(space)
    idle = 0
    while len(chosen) < n:
        if idle == MAX_WALKS and len(chosen) >= needed:
            return
        if idle == MAX_WALKS:
            raise NothingLeftToPropose(
                f"{n} new points were asked for, and {len(chosen)} were found that obey every "
                f"constraint and were not tried; {MAX_WALKS} further draws gave only points tried "
                "before. Widen the space or its constraints, or end the campaign"
            )
        start = _random_vertex(encoding, rng=rng)
        polytope = polytope_at(space, start)
        found = False
        for inside in draw_inside(polytope, min(n - len(chosen), PER_WALK), rng=rng):
            point = encoding.repair({**start, **polytope.values(inside)})
            found = _take(space, point, taken, chosen) or found
        idle = 0 if found else idle + 1


def _random_vertex(encoding: Encoding, *, rng: np.random.Generator) -> dict[str, Value]:
    """Return a feasible point whose discrete settings are drawn near a random one.

    Half of the draws run to a vertex along a random direction, half go to the feasible point
    nearest to a random setting; the first reach the corners, the second the middle.
    """
    space = encoding.space
    raw = from_unit(space, rng.random((1, unit_dimension(space))))[0]
    if rng.random() < 0.5:
        return encoding.repair(raw)
    slopes = {n: float(rng.standard_normal()) for n in encoding.programme.ranges}
    vertex = encoding.programme.solve(slopes)
    assert vertex is not None, "a SearchSpace always holds a feasible point"
    return {n: vertex.get(n, raw[n]) for n in space.names}


def _nearest_rows(
    space: SearchSpace,
    table: PointTable,
    n: int,
    *,
    sequence: qmc.Sobol,
    skip: int,
    avoid: Sequence[Point],
) -> list[dict[str, Value]]:
    free = untried(space, table, avoid)
    _require(n, int(free.sum()), table)
    encoding = Encoding(space)
    count = 1 << max(skip + n - 1, 1).bit_length()
    targets = from_unit(space, sequence.random(count)[skip : skip + n])
    chosen: list[dict[str, Value]] = []
    for target in encoding.encode(targets):
        row = table.nearest(target, free)
        free[row] = False
        chosen.append(table.point(row))
    return chosen


def _require(n: int, left: int, table: PointTable) -> None:
    if left < n:
        raise NothingLeftToPropose(
            f"{n} new points were asked for, but {left} of the {len(table)} feasible points are "
            "left untried. Ask for fewer, widen the space, or end the campaign"
        )
