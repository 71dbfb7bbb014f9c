"""Finite spaces as tables: every feasible point, encoded once, and which of them were tried."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from planners.encoding import Array, Encoding, require_names, snap
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    Value,
)
from planners.space import Point, SearchSpace

ENUMERATION_LIMIT = 50_000
"""Grids with more combinations than this are searched by sampling; lists always row by row."""

SAME_CANDIDATE = 0.25
"""An executed recipe off the list counts as a candidate if it lies within this share of the
distance from that candidate to its next neighbour."""

Key = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class PointTable:
    """All feasible points of a finite space.

    Attributes
    ----------
    names : names of the space.
    rows : one tuple of values a point.
    encoded : coordinates, shape (n_points, n_columns).
    index : values → row.
    listed : the points come from a candidate list, not from a grid.
    """

    names: tuple[str, ...]
    rows: tuple[Key, ...]
    encoded: Array
    index: dict[Key, int]
    listed: bool

    def __len__(self) -> int:
        return len(self.rows)

    def point(self, row: int) -> dict[str, Value]:
        """Return one point as name → value."""
        return dict(zip(self.names, self.rows[row], strict=True))

    def nearest(self, coordinates: Array, allowed: npt.NDArray[np.bool_] | None = None) -> int:
        """Return the row nearest to coordinates, the first of several, among those allowed."""
        distance = ((self.encoded - coordinates) ** 2).sum(axis=1)
        if allowed is not None:
            distance = np.where(allowed, distance, np.inf)
        return int(np.argmin(distance))


_tables: dict[int, tuple[weakref.ref[SearchSpace], PointTable | None]] = {}


def table_of(space: SearchSpace) -> PointTable | None:
    """Return every feasible point of a finite space, None if it is infinite or too large a grid.

    The table is kept as long as the space object lives; it depends on the space alone.
    """
    kept = _tables.get(id(space))
    if kept is not None and kept[0]() is space:
        return kept[1]
    table = _build(space)
    key = id(space)
    _tables[key] = (weakref.ref(space, lambda _: _tables.pop(key, None)), table)
    return table


def n_combinations(space: SearchSpace) -> int | None:
    """Return how many combinations the parameters allow before constraints, None if infinite."""
    if space.candidates is not None:
        return len(space.candidates)
    counts: list[int] = []
    for p in space.parameters:
        if isinstance(p, ContinuousParameter) and p.n_steps is not None:
            counts.append(p.n_steps)
        elif isinstance(p, DiscreteParameter):
            counts.append(len(p.values))
        elif isinstance(p, CategoricalParameter):
            counts.append(len(p.categories))
        else:
            return None
    return prod(counts)


def untried(
    space: SearchSpace, table: PointTable, points: Sequence[Point]
) -> npt.NDArray[np.bool_]:
    """Return which rows of the table none of `points` has tried, shape (n_points,)."""
    free = np.ones(len(table), dtype=np.bool_)
    for point in points:
        row = _row_of(space, table, point)
        if row is not None:
            free[row] = False
    return free


def key_of(space: SearchSpace, point: Point) -> Key:
    """Return the values of a point in the order of the names, snapped to what can be set."""
    snapped = snap(space, point)
    return tuple(snapped[n] for n in space.names)


def _row_of(space: SearchSpace, table: PointTable, point: Point) -> int | None:
    require_names(space, point)
    exact = table.index.get(tuple(point[n] for n in table.names))
    if exact is not None:
        return exact
    if not table.listed:
        return table.index.get(key_of(space, point))
    coordinates = Encoding(space).encode([point])[0]
    row = table.nearest(coordinates)
    gaps = ((table.encoded - table.encoded[row]) ** 2).sum(axis=1)
    others = gaps[gaps > 0]
    spacing = float(others.min()) if len(others) else np.inf
    miss = float(((table.encoded[row] - coordinates) ** 2).sum())
    return row if miss <= SAME_CANDIDATE**2 * spacing else None


def _build(space: SearchSpace) -> PointTable | None:
    count = n_combinations(space)
    if space.candidates is not None:
        order = [space.candidates.columns.index(n) for n in space.names]
        rows = [tuple(row[i] for i in order) for row in space.candidates.rows]
    elif count is not None and count <= ENUMERATION_LIMIT:
        rows = _grid(space)
    else:
        return None
    rows = list(dict.fromkeys(rows))
    table = _columns(space, rows)
    kept = np.ones(len(rows), dtype=np.bool_)
    if space.constraints:
        points = (dict(zip(space.names, row, strict=True)) for row in rows)
        kept = np.array([all(c.fault(p) is None for c in space.constraints) for p in points])
    rows = [row for row, ok in zip(rows, kept, strict=True) if ok]
    return PointTable(
        names=space.names,
        rows=tuple(rows),
        encoded=Encoding(space).encode_columns(table)[kept],
        index={row: i for i, row in enumerate(rows)},
        listed=space.candidates is not None,
    )


def _columns(space: SearchSpace, rows: list[Key]) -> dict[str, npt.NDArray[np.object_]]:
    cells = np.empty((len(rows), len(space.names)), dtype=object)
    cells[:] = rows
    return {name: cells[:, j] for j, name in enumerate(space.names)}


def _grid(space: SearchSpace) -> list[Key]:
    axes: list[list[Value]] = []
    for p in space.parameters:
        if isinstance(p, ContinuousParameter):
            assert p.n_steps is not None
            assert p.step is not None
            axes.append([p.snap(p.low + k * p.step) for k in range(p.n_steps)])
        elif isinstance(p, DiscreteParameter):
            axes.append(list(p.values))
        elif isinstance(p, CategoricalParameter):
            axes.append(list(p.categories))
    grid = np.meshgrid(*[np.arange(len(a)) for a in axes], indexing="ij")
    picks = np.stack([g.ravel() for g in grid], axis=1).tolist()
    return [tuple(a[i] for a, i in zip(axes, pick, strict=True)) for pick in picks]
