"""Feasible points without a model: uniformly at random, or evenly by a Sobol' sequence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.stats import qmc

from planners.drawing import from_unit, unit_dimension
from planners.encoding import Encoding, snap
from planners.errors import NothingLeftToPropose
from planners.finite import PointTable, key_of, n_combinations, table_of, untried
from planners.listed import listing_of
from planners.parameters import MixtureParameter, Value
from planners.polytope import draw_inside, polytope_at
from planners.repair import held, try_repair
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

    Uniform over a finite space, over the rows of a list, over the settings of each parameter
    (logarithm where `log`), and over the simplex of a mixture. With `at_least`, a nearly exhausted
    space may give fewer.

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
        block=lambda: from_unit(space, rng.random((BLOCK, width))),
        rng=rng,
        skip=0,
        needed=needed,
    )


def draw_sobol(
    space: SearchSpace, n: int, *, seed: int, skip: int, avoid: Sequence[Point] = ()
) -> list[dict[str, Value]]:
    """Return `n` points of a scrambled Sobol' sequence, after its first `skip` feasible points.

    The sequence depends on `seed` alone, so calls with growing `skip` continue one sequence.
    In a finite space each element is replaced by the nearest untried point, and beside free names
    the listed ones by the nearest row.

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
        block=lambda: [
            snap(space, p) for p in from_unit(space, sequence.random(BLOCK), rows=False)
        ],
        rng=np.random.default_rng([seed, skip]),
        skip=skip,
        needed=n,
    )


def _by_rejection(
    space: SearchSpace,
    n: int,
    *,
    avoid: Sequence[Point],
    block: Callable[[], list[dict[str, Value]]],
    rng: np.random.Generator,
    skip: int,
    needed: int,
) -> list[dict[str, Value]]:
    taken = Tried(space, avoid)
    chosen: list[dict[str, Value]] = []
    idle = 0
    while len(chosen) < n and idle < _patience(space):
        before = len(chosen), skip
        for point in block():
            if len(chosen) == n or space.faults(point):
                continue
            if skip > 0:
                skip -= 1
                continue
            _take(space, point, taken, chosen)
        idle = idle + 1 if (len(chosen), skip) == before else 0
    if len(chosen) < n and _can_walk(space):
        logger.debug("constraints left %d of %d points by rejection; walking", len(chosen), n)
        _walk(space, n, taken, chosen, rng=rng)
    if len(chosen) < needed:
        raise NothingLeftToPropose(
            f"{n} new points were asked for, and {len(chosen)} were found that obey every "
            f"constraint and were not tried; the last {_searched(space)} gave only points tried "
            "before or none that obeys. Widen the space or its constraints, or end the campaign"
        )
    return chosen


def _can_walk(space: SearchSpace) -> bool:
    """Whether linear rules narrow the space; along others nothing is found but by chance."""
    return bool(space.linear) or any(isinstance(p, MixtureParameter) for p in space.parameters)


def _patience(space: SearchSpace) -> int:
    """Return the blocks without a new point after which rejection is given up."""
    return MAX_BLOCKS if _can_walk(space) else 4 * MAX_BLOCKS


def _searched(space: SearchSpace) -> str:
    walked = f" and {MAX_WALKS} along the linear constraints" if _can_walk(space) else ""
    return f"{_patience(space) * BLOCK} random draws{walked}"


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
) -> None:
    """Fill `chosen`: discrete settings from a random linear programme, the rest by hit-and-run."""
    encoding = Encoding(space)
    idle = 0
    while len(chosen) < n and idle < MAX_WALKS:
        start = _random_vertex(encoding, rng=rng)
        found = False
        if start is not None:
            for point in _inside(encoding, start, min(n - len(chosen), PER_WALK), rng=rng):
                found = _take(space, point, taken, chosen) or found
        idle = 0 if found else idle + 1


def _inside(
    encoding: Encoding, start: dict[str, Value], n: int, *, rng: np.random.Generator
) -> Iterator[dict[str, Value]]:
    """Yield up to `n` feasible points that share with `start` what does not move continuously."""
    polytope = polytope_at(encoding.space, start)
    for x in draw_inside(polytope, n, rng=rng):
        point = try_repair(encoding, {**start, **polytope.values(x)})
        if point is not None:
            yield point


def _random_vertex(encoding: Encoding, *, rng: np.random.Generator) -> dict[str, Value] | None:
    """Return a point that obeys what is linear, its discrete settings drawn near a random one.

    Half of the draws run to a vertex along a random direction, half go to the feasible point
    nearest to a random setting; the first reach the corners, the second the middle. None if the
    settings that a repair may not move leave nothing.
    """
    space = encoding.space
    raw = from_unit(space, rng.random((1, unit_dimension(space))))[0]
    fixed = held(space, raw)
    if rng.random() < 0.5:
        mended = try_repair(encoding, raw)
        if mended is not None:
            return mended
        vertex = encoding.programme.nearest({**raw, **fixed}, fixed=fixed)
    else:
        slopes = {n: float(rng.standard_normal()) for n in encoding.programme.ranges}
        vertex = encoding.programme.solve(slopes, fixed=fixed)
    return None if vertex is None else {n: fixed.get(n, vertex.get(n, raw[n])) for n in space.names}


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
    targets = from_unit(space, sequence.random(count)[skip : skip + n], rows=False)
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


def why_nothing_is_feasible(space: SearchSpace) -> str | None:
    """Say that no feasible point was found, or None if one was."""
    loosen = "loosen " + "; ".join(c.in_words() for c in space.constraints)
    table = table_of(space)
    if table is not None and not len(table):
        kind = "candidates" if table.listed and not space.is_hybrid else "combinations"
        return (
            f"the space has no feasible point: none of the {n_combinations(space)} {kind} "
            f"meets every constraint; {loosen}"
        )
    listing = listing_of(space)
    if listing is not None and not listing.rows:
        return (
            f"the space has no feasible point: the constraints allow no row of its list; {loosen}"
        )
    try:
        draw_uniform(space, 1, rng=np.random.default_rng(0))
    except NothingLeftToPropose:
        return (
            f"the space has no feasible point that was found: {_searched(space)} met none; "
            f"{loosen}, or narrow the parameters to where points obey"
        )
    return None
