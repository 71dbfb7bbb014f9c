"""The prediction along the names that matter, through one point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from planners.bayesian.landscape import Landscape, landscape
from planners.explaining.records import Map, Slice
from planners.objective import Objective
from planners.proposal import Observation
from planners.settable import Value
from planners.space import Point, SearchSpace

GRID = 40
"""Settings along a slice."""

MAP_GRID = 30
"""Settings along each side of a map."""


def slice_along(
    space: SearchSpace,
    objective: Objective,
    observations: Sequence[Observation],
    *,
    name: str,
    quantity: str,
    through: Point | None = None,
    grid: int = GRID,
) -> Slice | None:
    """Return the prediction of a quantity along one name; None if no model is possible.

    Parameters
    ----------
    through : where the other names stand, by default as in the best experiment.
    grid : settings along a continuous name; a discrete or categorical one has its own.
    """
    found = landscape(
        space,
        objective,
        observations,
        names=(name,),
        quantity=quantity,
        through=through,
        grid=grid,
    )
    if found is None:
        return None
    return Slice(
        name=name,
        at=_settings(found.axes[0]),
        mean=_row(found.mean),
        std=_row(found.std),
        held=found.held,
    )


def map_over(
    space: SearchSpace,
    objective: Objective,
    observations: Sequence[Observation],
    *,
    names: tuple[str, str],
    quantity: str,
    through: Point | None = None,
    grid: int = MAP_GRID,
) -> Map | None:
    """Return the prediction of a quantity over two names; None if no model is possible.

    See `slice_along` for the parameters.

    Raises
    ------
    ValueError
        The two names belong to one mixture, or are no names of the space.
    """
    found = landscape(
        space, objective, observations, names=names, quantity=quantity, through=through, grid=grid
    )
    return None if found is None else _as_map(found)


def _as_map(found: Landscape) -> Map:
    return Map(
        names=(found.names[0], found.names[1]),
        across=_settings(found.axes[0]),
        up=_settings(found.axes[1]),
        mean=tuple(_row(row) for row in found.mean),
        std=tuple(_row(row) for row in found.std),
        held=found.held,
    )


def _settings(axis: npt.NDArray[np.float64] | npt.NDArray[np.str_]) -> tuple[Value, ...]:
    return tuple(axis.tolist())


def _row(values: npt.NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(float(v) if np.isfinite(v) else None for v in values)
