"""A fixed list of candidates: the points, or the combinations of some settings, that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from pydantic import Field, model_validator

from planners.categories import CategoricalParameter
from planners.parameters import DiscreteParameter, MixtureParameter, Parameter
from planners.settable import Record, Value


class CandidateList(Record):
    """A fixed list of points, or of the settings of some names; nothing else can be made.

    Attributes
    ----------
    columns : the names, one a column.
    rows : one tuple a candidate, values in the order of `columns`.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    rows: tuple[tuple[Value, ...], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> CandidateList:
        if len(set(self.columns)) != len(self.columns):
            raise ValueError(f"the candidate list names a column twice: {list(self.columns)}")
        ragged = [i for i, row in enumerate(self.rows) if len(row) != len(self.columns)]
        if ragged:
            raise ValueError(
                f"candidate {ragged[0]} has {len(self.rows[ragged[0]])} values for "
                f"{len(self.columns)} columns"
            )
        return self

    def __len__(self) -> int:
        return len(self.rows)

    def points(self) -> Iterator[dict[str, Value]]:
        """Yield every candidate as name → value."""
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))

    def index(self, point: Mapping[str, Value]) -> int | None:
        """Return the first row whose columns equal those of `point`, or None."""
        return self._rows_by_value.get(tuple(point[c] for c in self.columns if c in point))

    def column(self, name: str) -> tuple[Value, ...]:
        """Return the values of one column, one a row."""
        i = self.columns.index(name)
        return tuple(row[i] for row in self.rows)

    @cached_property
    def _rows_by_value(self) -> dict[tuple[Value, ...], int]:
        """Row number of each candidate, the first where one is listed twice."""
        found: dict[tuple[Value, ...], int] = {}
        for i, row in enumerate(self.rows):
            found.setdefault(row, i)
        return found


def read_columns(candidates: CandidateList, *, known: frozenset[str]) -> list[Parameter]:
    """Return a parameter for each column that none of the names `known` sets.

    Numbers become a discrete parameter, text becomes a categorical one.
    """
    parameters: list[Parameter] = []
    for name in candidates.columns:
        if name in known:
            continue
        column = candidates.column(name)
        numbers = [v for v in column if not isinstance(v, str)]
        if len(numbers) == len(column):
            parameters.append(DiscreteParameter(name=name, values=tuple(sorted(set(numbers)))))
        else:
            labels = tuple(sorted({str(v) for v in column}))
            parameters.append(CategoricalParameter(name=name, categories=labels))
    return parameters


def column_fault(parameter: Parameter, name: str, column: tuple[Value, ...]) -> str | None:
    """Say which candidate has a value that its parameter cannot take, or None if all fit."""
    distinct = set(column)
    if isinstance(parameter, DiscreteParameter):
        distinct -= set(parameter.values)
    elif isinstance(parameter, CategoricalParameter):
        distinct -= set(parameter.categories)
    wrong = {v: fault for v in distinct if (fault := parameter.fault(name, v)) is not None}
    if not wrong:
        return None
    row = next(i for i, v in enumerate(column) if v in wrong)
    return f"candidate {row}: {wrong[column[row]]}"


def divided_mixture(parameters: tuple[Parameter, ...], listed: frozenset[str]) -> str | None:
    """Say which mixture has some components on the list and some not, or None."""
    for p in parameters:
        if isinstance(p, MixtureParameter):
            missing = [c for c in p.components if c not in listed]
            if missing and len(missing) < len(p.components):
                return (
                    f"the candidate list has some components of the mixture {p.name!r} but not "
                    f"{', '.join(missing)}; list all of them or none"
                )
    return None
