"""What a map of phases tells, whichever way it was made."""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np

from planners.columns import Array


class PhaseMap(Protocol):
    """Probabilities of regions, or of phases, at every point of the settings.

    Attributes
    ----------
    names : of the regions or phases.
    exclusive : whether one and only one of them is at each point.
    n_read : samples whose readings it rests on.
    doubted : readings that are likelier wrong than right.
    """

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102  as above

    @property
    def exclusive(self) -> bool: ...  # noqa: D102  as above

    @property
    def n_read(self) -> int: ...  # noqa: D102  as above

    @property
    def doubted(self) -> int: ...  # noqa: D102  as above

    def probabilities(self, x: Array) -> Array:
        """Return the probability of each name at coordinates, (n_points, n_names).

        Rows sum to 1 if exclusive.
        """
        ...

    def gain(self, x: Array, over: Array) -> Array:
        """Return by how much a reading at each point lowers the map's doubt, (n_points,).

        Expected reduction of the mean of `doubt_of` over other points.

        Parameters
        ----------
        over : (n_over, n_columns) points that the map is wanted of.
        """
        ...

    def believing(self, x: Array) -> Self:
        """Return the map once points under way have been read as is expected of them."""
        ...


def doubt_of(probabilities: Array) -> Array:
    """Return how doubtful each point is: Σ p (1 - p) over names, (n_points,).

    For regions that exclude one another it is the probability that a region drawn by these
    probabilities is wrong (Gini's impurity).
    """
    return np.asarray((probabilities * (1 - probabilities)).sum(axis=-1))
