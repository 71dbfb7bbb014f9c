"""Points that fill the space while there is no model: each stands for what others are far from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.bayesian.gaussian_process import distance
from planners.encoding import Encoding
from planners.errors import NothingLeftToPropose
from planners.finite import untried
from planners.sampling import draw_sobol
from planners.settable import Value
from planners.space import Point

SAMPLE = 2048
"""Rows of a finite space that may be chosen; of a larger one a random sample."""

REFERENCE = 512
"""Rows that a chosen point stands for."""


def fill(
    encoding: Encoding, tried: Sequence[Point], n: int, *, seed: int
) -> list[dict[str, Value]]:
    """Return `n` untried points that fill the space.

    In a finite space each is the row that brings the rest of the space nearest to something
    tried, in the mean (greedy facility location; Nemhauser, Wolsey & Fisher 1978,
    doi:10.1007/BF01588971): representatives rather than corners, and a category that was not
    tried before one that was. In other spaces, and for the very first point, they come from a
    scrambled Sobol' sequence.

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
    rows = rng.permutation(free)[: max(SAMPLE, n)]  # in random order: chance breaks ties
    stood_for = table.encoded[rng.permutation(len(table))[:REFERENCE]]
    apart = distance(table.encoded[rows], stood_for)
    near = distance(encoding.encode([*tried, *chosen]), stood_for).min(axis=0)
    left = np.ones(len(rows), dtype=np.bool_)
    while len(chosen) < n:
        mean = np.where(left, np.minimum(apart, near).mean(axis=1), np.inf)
        at = int(np.argmin(mean))
        chosen.append(table.point(int(rows[at])))
        near = np.minimum(near, apart[at])
        left[at] = False
    return chosen
