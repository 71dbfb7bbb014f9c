"""Points ⇄ rows of the unit cube, the form in which surrogates see a space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from planners.columns import (
    Array,
    Column,
    columns_by_parameter,
    context_columns,
    context_row,
    coordinates,
)
from planners.conditions import settle
from planners.errors import SpaceError
from planners.feasibility import LinearProgramme, close_mixture
from planners.kept import kept
from planners.listed import listing_of
from planners.parameters import CategoricalParameter, MixtureParameter
from planners.proposal import Observation
from planners.settable import Value
from planners.space import Point, SearchSpace

if TYPE_CHECKING:
    from planners.finite import PointTable

__all__ = ["Array", "Column", "Encoding", "require_names", "snap"]

Context = Mapping[str, Value]
"""Context variable → its value; one that is absent was not reported."""


@dataclass(frozen=True)
class Encoding:
    """The unit cube of one space.

    Numbers run linearly (or logarithmically) from bound to bound; a categorical parameter has one
    column a category (1 where chosen), or one a descriptor; a mixture one column a component. A
    name whose condition does not hold stands at 0.5 (a category at 0 in all its columns). The
    context variables of the space come last, at the values of `context`.

    Attributes
    ----------
    context : conditions at which points are encoded unless others are given; what is absent
        stands at the middle of its range. See `at`.
    """

    space: SearchSpace
    context: Context = field(default_factory=dict)

    def at(self, context: Context) -> Encoding:
        """Return the encoding of points under other conditions, such as today's.

        ``encoding.at(planners.context.latest(observations))`` is what a planner predicts with.
        """
        return Encoding(self.space, context)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The coordinates, in the order of the space's names, then of its context."""
        return kept(self.space, "columns", _all_columns)

    @property
    def n_settings(self) -> int:
        """How many of the columns encode settings; the others encode the context."""
        return len(self.columns) - len(self._context_row)

    @property
    def group_names(self) -> tuple[str, ...]:
        """What has a length scale of its own: names, ``name.descriptor``, context variables."""
        return tuple(dict.fromkeys(c.group for c in self.columns))

    @cached_property
    def groups(self) -> npt.NDArray[np.int64]:
        """For each column the index in `group_names`; the categories of one name share one."""
        index = {group: i for i, group in enumerate(self.group_names)}
        return np.array([index[c.group] for c in self.columns], dtype=np.int64)

    @property
    def programme(self) -> LinearProgramme:
        """The linear programme that repairs points against the linear constraints."""
        return kept(self.space, "programme", _programme)

    @cached_property
    def table(self) -> PointTable | None:
        """Every feasible point of a finite space under the encoding's context, else None."""
        # Here, since a table is made of encoded points.
        from planners.finite import table_of

        table = table_of(self.space)
        if table is None or not len(self._context_row):
            return table
        return table.under(self._context_row)

    def encode(
        self, points: Sequence[Point], context: Context | Sequence[Context] | None = None
    ) -> Array:
        """Return the coordinates of points, shape (n_points, n_columns).

        Recipes as executed may lie off the grid or a little outside; they are encoded as they are.

        Parameters
        ----------
        context : conditions of all points, or one mapping a point; the encoding's own if None.

        Raises
        ------
        SpaceError
            A point lacks a name of the space.
        """
        for point in points:
            require_names(self.space, point)
        table = {n: np.array([p[n] for p in points], dtype=object) for n in self.space.names}
        settings = coordinates(self.space, table, self.space.parameters)
        return self._with_context(settings, self.context if context is None else context)

    def encode_observations(self, observations: Sequence[Observation]) -> Array:
        """Return the coordinates of experiments, each under its own context."""
        return self.encode([o.values for o in observations], [o.context for o in observations])

    def encode_columns(self, table: Mapping[str, npt.NDArray[Any]]) -> Array:
        """Return the coordinates of a table given as name → values, shape (n_rows, n_columns)."""
        settings = coordinates(self.space, table, self.space.parameters)
        return self._with_context(settings, self.context)

    def decode(self, rows: Array) -> list[dict[str, Value]]:
        """Return the feasible points nearest to rows of coordinates, one each.

        Numbers are snapped to what can be set, categories to the nearest, mixtures to their
        total; where a linear constraint is then broken, the nearest point that obeys it is
        found exactly (`LinearProgramme.nearest`). With a candidate list the nearest row is taken.
        Where other constraints are broken, the nearest of some random feasible points is taken.
        """
        rows = np.atleast_2d(rows)
        if self.space.candidates is not None and not self.space.is_hybrid:
            table = self.table
            assert table is not None
            return [table.point(table.nearest(row)) for row in rows]
        return [self.repair(self.read(row)) for row in rows]

    def snap_feasible(self, rows: Array) -> list[dict[str, Value]]:
        """Return the points that rows snap to, without those that then break a constraint.

        Quicker than `decode`, which repairs every row.
        """
        points = [snap(self.space, self.read(row)) for row in rows]
        return [p for p in points if self.space.obeys(p)]

    def repair(self, raw: Mapping[str, Value]) -> dict[str, Value]:
        """Return the feasible point nearest to raw values that may break step, total or constraint.

        Constraints are repaired without regard to a candidate list of all names.
        """
        # Here, since repair stands upon the encoding.
        from planners.repair import repaired

        return repaired(self, raw)

    def _with_context(self, settings: Array, context: Context | Sequence[Context]) -> Array:
        if not self.space.context:
            return settings
        if isinstance(context, Mapping):
            reported = np.tile(context_row(self.space.context, context), (len(settings), 1))
        else:
            reported = np.array([context_row(self.space.context, c) for c in context])
        return np.concatenate([settings, reported.reshape(len(settings), -1)], axis=1)

    @cached_property
    def _context_row(self) -> Array:
        return context_row(self.space.context, self.context)

    def read(self, row: Array) -> dict[str, Value]:
        """Return what coordinates say, not yet snapped; listed names as the nearest row."""
        raw: dict[str, Value] = {}
        at = 0
        of_list: list[Array] = []
        by_parameter = columns_by_parameter(self.space)
        for p in self.space.parameters:
            columns = by_parameter[p.names[0]]
            part = row[at : at + len(columns)]
            at += len(columns)
            if isinstance(p, CategoricalParameter):
                raw[p.name] = _category(p, part)
            else:
                for c, x in zip(columns, part, strict=True):
                    raw[c.name] = c.from_unit(float(x))
            if p.names[0] in self.space.listed:
                of_list.append(part)
        listing = listing_of(self.space) if self.space.is_hybrid else None
        if listing is not None:
            raw.update(listing.point(listing.nearest(np.concatenate(of_list))[0]))
        return raw


