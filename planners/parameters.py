"""Parameters: what a chemist may set, with its unit and its limits.

A parameter owns one or several *names*; a point of the space gives each name a value.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from planners.categories import CategoricalParameter
from planners.settable import GRID_TOLERANCE, Settable, SingleName, Value, finite_number, same

__all__ = [
    "GRID_TOLERANCE",
    "CategoricalParameter",
    "ContinuousParameter",
    "DiscreteParameter",
    "MixtureParameter",
    "Parameter",
    "SingleParameter",
    "Value",
    "extremes",
]


class ContinuousParameter(SingleName):
    """A number between two bounds, searched linearly or logarithmically.

    Attributes
    ----------
    low, high : bounds, both included, in `unit`.
    log : search the logarithm (needs `low` > 0).
    step : only ``low + k * step`` can be set, k = 0, 1, …
    """

    type: Literal["continuous"] = "continuous"
    low: float
    high: float
    log: bool = False
    step: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> ContinuousParameter:
        if not self.low < self.high:
            raise ValueError(
                f"parameter {self.name!r} runs from low = {self.low:g} to high = {self.high:g}; "
                "low must be below high. A setting that stays fixed is no parameter of a search"
            )
        if self.log and self.low <= 0:
            raise ValueError(
                f"parameter {self.name!r} is logarithmic from low = {self.low:g}; "
                "a logarithm needs low > 0"
            )
        span = (self.high - self.low) * (1 + GRID_TOLERANCE)
        if self.step is not None and self.step > span:
            raise ValueError(
                f"parameter {self.name!r} has step = {self.step:g}, larger than its range "
                f"{self.high - self.low:g}; only its lower bound could ever be set"
            )
        self.check_otherwise(
            None if self.otherwise is None else self.fault(self.name, self.otherwise)
        )
        return self

    @property
    def resting(self) -> float:
        """The value where `only_if` does not hold."""
        return self.low if self.otherwise is None else self.snap(float(self.otherwise))

    @property
    def n_steps(self) -> int | None:
        """How many grid values there are, None without a step."""
        if self.step is None:
            return None
        return math.floor((self.high - self.low) / self.step + GRID_TOLERANCE) + 1

    def snap(self, value: float) -> float:
        """Return the settable number nearest to `value`."""
        inside = min(max(value, self.low), self.high)
        if self.step is None or self.n_steps is None:
            return inside
        k = min(max(round((inside - self.low) / self.step), 0), self.n_steps - 1)
        return self.low + k * self.step

    def fault(self, name: str, value: Value) -> str | None:
        """Say why `value` cannot be set, or None if it can."""
        number = finite_number(value)
        if number is None:
            return f"{name} = {value!r} is no finite number"
        tolerance = GRID_TOLERANCE * max(abs(self.low), abs(self.high))
        if not self.low - tolerance <= number <= self.high + tolerance:
            bounds = f"{self.low:g} to {self.high:g} {self.unit}".rstrip()
            return f"{name} = {number:g} lies outside {bounds}"
        if self.step is not None and abs(self.snap(number) - number) > 1e-6 * self.step:
            return f"{name} = {number:g} is not on the grid {self.low:g} + k * {self.step:g}"
        return None


class DiscreteParameter(SingleName):
    """A number out of a short list."""

    type: Literal["discrete"] = "discrete"
    values: tuple[float, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> DiscreteParameter:
        if len(set(self.values)) != len(self.values):
            raise ValueError(f"parameter {self.name!r} lists a value twice: {list(self.values)}")
        self.check_otherwise(
            None if self.otherwise is None else self.fault(self.name, self.otherwise)
        )
        return self

    @property
    def resting(self) -> float:
        """The value where `only_if` does not hold."""
        return self.values[0] if self.otherwise is None else self.snap(float(self.otherwise))

    def snap(self, value: float) -> float:
        """Return the listed number nearest to `value`."""
        ordered = self._ordered
        i = bisect_left(ordered, value)
        return min(ordered[max(i - 1, 0) : i + 1], key=lambda listed: abs(listed - value))

    @cached_property
    def _ordered(self) -> tuple[float, ...]:
        """The values in rising order; a list of 20,000 is searched by bisection."""
        return tuple(sorted(self.values))

    def fault(self, name: str, value: Value) -> str | None:
        """Say why `value` cannot be set, or None if it can."""
        number = finite_number(value)
        if number is None or not same(number, self.snap(number)):
            listed = ", ".join(f"{v:g}" for v in self.values[:20])
            more = f" and {len(self.values) - 20} more" if len(self.values) > 20 else ""
            return f"{name} = {value!r} is none of {listed}{more}"
        return None


class MixtureParameter(Settable):
    """Amounts of several components that add up to a total.

    Attributes
    ----------
    components : the names it sets, two or more.
    total : what the amounts sum to, in `unit`.
    low, high : bounds of single components; 0 and `total` where absent.
    """

    type: Literal["mixture"] = "mixture"
    name: str = Field(min_length=1)
    components: tuple[str, ...] = Field(min_length=2)
    total: float = Field(default=1.0, gt=0)
    low: dict[str, float] = Field(default_factory=dict)
    high: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> MixtureParameter:
        if len(set(self.components)) != len(self.components):
            raise ValueError(f"mixture {self.name!r} lists a component twice")
        strangers = (set(self.low) | set(self.high)) - set(self.components)
        if strangers:
            raise ValueError(
                f"mixture {self.name!r} bounds {sorted(strangers)}, which are no components of it; "
                f"the components are {', '.join(self.components)}"
            )
        lows, highs = zip(*(self.bounds(c) for c in self.components), strict=True)
        if any(not 0 <= lo <= hi for lo, hi in zip(lows, highs, strict=True)):
            raise ValueError(f"mixture {self.name!r} needs 0 <= low <= high for each component")
        if sum(lows) > self.total * (1 + 1e-12) or sum(highs) < self.total * (1 - 1e-12):
            raise ValueError(
                f"mixture {self.name!r} can sum to {sum(lows):g} … {sum(highs):g}, "
                f"never to its total {self.total:g}"
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The components."""
        return self.components

    def bounds(self, component: str) -> tuple[float, float]:
        """Lower and upper bound of one component, in `unit`."""
        return self.low.get(component, 0.0), self.high.get(component, self.total)

    def fault(self, name: str, value: Value) -> str | None:
        """Say why one component's `value` cannot be set, or None if it can."""
        number = finite_number(value)
        if number is None:
            return f"{name} = {value!r} is no finite number"
        low, high = self.bounds(name)
        if not low - 1e-9 * self.total <= number <= high + 1e-9 * self.total:
            return f"{name} = {number:g} lies outside {low:g} to {high:g} {self.unit}".rstrip()
        return None


SingleParameter = ContinuousParameter | DiscreteParameter | CategoricalParameter
"""The kinds that set one name."""

Parameter = Annotated[
    ContinuousParameter | DiscreteParameter | CategoricalParameter | MixtureParameter,
    Field(discriminator="type"),
]
"""Any of the four kinds; `type` tells which."""


def extremes(parameter: Parameter, name: str) -> tuple[Value, ...]:
    """Return the values of a name between or among which all others lie."""
    if isinstance(parameter, ContinuousParameter):
        return (parameter.low, parameter.high)
    if isinstance(parameter, MixtureParameter):
        return parameter.bounds(name)
    if isinstance(parameter, DiscreteParameter):
        return parameter.values
    return parameter.categories
