"""Intervals that hold what they promise: stated deviations scaled by what was seen on other data.

Split conformal prediction with scaled residuals (Lei et al. 2018,
doi:10.1080/01621459.2017.1307116), apart for groups of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

LEVEL = 0.9
"""Share of cases that intervals shall hold."""

NORMAL = 1.6448536
"""Standard deviations either side that hold this share of a normal distribution."""

FEWEST = 30
"""Cases that a group needs for a factor of its own."""


@dataclass(frozen=True, slots=True)
class Factors:
    """By how much stated deviations are multiplied, from group to group.

    Attributes
    ----------
    edges : rising limits between groups of the grouping number.
    factors : one more than edges.
    """

    edges: tuple[float, ...]
    factors: tuple[float, ...]

    def of(self, group: ArrayLike) -> FloatArray:
        """Return the factor of each case, shape as `group`."""
        at = np.searchsorted(self.edges, np.asarray(group, dtype=np.float64), side="right")
        return np.asarray(self.factors)[at]


def fit_factors(
    error: ArrayLike, std: ArrayLike, group: ArrayLike, *, edges: Sequence[float]
) -> Factors:
    """Return the factors after which ±1.645 deviations hold 90 % of each group.

    The quantile is the ⌈0.9 (n + 1)⌉-th smallest |error| / std. A group of fewer than `FEWEST`
    cases takes the factor of all.

    Parameters
    ----------
    error, std : (n,) what was wrong, and what was stated.
    group : (n,) the number by which cases are grouped.

    Raises
    ------
    ValueError
        There are fewer than `FEWEST` cases in all.
    """
    score = np.abs(np.asarray(error, dtype=np.float64)) / np.asarray(std, dtype=np.float64)
    if len(score) < FEWEST:
        raise ValueError(f"{len(score)} cases cannot calibrate intervals; give {FEWEST} or more")
    at = np.searchsorted(edges, np.asarray(group, dtype=np.float64), side="right")
    whole = _quantile(score) / NORMAL
    groups = [score[at == i] for i in range(len(edges) + 1)]
    factors = [_quantile(g) / NORMAL if len(g) >= FEWEST else whole for g in groups]
    return Factors(tuple(map(float, edges)), tuple(factors))


def coverage(error: ArrayLike, std: ArrayLike) -> float:
    """Return the share of cases within ±1.645 stated deviations."""
    wide = NORMAL * np.asarray(std, dtype=np.float64)
    return float(np.mean(np.abs(np.asarray(error, dtype=np.float64)) <= wide))


def _quantile(score: FloatArray) -> float:
    rank = min(int(np.ceil(LEVEL * (len(score) + 1))), len(score))
    return float(np.partition(score, rank - 1)[rank - 1])
