"""Where a score is highest: every row of a finite space, else samples and their improvements.

The scores of this room have no gradients: prices jump, and what is left to learn is averaged over
the space. So good samples are improved by chance and by single moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from planners.bayesian.search import TOO_NEAR, Choice
from planners.columns import Array
from planners.conditions import settle
from planners.encoding import Encoding
from planners.errors import NothingLeftToPropose
from planners.finite import Key, key_of, untried_rows
from planners.parameters import CategoricalParameter, DiscreteParameter
from planners.sampling import draw_uniform
from planners.settable import Value
from planners.space import Point

Score = Callable[[Sequence[Point], Array], Array]
"""Takes points and their coordinates, (n_points, n_columns); gives values, higher is better."""

WIDTHS = (0.15, 0.08, 0.04, 0.02, 0.01)
"""Standard deviations of the moves in each round of improvement, in unit-cube coordinates."""

N_PARENTS = 6
PER_PARENT = 16
MAX_SWAPS = 12
"""Other settings of one discrete name tried in a good sample."""


def best_points(
    encoding: Encoding,
    score: Score,
    *,
    tried: Sequence[Point],
    keep_away: Array,
    pinned: Sequence[Mapping[str, Value]],
    n_candidates: int,
    count: int,
    rng: np.random.Generator,
) -> list[Choice]:
    """Return the untried points of the highest scores, best first.

    Parameters
    ----------
    tried : points that must not come again.
    keep_away : coordinates near which nothing is proposed in a continuous space, shape (n, d).
    pinned : settings worth trying as they are, such as those of the last experiment where a
        change costs; in a continuous space chance alone would never meet them.
    count : how many points.

    Raises
    ------
    NothingLeftToPropose
        No untried point remains.
    """
    table = encoding.table
    if table is not None:
        rows = untried_rows(encoding.space, table, tried)
        points = [table.point(int(row)) for row in rows]
        x = table.encoded[rows]
        values = np.nan_to_num(score(points, x), nan=-np.inf)
        order = np.argsort(-values, kind="stable")[:count]
        return [Choice(points[i], x[i], float(values[i])) for i in order]
    herd = _Herd(encoding, score, tried, keep_away)
    drawn = draw_uniform(encoding.space, n_candidates, rng=rng, avoid=tried, at_least=1)
    herd.add(drawn)
    for held in pinned:
        herd.add([{**p, **held} for p in drawn[: n_candidates // 2]])
    steady = frozenset(name for held in pinned for name in held)
    for width in WIDTHS:
        parents = herd.best(N_PARENTS)
        herd.add([child for c in parents for child in _swapped(encoding, c.point)])
        herd.add(_moved(encoding, parents, width, steady=steady, rng=rng))
    found = herd.best(count, apart=0.05)
    if not found:
        raise NothingLeftToPropose(
            f"none of the {n_candidates} points drawn is new; widen the space or its constraints, "
            "or end the campaign"
        )
    return found


class _Herd:
    """Scored points, each once, without those that repeat an experiment or break the space."""

    def __init__(
        self, encoding: Encoding, score: Score, tried: Sequence[Point], keep_away: Array
    ) -> None:
        self._encoding, self._score, self._keep_away = encoding, score, keep_away
        self._seen: set[Key] = {key_of(encoding.space, p) for p in tried}
        self._choices: list[Choice] = []

    def add(self, points: Sequence[dict[str, Value]]) -> None:
        """Score what is new and feasible among points."""
        fresh: list[dict[str, Value]] = []
        for point in points:
            key = key_of(self._encoding.space, point)
            if key not in self._seen and self._encoding.space.contains(point):
                self._seen.add(key)
                fresh.append(point)
        if not fresh:
            return
        x = self._encoding.encode(fresh)
        allowed = np.ones(len(x), dtype=bool)
        if len(self._keep_away):
            apart = ((x[:, None, :] - self._keep_away[None]) ** 2).mean(axis=2).min(axis=1)
            allowed = apart > TOO_NEAR**2
        values = self._score(fresh, x)
        self._choices += [
            Choice(p, row, float(v))
            for p, row, v, ok in zip(fresh, x, values, allowed, strict=True)
            if ok and np.isfinite(v)
        ]

    def best(self, count: int, *, apart: float = 0.0) -> list[Choice]:
        """Return the best choices, any two at least `apart` (root mean square a column)."""
        chosen: list[Choice] = []
        for choice in sorted(self._choices, key=lambda c: -c.value):
            if all(float(((choice.x - c.x) ** 2).mean()) >= apart**2 for c in chosen):
                chosen.append(choice)
            if len(chosen) == count:
                break
        return chosen


def _moved(
    encoding: Encoding,
    parents: Sequence[Choice],
    width: float,
    *,
    steady: frozenset[str],
    rng: np.random.Generator,
) -> list[dict[str, Value]]:
    """Return points near good ones, moved along about half of their numeric coordinates."""
    free = np.array(
        [
            i < encoding.n_settings and c.category is None and c.name not in steady
            for i, c in enumerate(encoding.columns)
        ]
    )
    if not free.any() or not parents:
        return []
    shape = (PER_PARENT, len(free))
    clouds = []
    for parent in parents:
        step = width * free * (rng.random(shape) < 0.6) * rng.standard_normal(shape)
        clouds.append(np.clip(parent.x + step, 0.0, 1.0))
    return encoding.snap_feasible(np.concatenate(clouds))


def _swapped(encoding: Encoding, point: Point) -> list[dict[str, Value]]:
    """Return points with one category or discrete number exchanged."""
    space = encoding.space
    found: list[dict[str, Value]] = []
    for p in space.parameters:
        if isinstance(p, CategoricalParameter):
            others: list[Value] = [c for c in p.categories if c != point[p.name]]
        elif isinstance(p, DiscreteParameter):
            here = float(point[p.name])
            others = list(sorted(p.values, key=lambda v: abs(v - here))[1 : MAX_SWAPS + 1])
        else:
            continue
        if p.name not in space.listed:
            found += [settle(space, {**point, p.name: other}) for other in others[:MAX_SWAPS]]
    return found
