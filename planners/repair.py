"""Points that break a rule become the nearest ones that do not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planners.conditions import condition_names, inactive, resting, settle
from planners.encoding import Encoding, snap
from planners.kept import kept
from planners.listed import listing_of
from planners.parameters import CategoricalParameter
from planners.settable import Value
from planners.space import SearchSpace

ROWS_TRIED = 30
"""Nearest rows of a list with which a point is tried to be repaired."""

POOL = 256
"""Random feasible points of which the nearest serves where nothing else repairs."""


def repaired(encoding: Encoding, raw: Mapping[str, Value]) -> dict[str, Value]:
    """Return the feasible point nearest to raw values, or one near it.

    Exact for linear constraints while categories, conditions and listed settings stay; a list is
    then tried row by row, nearest first. What no such way mends becomes the nearest of `POOL`
    random feasible points.
    """
    point = try_repair(encoding, raw)
    if point is not None:
        return point
    space = encoding.space
    listing = listing_of(space) if space.is_hybrid else None
    if listing is not None:
        for row in listing.nearest(listing.locate(space, {**raw}), ROWS_TRIED):
            point = try_repair(encoding, {**raw, **listing.point(row)})
            if point is not None:
                return point
    pool = kept(space, "feasible pool", _pool)
    here = encoding.encode([settle(space, raw)])[0]
    distance = ((encoding.encode(pool) - here) ** 2).sum(axis=1)
    return dict(pool[int(np.argmin(distance))])


def try_repair(encoding: Encoding, raw: Mapping[str, Value]) -> dict[str, Value] | None:
    """Return the nearest feasible point with the same categories and rows, None if not found."""
    space = encoding.space
    point = snap(space, raw)
    if space.obeys(point):
        return point
    if not space.linear:
        return None
    fixed = held(space, point)
    mended = encoding.programme.nearest({**raw, **fixed}, fixed=fixed)
    if mended is None:
        return None
    found = {n: fixed.get(n, mended.get(n, point[n])) for n in space.names}
    return found if space.obeys(found) else None


def held(space: SearchSpace, point: Mapping[str, Value]) -> dict[str, float]:
    """Return the numeric names that a repair must not move, with their values.

    Listed names, names that a condition looks at, and names whose condition does not hold.
    """
    off = {n: resting(space, n) for n in inactive(space, point)}
    names = [n for n in space.names if n in space.listed or n in condition_names(space) or n in off]
    return {
        n: float(off.get(n, point[n]))
        for n in names
        if not isinstance(space.parameter(n), CategoricalParameter)
    }


def _pool(space: SearchSpace) -> list[dict[str, Value]]:
    # Here, since sampling stands upon repair.
    from planners.sampling import draw_uniform

    return draw_uniform(space, POOL, rng=np.random.default_rng(0), at_least=1)
