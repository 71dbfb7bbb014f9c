"""Columns of the unit cube: which coordinates each parameter has, and their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from planners.conditions import conditional, inactive_rows
from planners.context import ContextVariable
from planners.errors import SpaceError
from planners.kept import kept
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    Parameter,
)
from planners.settable import Value
from planners.space import SearchSpace

Array = npt.NDArray[np.float64]

NOWHERE = 0.5
"""Coordinate of an inactive number and of a context variable that was not reported."""


@dataclass(frozen=True, slots=True)
class Column:
    """One coordinate of the unit cube.

    Attributes
    ----------
    name : the name of the space, or the context variable, that it encodes.
    low, high : values that become 0 and 1, in the name's unit; 0 and 1 for a category.
    log : the coordinate runs with the logarithm of the value.
    category : the category whose presence it marks, None for numbers.
    relaxed : an optimiser may move it freely; discrete values, categories and what is only
        reported stay put.
    descriptor : the descriptor of categories that it shows, None for anything else.
    levels : category → coordinate, for a descriptor.
    """

    name: str
    low: float
    high: float
    log: bool = False
    category: str | None = None
    relaxed: bool = True
    descriptor: str | None = None
    levels: Mapping[str, float] | None = None

    @property
    def group(self) -> str:
        """What shares one length scale: the name, or ``name.descriptor``."""
        return self.name if self.descriptor is None else f"{self.name}.{self.descriptor}"

    @property
    def idle(self) -> float:
        """The coordinate of a name that plays no role."""
        return NOWHERE if self.category is None else 0.0

    def to_unit(self, values: npt.NDArray[Any]) -> Array:
        """Return the coordinates of values, shape (n_points,).

        Raises
        ------
        SpaceError
            A category has no descriptors.
        """
        if self.category is not None:
            return np.array([v == self.category for v in values], dtype=np.float64)
        if self.levels is not None:
            return self._described(values)
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

    def _described(self, values: npt.NDArray[Any]) -> Array:
        assert self.levels is not None
        try:
            return np.array([self.levels[v] for v in values.tolist()], dtype=np.float64)
        except KeyError as error:
            raise SpaceError(
                f"{self.name} = {error.args[0]!r} has no descriptors; known are "
                f"{', '.join(list(self.levels)[:10])}. Observations and pending points must hold "
                "categories of the space"
            ) from None


def columns_of(p: Parameter) -> list[Column]:
    """Return the coordinates of one parameter, in the order of its names."""
    if isinstance(p, ContinuousParameter):
        return [Column(p.name, p.low, p.high, log=p.log)]
    if isinstance(p, DiscreteParameter):
        return [Column(p.name, min(p.values), max(p.values), relaxed=False)]
    if isinstance(p, CategoricalParameter):
        return _described_columns(p) if p.is_described else _one_hot(p.name, p.categories)
    return [Column(c, *p.bounds(c)) for c in p.components]


def columns_by_parameter(space: SearchSpace) -> dict[str, list[Column]]:
    """Return the coordinates of each parameter, by its first name."""
    return kept(space, "columns by parameter", _by_parameter)


def context_columns(variable: ContextVariable) -> list[Column]:
    """Return the coordinates of one context variable."""
    if variable.low is not None and variable.high is not None:
        return [Column(variable.name, variable.low, variable.high, relaxed=False)]
    return _one_hot(variable.name, variable.categories)


def coordinates(
    space: SearchSpace,
    table: Mapping[str, npt.NDArray[Any]],
    parameters: Sequence[Parameter],
) -> Array:
    """Return the coordinates of some parameters for each row of a table.

    Parameters
    ----------
    table : name → values, shape (n_rows,); the names of `parameters` and of their conditions.

    Returns
    -------
    Shape (n_rows, n_columns of `parameters`).
    """
    off = inactive_rows(space, table) if conditional(space) else {}
    found: list[Array] = []
    for p in parameters:
        for column in columns_by_parameter(space)[p.names[0]]:
            values = column.to_unit(table[column.name])
            if column.name in off:
                values = np.where(off[column.name], column.idle, values)
            found.append(values)
    return np.stack(found, axis=1)


def context_row(variables: Sequence[ContextVariable], reported: Mapping[str, Value]) -> Array:
    """Return the coordinates of what was reported, shape (n_context_columns,)."""
    row: list[float] = []
    for variable in variables:
        value = reported.get(variable.name)
        for column in context_columns(variable):
            if value is None:
                row.append(column.idle)
            else:
                row.append(float(column.to_unit(np.array([value], dtype=object))[0]))
    return np.array(row, dtype=np.float64)


def _by_parameter(space: SearchSpace) -> dict[str, list[Column]]:
    return {p.names[0]: columns_of(p) for p in space.parameters}


def _one_hot(name: str, categories: tuple[str, ...]) -> list[Column]:
    return [Column(name, 0.0, 1.0, category=c, relaxed=False) for c in categories]


def _described_columns(p: CategoricalParameter) -> list[Column]:
    names, table = p.described.names, p.described.coordinates
    return [
        Column(
            p.name,
            0.0,
            1.0,
            relaxed=False,
            descriptor=name,
            levels=dict(zip(p.categories, table[:, j].tolist(), strict=True)),
        )
        for j, name in enumerate(names)
    ]
