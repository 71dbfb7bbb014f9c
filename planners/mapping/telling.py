"""A map in words: what is where, and how much of the space it takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planners.columns import Array
from planners.mapping.maps import PhaseMap

PRESENT = 0.5
"""Probability from which a phase counts as there, where phases may stand side by side."""

NOTHING = "none of them"


@dataclass(frozen=True, slots=True)
class Legend:
    """What is at each of many points.

    Attributes
    ----------
    names : of the regions, or of the sets of phases, the one that takes most space first.
    index : (n_points,) which of them is at each point.
    sure : (n_points,) probability of that.
    """

    names: tuple[str, ...]
    index: npt.NDArray[np.int64]
    sure: Array

    @property
    def takes(self) -> Array:
        """Share of the points that each takes, (n_names,)."""
        counts = np.bincount(self.index, minlength=len(self.names))
        return np.asarray(counts / len(self.index))


def legend_of(probabilities: Array, chart: PhaseMap) -> Legend:
    """Return the likeliest region, or set of phases, at points of known probabilities."""
    if chart.exclusive:
        told = [chart.names[k] for k in probabilities.argmax(axis=1)]
        sure = probabilities.max(axis=1)
    else:
        there = probabilities >= PRESENT
        told = [_joined(chart.names, row) for row in there]
        sure = np.where(there, probabilities, 1 - probabilities).prod(axis=1)
    names, index, counts = np.unique(told, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return Legend(tuple(str(names[k]) for k in order), rank[index], sure)


def _joined(names: tuple[str, ...], there: npt.NDArray[np.bool_]) -> str:
    return " + ".join(n for n, t in zip(names, there, strict=True) if t) or NOTHING
