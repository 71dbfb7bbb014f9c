"""The search space: parameters, linear constraints, or a fixed list of candidates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, model_validator

from planners.feasibility import LinearProgramme
from planners.parameters import (
    CategoricalParameter,
    DiscreteParameter,
    MixtureParameter,
    Parameter,
    Value,
)

Point = Mapping[str, Value]
"""One value for each name of a space."""

TOTAL_TOLERANCE = 1e-6
"""Relative distance at which a mixture counts as summing to its total, or a constraint as met."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LinearConstraint(_Record):
    """``lower <= sum(coefficient * value) <= upper`` over numeric names.

    Attributes
    ----------
    coefficients : name → coefficient; names that do not appear count zero.
    lower, upper : bounds; at least one. Equal bounds make an equality.
    """

    coefficients: dict[str, float] = Field(min_length=1)
    lower: float | None = None
    upper: float | None = None

    @model_validator(mode="after")
    def _consistent(self) -> LinearConstraint:
        if self.lower is None and self.upper is None:
            raise ValueError("a linear constraint needs `lower`, `upper` or both")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(
                f"a linear constraint has lower = {self.lower:g} above upper = {self.upper:g}"
            )
        return self

    def value(self, point: Point) -> float:
        """Return ``sum(coefficient * value)`` at a point."""
        return float(sum(c * float(point[name]) for name, c in self.coefficients.items()))

    def fault(self, point: Point) -> str | None:
        """Say how `point` breaks the constraint, or None if it does not."""
        value = self.value(point)
        slack = TOTAL_TOLERANCE * max(
            1.0, *(abs(c * float(point[n])) for n, c in self.coefficients.items())
        )
        if self.lower is not None and value < self.lower - slack:
            return f"{self} is {value:g}, below {self.lower:g}"
        if self.upper is not None and value > self.upper + slack:
            return f"{self} is {value:g}, above {self.upper:g}"
        return None

    def in_words(self) -> str:
        """Return the constraint with its bounds: ``a + 2 b <= 10``."""
        low = "" if self.lower is None else f"{self.lower:g} <= "
        high = "" if self.upper is None else f" <= {self.upper:g}"
        return f"{low}{self}{high}"

    def __str__(self) -> str:
        terms = [name if c == 1 else f"{c:g} {name}" for name, c in self.coefficients.items()]
        return " + ".join(terms)


