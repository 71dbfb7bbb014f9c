"""What an experiment will cost: prices that a person states, or costs learnt from experience."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from planners.columns import Array
from planners.errors import UnsupportedSpace
from planners.parameters import CategoricalParameter
from planners.proposal import Observation
from planners.settable import Record, same
from planners.space import Point, SearchSpace

Price = Annotated[float, Field(ge=0)]


class CostModel(Record):
    """The price of an experiment, by which a planner divides what it expects of it.

    ``cost = base + Σ per_unit · value + Σ of_category + per_hour · hours + Σ change_over``, at
    least `minimum`; all prices in one currency. A quantity that has no price costs nothing.

    Attributes
    ----------
    base : of any experiment.
    per_unit : name → price of one unit of it, such as a reagent's per ml.
    of_category : name → category → price.
    per_hour : price of an hour of the laboratory.
    hours : hours that any experiment takes.
    hours_per_unit : name → hours that one unit of it takes: 1 for a dwell time in hours, 0.000278
        for one in seconds.
    change_over : name → price of setting it to another value than in the experiment before.
    minimum : least cost of an experiment; needed where all other prices may be zero.
    alpha : power of the cost by which a promise is divided: 1 buys most per money, 0 ignores the
        cost, between them dear experiments are made sooner.
    learn : take the costs that observations report, all but the change-over, instead of the stated
        prices, once four of them are known.
    """

    base: Price = 0.0
    per_unit: dict[str, Price] = Field(default_factory=dict)
    of_category: dict[str, dict[str, Price]] = Field(default_factory=dict)
    per_hour: Price = 0.0
    hours: Price = 0.0
    hours_per_unit: dict[str, Price] = Field(default_factory=dict)
    change_over: dict[str, Price] = Field(default_factory=dict)
    minimum: float | None = Field(default=None, gt=0)
    alpha: float = Field(default=1.0, ge=0)
    learn: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> CostModel:
        if self.hours_per_unit and self.per_hour == 0:
            raise ValueError(
                f"hours are counted for {', '.join(self.hours_per_unit)}, but an hour has no "
                "price; give `per_hour`"
            )
        if self.minimum is None and self.base == 0 and self.per_hour * self.hours == 0:
            raise ValueError(
                "an experiment may cost nothing, and what it promises is divided by its cost; "
                "give `base` (of any experiment) or `minimum`"
            )
        return self

    def check(self, space: SearchSpace) -> None:
        """Raise UnsupportedSpace if a price stands at a name or category the space lacks."""
        numeric = [*self.per_unit, *self.hours_per_unit]
        for name in [*numeric, *self.of_category, *self.change_over]:
            if name not in space.names:
                raise UnsupportedSpace(
                    f"the cost model has a price for {name!r}, which is no name of the space; "
                    f"there are {', '.join(space.names)}. Rename or remove the price"
                )
        for name in numeric:
            if isinstance(space.parameter(name), CategoricalParameter):
                raise UnsupportedSpace(
                    f"the cost model has a price per unit of {name!r}, which is a category; give "
                    "the price of each category under `of_category`"
                )
        for name, prices in self.of_category.items():
            faults = [space.parameter(name).fault(name, c) for c in prices]
            wrong = [f for f in faults if f is not None]
            if wrong or not isinstance(space.parameter(name), CategoricalParameter):
                raise UnsupportedSpace(
                    f"the prices of {name!r} do not fit the space: "
                    f"{wrong[0] if wrong else 'it is a number'}. Give prices of its categories, "
                    "or a price `per_unit`"
                )

    def running(self, point: Point) -> float:
        """Return what a point costs without any change-over, and without `minimum`."""
        total = self.base + self.per_hour * self.hours
        total += sum(price * float(point[n]) for n, price in self.per_unit.items())
        total += sum(prices.get(str(point[n]), 0.0) for n, prices in self.of_category.items())
        hours = sum(h * float(point[n]) for n, h in self.hours_per_unit.items())
        return total + self.per_hour * hours

    def changing(self, point: Point, previous: Point | None) -> float:
        """Return what it costs to change over from the experiment before; 0 for the first one."""
        if previous is None:
            return 0.0
        return sum(p for n, p in self.change_over.items() if not same(point[n], previous[n]))

    def cost(self, point: Point, *, previous: Point | None = None) -> float:
        """Return the cost of one experiment after another, in the currency of the prices."""
        total = self.running(point) + self.changing(point, previous)
        return max(total, self.minimum or 0.0)

    def costs(
        self,
        points: Sequence[Point],
        *,
        previous: Point | None = None,
        running: Array | None = None,
    ) -> Array:
        """Return the cost of each point if it came next, shape (n_points,), all positive.

        Parameters
        ----------
        previous : what was set last.
        running : costs without change-over, shape (n_points,), instead of the stated prices.
        """
        if running is None:
            return np.array([self.cost(p, previous=previous) for p in points])
        changes = np.array([self.changing(p, previous) for p in points])
        least = self.minimum or float(np.finfo(np.float64).tiny)
        return np.asarray(np.maximum(running + changes, least))


def last_made(observations: Sequence[Observation], pending: Sequence[Point]) -> Point | None:
    """Return what was set last: the latest point under way, else the latest experiment."""
    if pending:
        return pending[-1]
    return observations[-1].values if observations else None
