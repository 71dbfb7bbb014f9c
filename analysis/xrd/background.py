"""Background: a smooth basis that enters a fit linearly."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def background_basis(two_theta: FloatArray, *, order: int, air_scatter: bool = True) -> FloatArray:
    """Return the columns of a background, (n_points, order + 1 or + 2).

    Chebyshev polynomials up to `order` over the range and, for the rise towards low angles that
    air scatter makes, 1 / 2θ.

    Parameters
    ----------
    two_theta : (n_points,) increasing positive angles [deg].
    air_scatter : whether to add 1 / 2θ.
    """
    low, high = two_theta[0], two_theta[-1]
    columns = chebyshev.chebvander(2 * (two_theta - low) / (high - low) - 1, order)
    if not air_scatter:
        return np.asarray(columns, dtype=np.float64)
    return np.column_stack([columns, low / two_theta])
