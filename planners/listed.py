"""The rows of a candidate list as coordinates: which rows there are, and which is nearest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from planners.columns import Array, coordinates
from planners.kept import kept
from planners.parameters import Parameter
from planners.settable import Value
from planners.space import SearchSpace

Key = tuple[Value, ...]


@dataclass(frozen=True)
class Listing:
    """The distinct rows of a space's candidate list that its constraints allow.

    Attributes
    ----------
    parameters : those whose names are columns of the list, in the order of the space.
    names : their names.
    rows : one tuple of values a row, in the order of `names`.
    encoded : coordinates of `parameters`, shape (n_rows, n_columns).
    index : values → row.
    """

    parameters: tuple[Parameter, ...]
    names: tuple[str, ...]
    rows: tuple[Key, ...]
    encoded: Array
    index: dict[Key, int]

    def point(self, row: int) -> dict[str, Value]:
        """Return one row as name → value."""
        return dict(zip(self.names, self.rows[row], strict=True))

    def nearest(self, at: Array, count: int = 1) -> list[int]:
        """Return up to `count` rows nearest to coordinates, shape (n_columns,), nearest first."""
        count = min(count, len(self.rows))
        return [int(i) for i in np.atleast_1d(self._tree.query(at, k=count)[1])]

    def snap(self, space: SearchSpace, raw: Mapping[str, Value]) -> dict[str, Value]:
        """Return the row nearest to the listed values of a point."""
        row = self.index.get(tuple(raw[n] for n in self.names))
        if row is None:
            row = self.nearest(self.locate(space, raw))[0]
        return self.point(row)

    def locate(self, space: SearchSpace, point: Mapping[str, Value]) -> Array:
        """Return the coordinates of a point's listed values, shape (n_columns,)."""
        table = {n: np.array([point[n]], dtype=object) for n in self.names}
        return np.asarray(coordinates(space, table, self.parameters)[0])

    @cached_property
    def _tree(self) -> Any:
        # Here, since its import takes longer than a quick command needs.
        from scipy.spatial import cKDTree

        return cKDTree(self.encoded)


def listing_of(space: SearchSpace) -> Listing | None:
    """Return the rows of the space's candidate list, None if it has none."""
    return kept(space, "listing", _build)


def as_columns(names: tuple[str, ...], rows: list[Key]) -> dict[str, npt.NDArray[np.object_]]:
    """Return rows of values as name → values, shape (n_rows,)."""
    cells = np.empty((len(rows), len(names)), dtype=object)
    cells[:] = rows
    return {name: cells[:, j] for j, name in enumerate(names)}


def _build(space: SearchSpace) -> Listing | None:
    if space.candidates is None:
        return None
    parameters = tuple(p for p in space.parameters if p.names[0] in space.listed)
    names = tuple(n for p in parameters for n in p.names)
    order = [space.candidates.columns.index(n) for n in names]
    rows = list(dict.fromkeys(tuple(row[i] for i in order) for row in space.candidates.rows))
    table = as_columns(names, rows)
    kept_rows = np.ones(len(rows), dtype=np.bool_)
    for c in space.constraints:
        about_list = bool(c.names) and set(c.names) <= space.listed
        if about_list or not space.is_hybrid:
            kept_rows &= c.holds(table)
    rows = [row for row, ok in zip(rows, kept_rows, strict=True) if ok]
    return Listing(
        parameters=parameters,
        names=names,
        rows=tuple(rows),
        encoded=coordinates(space, table, parameters)[kept_rows],
        index={row: i for i, row in enumerate(rows)},
    )
