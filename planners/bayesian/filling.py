"""Points that fill the space while there is no model: spread out, one as far as can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.encoding import Encoding
from planners.errors import NothingLeftToPropose
from planners.finite import untried
from planners.sampling import draw_sobol
from planners.settable import Value
from planners.space import Point

SAMPLE = 4096
"""Rows of a finite space looked at; of a larger one a random sample."""


def fill(
    encoding: Encoding, tried: Sequence[Point], n: int, *, seed: int
) -> list[dict[str, Value]]:
    """Return `n` untried points that fill the space.

    In a finite space each is the row farthest from everything tried (maximin design, Johnson,
    Moore & Ylvisaker 1990, doi:10.1016/0378-3758(90)90122-B), so that each category comes early
    and a stroke of equal outcomes is left soon. In other spaces, and for the very first point,
    they come from a scrambled Sobol' sequence.

    Raises
    ------
    NothingLeftToPropose
        Fewer than `n` untried points remain.
    """
    space = encoding.space
    table = encoding.table
    if table is None:
        return draw_sobol(space, n, seed=seed, skip=len(tried), avoid=tried)
    chosen = [] if tried else draw_sobol(space, 1, seed=seed, skip=0)
    free = np.flatnonzero(untried(space, table, [*tried, *chosen]))
    if len(free) < n - len(chosen):
        raise NothingLeftToPropose(
            f"{n} new points were asked for, but {len(free)} of the {len(table)} feasible points "
            "are left untried. Ask for fewer, widen the space, or end the campaign"
        )
    rng = np.random.default_rng([seed, len(tried)])
    rows = rng.permutation(free)[:SAMPLE]  # in random order: ties are broken by chance
    made = encoding.encode([*tried, *chosen])
    x = table.encoded[rows]
    apart = np.full(len(rows), np.inf)
    for point in made:
        apart = np.minimum(apart, ((x - point) ** 2).sum(axis=1))
    while len(chosen) < n:
        at = int(np.argmax(apart))
        chosen.append(table.point(int(rows[at])))
        apart = np.minimum(apart, ((x - x[at]) ** 2).sum(axis=1))
        apart[at] = -1.0
    return chosen
