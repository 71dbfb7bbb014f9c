"""Why a crystal system was told: what each part of the features adds to its probability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.indexing.forms import SYSTEMS
from analysis.xrd.symmetry.features import NAMES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

AVERAGE = "average"
"""Name of what would be said before the pattern is looked at."""

SEED = 0
"""Of the orders in which parts are put in: the same pattern is explained alike every time."""


def _parts() -> dict[str, IntArray]:
    """Return part → columns of `NAMES`; every column is in one part."""
    found: dict[str, list[int]] = {}
    for i, name in enumerate(NAMES):
        last = name.split()[-1]
        if name.startswith("lines"):
            part = "number of lines"
        elif name.startswith("q"):
            part = "positions of the first lines"
        elif last in SYSTEMS and " over " not in name and " to " not in name:
            part = f"best {last} cell"
        else:
            part = name
        found.setdefault(part, []).append(i)
    return {part: np.array(columns) for part, columns in found.items()}


PARTS = _parts()
"""Part → its columns: what is known of one system's cell counts as one, and so do the lines."""


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """What leads from the average to the probabilities told.

    Attributes
    ----------
    average : (n_systems,) mean probability of the background.
    parts : part → (n_systems,) what it adds; with the average they sum to what is told.
    """

    average: FloatArray
    parts: dict[str, FloatArray]


def attribute(
    probability: Callable[[FloatArray], FloatArray], row: FloatArray, *, background: FloatArray
) -> Attribution:
    """Return Shapley values of the parts of one example's features.

    A part's value is the mean change of the probabilities when it is put into a background
    example after a random set of the others (Štrumbelj & Kononenko 2014,
    doi:10.1007/s10115-013-0679-x; Lundberg & Lee 2017, NeurIPS 30, 4765). Each background example
    takes one order and its reverse. Parts depend on one another, so that a background example with
    some of them replaced may be no possible pattern; a value tells what the trees looked at.

    Parameters
    ----------
    probability : (n, n_features) → (n, n_systems).
    row : (n_features,) of the example.
    background : (n_background, n_features) of the examples beside which it is explained.
    """
    rng, names = np.random.default_rng(SEED), list(PARTS)
    orders = [rng.permutation(len(names)) for _ in background]
    walks = [
        (order, _walk(row, other, order))
        for forth, other in zip(orders, background, strict=True)
        for order in (forth, forth[::-1])
    ]
    told = probability(np.concatenate([rows for _, rows in walks]))
    steps = np.split(told, len(walks))
    added = np.zeros((len(names), told.shape[1]))
    for (order, _), p in zip(walks, steps, strict=True):
        added[order] += np.diff(p, axis=0) / len(walks)
    average = np.mean([p[0] for p in steps], axis=0)
    return Attribution(average, dict(zip(names, added, strict=True)))


def _walk(row: FloatArray, other: FloatArray, order: IntArray) -> FloatArray:
    """Return the way from one example to another, part by part, (n_parts + 1, n_features)."""
    columns = list(PARTS.values())
    rows = np.tile(other, (len(order) + 1, 1))
    for step, part in enumerate(order, start=1):
        rows[step:, columns[part]] = row[columns[part]]
    return rows