def snap(space: SearchSpace, raw: Mapping[str, Value]) -> dict[str, Value]:
    """Return the settable values nearest to `raw`, parameter by parameter.

    Names that a list shares with free ones take the nearest row, and inactive names their
    `otherwise`. Constraints, and a list of all names, are not looked at.

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
    if space.is_hybrid:
        listing = listing_of(space)
        assert listing is not None
        point.update(listing.snap(space, {**raw}))
    return settle(space, point)


def require_names(space: SearchSpace, point: Mapping[str, Value]) -> None:
    """Raise SpaceError if the point lacks a name of the space."""
    missing = [n for n in space.names if n not in point]
    if missing:
        raise SpaceError(
            f"a point with the names {', '.join(point)} lacks {', '.join(missing)}; every "
            "observation and every pending point must give all names of the space"
        )


def _category(p: CategoricalParameter, part: Array) -> str:
    if not p.is_described:
        return p.categories[int(np.argmax(part))]
    table = p.described.coordinates
    return p.categories[int(np.argmin(((table - part) ** 2).sum(axis=1)))]


def _all_columns(space: SearchSpace) -> tuple[Column, ...]:
    settings = [c for columns in columns_by_parameter(space).values() for c in columns]
    return tuple(settings + [c for v in space.context for c in context_columns(v)])


def _programme(space: SearchSpace) -> LinearProgramme:
    return LinearProgramme(space.parameters, space.linear, listed=space.listed)
