"""Which new experiments promise most: those that speak for making a new sample at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.actions.aim import Aim
from planners.actions.gains import nodes
from planners.bayesian.surrogate import Surrogates
from planners.columns import Array
from planners.encoding import Encoding
from planners.errors import NothingLeftToPropose
from planners.finite import untried_rows
from planners.objective import Objective
from planners.sampling import draw_uniform
from planners.space import Point

MOST_LOOKED_AT = 1000
"""Points of the space that are looked at."""

MOST_KEPT = 24
"""Of these, the ones of most expected improvement, which are weighed jointly with all samples."""


def promising(
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    *,
    made: Array,
    tried: Sequence[Point],
    rng: np.random.Generator,
) -> list[Point]:
    """Return untried points of most expected improvement over the best sample, best first.

    ``E[max(w - w_best, 0)]`` of the worth w of a point known exactly, over quasi-random outcomes of
    all quantities; see `planners.actions.aim.Aim`.

    Parameters
    ----------
    made : coordinates of the samples that can be recommended, shape (n, n_columns).
    tried : points that are made or under way.
    """
    points = _untried(encoding, tried, rng)
    if not points:
        return []
    aim = Aim(objective, floor=_floor(objective, surrogates, made))
    told = {q: s.predict(made) for q, s in surrogates.items()}
    best = aim.worth({q: m for q, (m, _) in told.items()}, {q: s**2 for q, (_, s) in told.items()})
    x = encoding.encode(points)
    drawn = {}
    for z, (q, s) in zip(nodes(len(surrogates)).T, surrogates.items(), strict=True):
        mean, std = s.predict(x)
        drawn[q] = mean + z[:, None] * std
    worth = aim.worth(drawn, {q: np.zeros(len(x)) for q in surrogates})
    gain = np.maximum(worth - float(best.max()), 0.0).mean(axis=0)
    return [points[i] for i in np.argsort(-gain, kind="stable")[:MOST_KEPT]]


def _floor(objective: Objective, surrogates: Surrogates, made: Array) -> float:
    mean = {q: s.predict(made)[0] for q, s in surrogates.items()}
    unbound = Aim(objective.model_copy(update={"constraints": ()}))
    return float(unbound.worth(mean, {q: np.zeros(len(made)) for q in surrogates}).min())


def _untried(
    encoding: Encoding, tried: Sequence[Point], rng: np.random.Generator
) -> list[dict[str, float | str]]:
    table = encoding.table
    try:
        if table is None:
            return draw_uniform(encoding.space, MOST_LOOKED_AT, rng=rng, avoid=tried, at_least=1)
        rows = untried_rows(encoding.space, table, tried)
    except NothingLeftToPropose:
        return []
    if len(rows) > MOST_LOOKED_AT:
        rows = np.sort(rng.choice(rows, MOST_LOOKED_AT, replace=False))
    return [table.point(int(i)) for i in rows]
