"""Constraints between settings: linear, a written expression, or a function known by its name.

::

    from planners import constraints

    def dissolves(point):
        return point["salt"] < 30 or point["solvent"] == "water"

    constraints.register("dissolves", dissolves)
    FunctionConstraint(name="dissolves")

A package may offer a function to campaign files as an entry point of the group
``sdlab.constraints``. A file can only name functions, never bring one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Discriminator, Field, Tag, model_validator

from planners.errors import SpaceError
from planners.expressions import Expression, parse
from planners.registered import Allows, Point, function_named, register
from planners.settable import Record

__all__ = [
    "Columns",
    "Constraint",
    "ExpressionConstraint",
    "FunctionConstraint",
    "LinearConstraint",
    "register",
]

Columns = Mapping[str, npt.NDArray[np.object_] | npt.NDArray[np.float64]]
"""A table of points: name → one value a row."""

Mask = npt.NDArray[np.bool_]

TOTAL_TOLERANCE = 1e-6
"""Relative distance at which a mixture counts as summing to its total, or a constraint as met."""


class _Bounded(Record):
    lower: float | None = None
    upper: float | None = None

    def _check_bounds(self, kind: str) -> None:
        if self.lower is None and self.upper is None:
            raise ValueError(f"{kind} constraint needs `lower`, `upper` or both")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(
                f"{kind} constraint has lower = {self.lower:g} above upper = {self.upper:g}"
            )

    def in_words(self) -> str:
        """Return the constraint with its bounds: ``a + 2 b <= 10``."""
        low = "" if self.lower is None else f"{self.lower:g} <= "
        high = "" if self.upper is None else f" <= {self.upper:g}"
        return f"{low}{self}{high}"

    def _outside(self, value: float, slack: float) -> str | None:
        if self.lower is not None and value < self.lower - slack:
            return f"{self} is {value:g}, below {self.lower:g}"
        if self.upper is not None and value > self.upper + slack:
            return f"{self} is {value:g}, above {self.upper:g}"
        return None

    def _inside(
        self, values: npt.NDArray[np.float64], slack: npt.NDArray[np.float64] | float
    ) -> Mask:
        inside = np.isfinite(values)
        if self.lower is not None:
            inside &= values >= self.lower - slack
        if self.upper is not None:
            inside &= values <= self.upper + slack
        return inside


class LinearConstraint(_Bounded):
    """``lower <= sum(coefficient * value) <= upper`` over numeric names.

    Attributes
    ----------
    coefficients : name → coefficient; names that do not appear count zero.
    lower, upper : bounds; at least one. Equal bounds make an equality.
    """

    type: Literal["linear"] = "linear"
    coefficients: dict[str, float] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> LinearConstraint:
        self._check_bounds("a linear")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names it speaks of."""
        return tuple(self.coefficients)

    def value(self, point: Point) -> float:
        """Return ``sum(coefficient * value)`` at a point."""
        return float(sum(c * float(point[name]) for name, c in self.coefficients.items()))

    def fault(self, point: Point) -> str | None:
        """Say how `point` breaks the constraint, or None if it does not."""
        slack = TOTAL_TOLERANCE * max(
            1.0, *(abs(c * float(point[n])) for n, c in self.coefficients.items())
        )
        return self._outside(self.value(point), slack)

    def holds(self, table: Columns) -> Mask:
        """Return for each row of a table whether it obeys, shape (n_rows,)."""
        terms = np.array(
            [c * np.asarray(table[n], dtype=np.float64) for n, c in self.coefficients.items()]
        )
        slack = TOTAL_TOLERANCE * np.maximum(np.abs(terms).max(axis=0), 1.0)
        return self._inside(terms.sum(axis=0), slack)

    def __str__(self) -> str:
        terms = [name if c == 1 else f"{c:g} {name}" for name, c in self.coefficients.items()]
        return " + ".join(terms)


