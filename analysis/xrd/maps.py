"""Maps: what insights say of one quantity, over the places where their patterns were taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.insight import Insight

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """One quantity over a grid of places.

    Attributes
    ----------
    quantity : full key, such as ``xrd.lattice.rutile.a``.
    unit : of the values; empty where nothing was told.
    x, y : (n_x,) and (n_y,) rising coordinates.
    values, std : (n_y, n_x), NaN where there is no pattern or nothing was told.
    """

    quantity: str
    unit: str
    x: FloatArray
    y: FloatArray
    values: FloatArray
    std: FloatArray


def map_of(insights: Sequence[Insight], quantity: str, *, x: ArrayLike, y: ArrayLike) -> Map:
    """Return the map of one quantity.

    Parameters
    ----------
    insights : one a place, in the order of `x` and `y`.
    x, y : (n,) coordinates of the places, in one unit of length.

    Raises
    ------
    ValueError
        There are not as many places as insights, or two insights stand at one place.
    """
    across, along = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not len(insights) == len(across) == len(along):
        raise ValueError(
            f"there are {len(insights)} insights at {len(across)} x and {len(along)} y; give one "
            "place an insight"
        )
    columns, i = np.unique(across, return_inverse=True)
    rows, j = np.unique(along, return_inverse=True)
    if len(np.unique(j * len(columns) + i)) < len(insights):
        raise ValueError("two insights stand at one place; average them, or map them apart")
    values = np.full((len(rows), len(columns)), np.nan)
    std, unit = values.copy(), ""
    for column, row, insight in zip(i, j, insights, strict=True):
        found = insight.estimates.get(quantity)
        if found is not None:
            values[row, column], unit = found.value, found.unit
            std[row, column] = np.nan if found.std is None else found.std
    return Map(quantity, unit, columns, rows, values, std)
