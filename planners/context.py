"""What the laboratory reports but cannot set: humidity, room temperature, the lot of a reagent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from planners.settable import Record, Value

if TYPE_CHECKING:
    from planners.proposal import Observation


class ContextVariable(Record):
    """A condition that influences experiments and that nobody chooses.

    A number with the range in which it is expected, or one of several categories. Proposals do
    not hold it; each observation reports what it was (`Observation.context`), and a model predicts
    for the value reported last. What is not reported counts as the middle of the range (or as no
    category). A number outside its range is taken as it is, and a category not listed as none.

    Attributes
    ----------
    low, high : range in which it is expected, in `unit`.
    categories : its possible values, instead of a range.
    """

    name: str = Field(min_length=1)
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    unit: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> ContextVariable:
        ranged = self.low is not None and self.high is not None
        if ranged == bool(self.categories) or (self.low is None) != (self.high is None):
            raise ValueError(
                f"the context variable {self.name!r} has low = {self.low}, high = {self.high} and "
                f"{len(self.categories)} categories; give it both bounds or a list of categories"
            )
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(
                f"the context variable {self.name!r} runs from low = {self.low:g} to "
                f"high = {self.high:g}; low must be below high"
            )
        if len(set(self.categories)) != len(self.categories):
            raise ValueError(
                f"the context variable {self.name!r} lists a category twice: "
                f"{list(self.categories)}"
            )
        return self


def latest(observations: Sequence[Observation]) -> dict[str, Value]:
    """Return for each context variable the value reported last.

    Parameters
    ----------
    observations : oldest first; a failed one reports, too.
    """
    found: dict[str, Value] = {}
    for observation in observations:
        found.update(observation.context)
    return found
