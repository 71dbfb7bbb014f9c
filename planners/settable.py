"""What every parameter has: a unit, a name, and perhaps a condition under which it exists."""

from __future__ import annotations

import math
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Value = float | str
"""A setting: a number in the parameter's unit, or a category."""

GRID_TOLERANCE = 1e-9
"""Relative distance at which a number counts as standing on a grid value."""


class Record(BaseModel):
    """A frozen record that refuses keys it does not know and numbers that are not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __copy__(self) -> Self:
        return _forgetting(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return _forgetting(super().__deepcopy__(memo))

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        fields = {k: v for k, v in state["__dict__"].items() if k in type(self).model_fields}
        return {**state, "__dict__": fields}


_R = TypeVar("_R", bound=Record)


def _forgetting(copied: _R) -> _R:
    """Drop what a record had worked out: `model_copy` may give the copy other fields."""
    for name in set(copied.__dict__) - set(type(copied).model_fields):
        del copied.__dict__[name]
    return copied


class Settable(Record):
    """Anything that owns names of a space.

    Attributes
    ----------
    unit : of its numbers; empty for none.
    """

    unit: str = ""


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str | int | float) else value


Values = Annotated[tuple[Value, ...], BeforeValidator(_as_list), Field(min_length=1)]
"""One value or a list of values."""


class SingleName(Settable):
    """A parameter of one name, which may depend on others.

    Attributes
    ----------
    name : the name it sets.
    only_if : other name → values at which this parameter plays a role; all must hold. Empty for a
        parameter that always does. The others are categories, discrete or stepped.
    otherwise : the value it takes when it plays none; by default its low bound or first value.
        Two points that differ only there are one point.
    """

    name: str = Field(min_length=1)
    only_if: dict[str, Values] = Field(default_factory=dict)
    otherwise: Value | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The single name this parameter sets."""
        return (self.name,)

    def check_otherwise(self, fault: str | None) -> None:
        """Raise ValueError if `otherwise` has no condition or cannot be set, as `fault` says."""
        if self.otherwise is None:
            return
        if not self.only_if:
            raise ValueError(
                f"parameter {self.name!r} has otherwise = {self.otherwise!r} without a condition; "
                "`otherwise` is the value outside `only_if`. Add `only_if` or remove it"
            )
        if fault is not None:
            raise ValueError(
                f"parameter {self.name!r} cannot take its own `otherwise`: {fault}; give a value "
                "that can be set"
            )


def finite_number(value: Value) -> float | None:
    """Return a finite float, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def same(one: Value, other: Value) -> bool:
    """Return whether two settings are equal, numbers up to rounding."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return math.isclose(one, other, rel_tol=GRID_TOLERANCE, abs_tol=1e-12)
