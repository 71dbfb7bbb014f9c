"""Finite spaces as tables: every feasible point, encoded once, and which of them were tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from planners.conditions import conditional, inactive_rows, resting
from planners.encoding import Array, Encoding, require_names, snap
from planners.errors import NothingLeftToPropose
from planners.kept import kept
from planners.listed import Key, as_columns, listing_of
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    Parameter,
    Value,
)
from planners.space import Point, SearchSpace

__all__ = [
    "ENUMERATION_LIMIT",
    "Key",
    "PointTable",
    "key_of",
    "n_combinations",
    "table_of",
    "untried",
]

ENUMERATION_LIMIT = 50_000
"""Grids with more combinations than this are searched by sampling; lists always row by row."""

SAME_CANDIDATE = 0.25
"""An executed recipe off the list counts as a candidate if it lies within this share of the
distance from that candidate to its next neighbour."""


@dataclass(frozen=True)
class PointTable:
    """All feasible points of a finite space.

    Attributes
    ----------
    names : names of the space.
    rows : one tuple of values a point.
    encoded : coordinates, shape (n_points, n_columns).
    index : values → row.
    listed : some or all settings come from a candidate list.
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

    def under(self, context: Array) -> PointTable:
        """Return the same points under other conditions.

        Parameters
        ----------
        context : coordinates of the context variables, which are the last columns.
        """
        encoded = self.encoded.copy()
        encoded[:, encoded.shape[1] - len(context) :] = context
        return replace(self, encoded=encoded)

    def row_made(self, coordinates: Array) -> int | None:
        """Return the row that was meant by a recipe as executed, None if it meant none.

        The context must be the table's own. A recipe counts as the nearest point if it lies within
        `SAME_CANDIDATE` of the distance from that point to its next neighbour.
        """
        distance, row = self._tree.query(coordinates)
        count = 2
        while True:
            apart = np.atleast_1d(self._tree.query(self.encoded[row], k=min(count, len(self)))[0])
            others = apart[apart > 0]
            if len(others) or count >= len(self):
                break
            count *= 2
        spacing = float(others.min()) if len(others) else np.inf
        return int(row) if distance <= SAME_CANDIDATE * spacing else None

    @cached_property
    def _tree(self) -> Any:
        # Here, since its import takes longer than a quick command needs.
        from scipy.spatial import cKDTree

        return cKDTree(self.encoded)


def table_of(space: SearchSpace) -> PointTable | None:
    """Return every feasible point of a finite space, None if it is infinite or too large a grid.

    The table is kept as long as the space object lives; it depends on the space alone, so it is
    encoded without a reported context. `Encoding.table` gives it under the encoding's context.
    """
    return kept(space, "table", _build)


def n_combinations(space: SearchSpace) -> int | None:
    """Return how many combinations the settings allow before constraints, None if infinite."""
    counts = [] if space.candidates is None else [len(space.candidates)]
    for p in _free(space):
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


def untried_rows(
    space: SearchSpace, table: PointTable, points: Sequence[Point]
) -> npt.NDArray[np.intp]:
    """Return the numbers of the rows that none of `points` has tried.

    Raises
    ------
    NothingLeftToPropose
        There are none.
    """
    rows = np.flatnonzero(untried(space, table, points))
    if not len(rows):
        raise NothingLeftToPropose(
            f"all {len(table)} feasible points were tried or are pending; widen the space or end "
            "the campaign"
        )
    return rows


def key_of(space: SearchSpace, point: Point) -> Key:
    """Return the values of a point in the order of the names, snapped to what can be set."""
    snapped = snap(space, point)
    return tuple(snapped[n] for n in space.names)


def _row_of(space: SearchSpace, table: PointTable, point: Point) -> int | None:
    require_names(space, point)
    exact = table.index.get(tuple(point[n] for n in table.names))
    if exact is not None:
        return exact
    if space.candidates is None or space.is_hybrid:
        return table.index.get(key_of(space, point))
    base = table_of(space)  # under no context, as is the point here
    assert base is not None
    return base.row_made(Encoding(space).encode([point])[0])


def _free(space: SearchSpace) -> list[Parameter]:
    return [p for p in space.parameters if p.names[0] not in space.listed]


def _build(space: SearchSpace) -> PointTable | None:
    count = n_combinations(space)
    whole_list = space.candidates is not None and not space.is_hybrid
    if count is None or (count > ENUMERATION_LIMIT and not whole_list):
        return None
    rows = _settled(space, _combinations(space))
    table = as_columns(space.names, rows)
    kept_rows = np.ones(len(rows), dtype=np.bool_)
    for c in space.constraints:
        kept_rows &= c.holds(table)
    rows = [row for row, ok in zip(rows, kept_rows, strict=True) if ok]
    return PointTable(
        names=space.names,
        rows=tuple(rows),
        encoded=Encoding(space).encode_columns(table)[kept_rows],
        index={row: i for i, row in enumerate(rows)},
        listed=space.candidates is not None,
    )


def _combinations(space: SearchSpace) -> list[Key]:
    """Return every combination of rows and settings, values in the order of the names."""
    axes: list[list[Key]] = []
    names: list[str] = []
    listing = listing_of(space)
    if listing is not None:
        axes.append(list(listing.rows))
        names += listing.names
    for p in _free(space):
        axes.append([(v,) for v in _settings(p)])
        names += p.names
    order = [names.index(n) for n in space.names]
    if len(axes) == 1 and order == list(range(len(order))):
        return axes[0]
    grid = np.meshgrid(*[np.arange(len(a)) for a in axes], indexing="ij")
    picks = np.stack([g.ravel() for g in grid], axis=1).tolist()
    found: list[Key] = []
    for pick in picks:
        values = [v for a, i in zip(axes, pick, strict=True) for v in a[i]]
        found.append(tuple(values[j] for j in order))
    return found


def _settings(p: Parameter) -> list[Value]:
    if isinstance(p, ContinuousParameter):
        assert p.n_steps is not None
        assert p.step is not None
        return [p.snap(p.low + k * p.step) for k in range(p.n_steps)]
    if isinstance(p, DiscreteParameter):
        return list(p.values)
    assert isinstance(p, CategoricalParameter)
    return list(p.categories)


def _settled(space: SearchSpace, rows: list[Key]) -> list[Key]:
    """Return the distinct rows after every inactive name has taken its `otherwise`."""
    if conditional(space):
        table = as_columns(space.names, rows)
        for name, off in inactive_rows(space, table).items():
            table[name][off] = resting(space, name)
        rows = list(zip(*(table[n].tolist() for n in space.names), strict=True))
    return list(dict.fromkeys(rows))