class CandidateList(_Record):
    """A fixed list of points; nothing else can be made.

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

    def index(self, point: Point) -> int | None:
        """Return the row that equals `point`, or None."""
        return self._rows_by_value.get(tuple(point[c] for c in self.columns if c in point))

    @cached_property
    def _rows_by_value(self) -> dict[tuple[Value, ...], int]:
        """Row number of each candidate, the first where one is listed twice."""
        found: dict[tuple[Value, ...], int] = {}
        for i, row in enumerate(self.rows):
            found.setdefault(row, i)
        return found


class SearchSpace(_Record):
    """Everything that may be proposed.

    Either `parameters` with optional linear `constraints`, or parameters plus `candidates`:
    then only the listed points exist, and the parameters tell how to read the columns.
    A candidate list without parameters gets them from its columns: numbers become discrete,
    text becomes categorical.

    Raises
    ------
    ValueError
        Names clash, a constraint speaks of an unknown or non-numeric name, a candidate breaks
        a parameter, or no feasible point exists.
    """

    parameters: tuple[Parameter, ...] = ()
    constraints: tuple[LinearConstraint, ...] = ()
    candidates: CandidateList | None = None

    @model_validator(mode="before")
    @classmethod
    def _parameters_from_candidates(cls, data: object) -> object:
        if not isinstance(data, dict) or data.get("parameters") or not data.get("candidates"):
            return data
        listed = CandidateList.model_validate(data["candidates"])
        return {**data, "candidates": listed, "parameters": _read_columns(listed)}

    @model_validator(mode="after")
    def _consistent(self) -> SearchSpace:
        if not self.parameters:
            raise ValueError("the space has neither parameters nor candidates; give one of them")
        names = self.names
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"several parameters set {', '.join(twice)}; each name is set once")
        for constraint in self.constraints:
            self._check_constraint(constraint)
        if self.candidates is not None:
            self._check_candidates(self.candidates)
        elif (
            self.constraints and LinearProgramme(self.parameters, self.constraints).solve() is None
        ):
            raise ValueError(
                "the space has no feasible point: its constraints exclude every combination of "
                "the parameters; loosen " + "; ".join(c.in_words() for c in self.constraints)
            )
        return self

    def _check_constraint(self, constraint: LinearConstraint) -> None:
        for name in constraint.coefficients:
            if name not in self.names:
                raise ValueError(
                    f"the constraint {constraint} names {name!r}, which no parameter sets; "
                    f"there are {', '.join(self.names)}"
                )
            if isinstance(self.parameter(name), CategoricalParameter):
                raise ValueError(f"the constraint {constraint} uses the categorical {name!r}")

    def _check_candidates(self, candidates: CandidateList) -> None:
        if set(candidates.columns) != set(self.names):
            raise ValueError(
                f"the candidate list has the columns {', '.join(candidates.columns)}; "
                f"the parameters set {', '.join(self.names)}"
            )
        feasible = 0
        for i, point in enumerate(candidates.points()):
            wrong = self._value_faults(point)
            if wrong:
                raise ValueError(f"candidate {i}: {wrong[0]}")
            feasible += all(c.fault(point) is None for c in self.constraints)
        if not feasible:
            raise ValueError(
                f"the space has no feasible point: none of the {len(candidates)} candidates "
                "meets every constraint"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Every name a point must give a value to, in order."""
        return tuple(name for p in self.parameters for name in p.names)

    def parameter(self, name: str) -> Parameter:
        """Return the parameter that sets `name`. Raises KeyError if none does."""
        for parameter in self.parameters:
            if name in parameter.names:
                return parameter
        raise KeyError(name)

    def faults(self, point: Point) -> list[str]:
        """Say everything that keeps `point` out of the space; empty if it belongs."""
        missing = [n for n in self.names if n not in point]
        unknown = [n for n in point if n not in self.names]
        if missing or unknown:
            return [f"{n} has no value" for n in missing] + [
                f"{n} is no name of this space" for n in unknown
            ]
        wrong = self._value_faults(point)
        if not wrong:
            wrong = [f for c in self.constraints if (f := c.fault(point)) is not None]
        if not wrong and self.candidates is not None and self.candidates.index(point) is None:
            wrong = ["the point is not on the candidate list"]
        return wrong

    def contains(self, point: Point) -> bool:
        """Return whether `point` may be proposed."""
        return not self.faults(point)

    def _value_faults(self, point: Point) -> list[str]:
        found = [
            fault
            for p in self.parameters
            for name in p.names
            if (fault := p.fault(name, point[name])) is not None
        ]
        for p in self.parameters:
            if isinstance(p, MixtureParameter) and not found:
                total = sum(float(point[c]) for c in p.components)
                if abs(total - p.total) > TOTAL_TOLERANCE * p.total:
                    found.append(
                        f"{p.name} sums to {total:g}, not to {p.total:g} {p.unit}".rstrip()
                    )
        return found


def _read_columns(candidates: CandidateList) -> list[Parameter]:
    parameters: list[Parameter] = []
    for i, name in enumerate(candidates.columns):
        column = [row[i] for row in candidates.rows]
        numbers = [v for v in column if not isinstance(v, str)]
        if len(numbers) == len(column):
            parameters.append(DiscreteParameter(name=name, values=tuple(sorted(set(numbers)))))
        else:
            labels = tuple(sorted({str(v) for v in column}))
            parameters.append(CategoricalParameter(name=name, categories=labels))
    return parameters