class ExpressionConstraint(_Bounded):
    """``lower <= expression <= upper``, the expression being arithmetic over numeric names.

    Attributes
    ----------
    expression : such as ``temperature * log(time)``; see `planners.expressions`. A point at which
        it has no value breaks the constraint.
    lower, upper : bounds; at least one. A constraint so narrow that random points never obey it
        cannot be searched: write an equality as a linear constraint, or leave out one setting.
    """

    type: Literal["expression"] = "expression"
    expression: str

    @model_validator(mode="after")
    def _consistent(self) -> ExpressionConstraint:
        self._check_bounds("an expression")
        assert self._parsed.names
        return self

    @cached_property
    def _parsed(self) -> Expression:
        return parse(self.expression)

    @property
    def names(self) -> tuple[str, ...]:
        """The names it speaks of."""
        return self._parsed.names

    def fault(self, point: Point) -> str | None:
        """Say how `point` breaks the constraint, or None if it does not."""
        value = self._parsed.value(point)
        if not np.isfinite(value):
            here = ", ".join(f"{n} = {float(point[n]):g}" for n in self.names)
            return f"{self} has no value at {here}"
        return self._outside(value, TOTAL_TOLERANCE * self._scale)

    def holds(self, table: Columns) -> Mask:
        """Return for each row of a table whether it obeys, shape (n_rows,)."""
        numbers = {n: np.asarray(table[n], dtype=np.float64) for n in self.names}
        return self._inside(self._parsed.values(numbers), TOTAL_TOLERANCE * self._scale)

    @property
    def _scale(self) -> float:
        return max(abs(bound) for bound in (self.lower, self.upper) if bound is not None)

    def __str__(self) -> str:
        return self._parsed.text


class FunctionConstraint(Record):
    """A function of the whole point that says whether it may be tried.

    Attributes
    ----------
    name : under which the function was registered (`register`), or the name of an entry point of
        the group ``sdlab.constraints``. JSON and campaign files hold this name only.

    Raises
    ------
    ValueError
        No function has that name.
    """

    type: Literal["function"] = "function"
    name: str = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> FunctionConstraint:
        assert callable(self._function)
        return self

    @cached_property
    def _function(self) -> Allows:
        return function_named(self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """No names: the function may look at all of them."""
        return ()

    def fault(self, point: Point) -> str | None:
        """Say how `point` breaks the constraint, or None if it does not.

        Raises
        ------
        SpaceError
            The function itself fails.
        """
        try:
            allowed = bool(self._function(point))
        except Exception as error:
            raise SpaceError(
                f"the constraint function {self.name!r} failed at {dict(point)} with "
                f"{type(error).__name__}: {error}; it must return True or False at every point of "
                "the space"
            ) from error
        return None if allowed else f"{self.name} does not allow this point"

    def holds(self, table: Columns) -> Mask:
        """Return for each row of a table whether it obeys, shape (n_rows,)."""
        rows = zip(*table.values(), strict=True)
        points = (dict(zip(table, row, strict=True)) for row in rows)
        return np.array([self.fault(p) is None for p in points], dtype=np.bool_)

    def in_words(self) -> str:
        """Return the constraint in words."""
        return f"what {self.name!r} allows"

    def __str__(self) -> str:
        return self.name


def _kind(value: object) -> str:
    """Return the kind of a constraint; a bare table is linear, as in files of old."""
    if not isinstance(value, dict):
        return str(getattr(value, "type", "linear"))
    return str(value.get("type", "expression" if "expression" in value else "linear"))


Constraint = Annotated[
    Annotated[LinearConstraint, Tag("linear")]
    | Annotated[ExpressionConstraint, Tag("expression")]
    | Annotated[FunctionConstraint, Tag("function")],
    Discriminator(
        _kind,
        custom_error_type="constraint_type",
        custom_error_message="a constraint is of the type linear, expression or function",
    ),
]
"""Any of the three kinds; `type` tells which, and without it a table is linear."""
