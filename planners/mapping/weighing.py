"""What a measurement is worth, for the map and for the property, in one currency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planners.bayesian.feasibility import SuccessModel
from planners.columns import Array
from planners.mapping.maps import PhaseMap, doubt_of
from planners.mapping.property import Property

LEAST_DOUBT = 1e-6
"""Mean doubt below which a map counts as finished."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """What a measurement is worth for map and property, in one currency.

    For the map it counts by the share of the doubt, averaged over the space, that it is expected to
    take away; for the property by the expected improvement as a share of what there is to gain,
    from the worst experiment to the expected best point. So neither has to be switched on or off:
    a property that is nearly found promises little, and the map takes over, and back again where
    the map opens a region that may be better.

    Attributes
    ----------
    chart, known : map and targets as they are told now; None while there is too little.
    over : (n_over, n_columns) points that stand for the space.
    share : of the interest that the map has.
    success : probability that a recipe succeeds, None if none failed so far.
    prices : takes coordinates, returns what points cost, (n_points,); None if all cost the same.
    """

    chart: PhaseMap | None
    known: Property | None
    over: Array
    share: float
    success: SuccessModel | None
    prices: Callable[[Array], Array] | None = None

    def of_map(self, x: Array) -> Array:
        """Return the share of the map's doubt that a reading at each point takes away."""
        if self.chart is None:
            return np.zeros(len(x))
        doubt = max(self.doubt, LEAST_DOUBT)
        return self.chart.gain(x, self.over) / doubt

    def of_property(self, x: Array) -> Array:
        """Return the expected improvement as a share of what there is to gain."""
        return np.zeros(len(x)) if self.known is None else self.known.share(x)

    def worth(self, x: Array) -> Array:
        """Return what a measurement at each point is worth for its cost, (n_points,)."""
        total = self.share * self.of_map(x)
        if self.share < 1:
            total = total + (1 - self.share) * self.of_property(x)
        if self.success is not None:
            total = total * self.success.probability(x)
        return total if self.prices is None else total / self.prices(x)

    @property
    def doubt(self) -> float:
        """Mean doubt of the map over the space."""
        if self.chart is None:
            return 1.0
        return float(doubt_of(self.chart.probabilities(self.over)).mean())
