"""Where a promise is highest: row by row in a finite space, else by samples drawn ever closer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from planners.bayesian.search import Choice, Last
from planners.columns import Array
from planners.encoding import Encoding
from planners.finite import Key, key_of, untried_rows
from planners.sampling import draw_uniform
from planners.settable import Value
from planners.space import Point

ROUNDS = (0.03, 0.003)
"""Standard deviations, in unit-cube coordinates, of the points drawn around the best so far."""

CENTRES = 20
PER_CENTRE = 20
VISIBLY = 0.05
"""Root-mean-square distance per column from which a runner-up counts as another point."""

Worth = Callable[[Array], Array]


def best_points(
    encoding: Encoding,
    worth: Worth,
    *,
    tried: Sequence[Point],
    centres: Sequence[Point],
    n_candidates: int,
    count: int,
    last: Last | None = None,
    rng: np.random.Generator,
) -> list[Choice]:
    """Return the best point and up to `count` - 1 visibly different runners-up, best first.

    Parameters
    ----------
    worth : takes coordinates (n, n_columns), returns what they promise, (n,).
    tried : points that must not come again.
    centres : experiments around which is searched as well.
    last : tells which points come after all others in a space that is not finite.

    Raises
    ------
    NothingLeftToPropose
        No untried point remains.
    """
    table = encoding.table
    if table is not None:
        rows = untried_rows(encoding.space, table, tried)
        pool = [table.point(int(i)) for i in rows]
        return _spread(_ranked(pool, table.encoded[rows], worth), count)
    seen = {key_of(encoding.space, p) for p in tried}
    fresh = draw_uniform(encoding.space, n_candidates, rng=rng, avoid=tried, at_least=1)
    ranked = _ranked(fresh, encoding.encode(fresh), worth, last)
    around = encoding.encode(list(centres)) if centres else np.zeros((0, len(encoding.columns)))
    for width in ROUNDS:
        at = np.concatenate([np.array([c.x for c in ranked[:CENTRES]]), around])
        near = _new(encoding, _clouds(encoding, at, width, rng), seen)
        if near:
            ranked += _ranked(near, encoding.encode(near), worth, last)
            ranked.sort(key=_best_first)
    return _spread(ranked, count)


def _ranked(
    points: Sequence[dict[str, Value]], x: Array, worth: Worth, last: Last | None = None
) -> list[Choice]:
    late = np.zeros(len(x), dtype=np.bool_) if last is None else last(x)
    found = [
        Choice(p, row, float(v), bool(after))
        for p, row, v, after in zip(points, x, worth(x), late, strict=True)
    ]
    return sorted(found, key=_best_first)


def _best_first(choice: Choice) -> tuple[bool, float]:
    return choice.last, -choice.value


def _clouds(
    encoding: Encoding, centres: Array, width: float, rng: np.random.Generator
) -> list[dict[str, Value]]:
    """Return feasible points around coordinates, labels and what is only reported kept."""
    free = np.array([c.category is None for c in encoding.columns], dtype=np.float64)
    free[encoding.n_settings :] = 0.0
    off = width * free * rng.standard_normal((len(centres), PER_CENTRE, len(free)))
    rows = np.clip(centres[:, None] + off, 0.0, 1.0).reshape(-1, len(free))
    return encoding.snap_feasible(rows)


def _new(
    encoding: Encoding, points: Sequence[dict[str, Value]], seen: set[Key]
) -> list[dict[str, Value]]:
    found = []
    for point in points:
        key = key_of(encoding.space, point)
        if key not in seen:
            seen.add(key)
            found.append(point)
    return found


def _spread(ranked: Sequence[Choice], count: int) -> list[Choice]:
    chosen = [ranked[0]]
    for choice in ranked[1:]:
        if len(chosen) == count:
            break
        if all(float(((choice.x - c.x) ** 2).mean()) > VISIBLY**2 for c in chosen):
            chosen.append(choice)
    return chosen
