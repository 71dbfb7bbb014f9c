"""Points ⇄ rows of the unit cube, the form in which surrogates see a space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from planners.errors import SpaceError
from planners.feasibility import LinearProgramme, close_mixture
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    MixtureParameter,
    Value,
)
from planners.space import Point, SearchSpace

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """One coordinate of the unit cube.

    Attributes
    ----------
    name : the name of the space that it encodes.
    low, high : values that become 0 and 1, in the name's unit; 0 and 1 for a category.
    log : the coordinate runs with the logarithm of the value.
    category : the category whose presence it marks, None for numbers.
    relaxed : an optimiser may move it freely; discrete values and categories stay put.
    """

    name: str
    low: float
    high: float
    log: bool = False
    category: str | None = None
    relaxed: bool = True

    def to_unit(self, values: npt.NDArray[np.object_] | Array) -> Array:
        """Return the coordinates of values, shape (n_points,)."""
        if self.category is not None:
            return np.array([v == self.category for v in values], dtype=np.float64)
        numbers = np.asarray(values, dtype=np.float64)
        if self.high == self.low:
            return np.zeros(numbers.shape)
        if self.log:
            # an executed recipe may stray below the bound, but a logarithm needs a positive number
            numbers = np.maximum(numbers, 1e-3 * self.low)
            return np.asarray(np.log(numbers / self.low) / np.log(self.high / self.low))
        return (numbers - self.low) / (self.high - self.low)

    def from_unit(self, coordinate: float) -> float:
        """Return the number at a coordinate, not yet snapped; inverse of `to_unit`."""
        if self.log:
            return float(self.low * (self.high / self.low) ** coordinate)
        return float(self.low + coordinate * (self.high - self.low))


@dataclass(frozen=True)
class Encoding:
    """The unit cube of one space.

    Numbers run linearly (or logarithmically) from bound to bound, a categorical parameter has one
    column a category (1 where chosen), a mixture one column a component.
    """

    space: SearchSpace

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The coordinates, in the order of the space's names."""
        return tuple(column for p in self.space.parameters for column in _columns(p))

    @cached_property
    def groups(self) -> npt.NDArray[np.int64]:
        """For each column the index of its name in `space.names`; categories share one."""
        names = self.space.names
        return np.array([names.index(c.name) for c in self.columns], dtype=np.int64)

    @cached_property
    def programme(self) -> LinearProgramme:
        """The linear programme that repairs points against the constraints."""
        return LinearProgramme(self.space.parameters, self.space.constraints)

    def encode(self, points: Sequence[Point]) -> Array:
        """Return the coordinates of points, shape (n_points, n_columns).

        Recipes as executed may lie off the grid or a little outside; they are encoded as they are.

        Raises
        ------
        SpaceError
            A point lacks a name of the space.
        """
        for point in points:
            require_names(self.space, point)
        table = {n: np.array([p[n] for p in points], dtype=object) for n in self.space.names}
        return self.encode_columns(table)

    def encode_columns(self, table: Mapping[str, npt.NDArray[np.object_] | Array]) -> Array:
        """Return the coordinates of a table given as name → values, shape (n_rows, n_columns)."""
        return np.stack([c.to_unit(table[c.name]) for c in self.columns], axis=1)

    def decode(self, rows: Array) -> list[dict[str, Value]]:
        """Return the feasible points nearest to rows of coordinates, one each.

        Numbers are snapped to what can be set, categories to the largest column, mixtures to
        their total; where a linear constraint is then broken, the nearest point that obeys it is
        found exactly (`LinearProgramme.nearest`). With a candidate list the nearest row is taken.
        """
        if self.space.candidates is not None:
            from planners.finite import table_of

            table = table_of(self.space)
            assert table is not None
            return [table.point(table.nearest(row)) for row in np.atleast_2d(rows)]
        return [self.repair(self._read(row)) for row in np.atleast_2d(rows)]

    def snap_feasible(self, rows: Array) -> list[dict[str, Value]]:
        """Return the points that rows snap to, without those that then break a constraint.

        Quicker than `decode`, which repairs every row.
        """
        points = [snap(self.space, self._read(row)) for row in rows]
        return [p for p in points if all(c.fault(p) is None for c in self.space.constraints)]

    def repair(self, raw: Mapping[str, Value]) -> dict[str, Value]:
        """Return the feasible point nearest to raw values that may break step, total or constraint.

        Constraints are repaired without regard to a candidate list.
        """
        point = snap(self.space, raw)
        if all(c.fault(point) is None for c in self.space.constraints):
            return point
        mended = self.programme.nearest(raw)
        assert mended is not None, "a SearchSpace always holds a feasible point"
        return {n: mended.get(n, point[n]) for n in self.space.names}

    def _read(self, row: Array) -> dict[str, Value]:
        raw: dict[str, Value] = {}
        strongest: dict[str, float] = {}
        for column, coordinate in zip(self.columns, row, strict=True):
            if column.category is None:
                raw[column.name] = column.from_unit(float(coordinate))
            elif coordinate > strongest.get(column.name, -np.inf):
                strongest[column.name] = float(coordinate)
                raw[column.name] = column.category
        return raw


def snap(space: SearchSpace, raw: Mapping[str, Value]) -> dict[str, Value]:
    """Return the settable values nearest to `raw`, parameter by parameter.

    Linear constraints and the candidate list are not looked at.

    Raises
    ------
    SpaceError
        The point lacks a name of the space.
    """
    require_names(space, raw)
    point: dict[str, Value] = {}
    for p in space.parameters:
        if isinstance(p, CategoricalParameter):
            point[p.name] = raw[p.name]
        elif isinstance(p, MixtureParameter):
            point.update(close_mixture(p, {c: float(raw[c]) for c in p.components}))
        else:
            point[p.name] = p.snap(float(raw[p.name]))
    return point


def require_names(space: SearchSpace, point: Mapping[str, Value]) -> None:
    """Raise SpaceError if the point lacks a name of the space."""
    missing = [n for n in space.names if n not in point]
    if missing:
        raise SpaceError(
            f"a point with the names {', '.join(point)} lacks {', '.join(missing)}; every "
            "observation and every pending point must give all names of the space"
        )


def _columns(
    p: ContinuousParameter | DiscreteParameter | CategoricalParameter | MixtureParameter,
) -> list[Column]:
    if isinstance(p, ContinuousParameter):
        return [Column(p.name, p.low, p.high, log=p.log)]
    if isinstance(p, DiscreteParameter):
        return [Column(p.name, min(p.values), max(p.values), relaxed=False)]
    if isinstance(p, CategoricalParameter):
        return [Column(p.name, 0.0, 1.0, category=c, relaxed=False) for c in p.categories]
    return [Column(c, *p.bounds(c)) for c in p.components]
