"""The settings of a space as a structure may follow them: each a number or a label."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from planners.columns import Array
from planners.encoding import Encoding

MOST_ALL = 6
"""Settings up to which every choice among them is weighed; of more, every pair, and all."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting, or one context variable.

    Attributes
    ----------
    columns : its coordinates in the unit cube.
    is_label : whether nothing is known of its values but which are the same.
    """

    name: str
    columns: tuple[int, ...]
    is_label: bool


def axes_of(encoding: Encoding) -> tuple[Axis, ...]:
    """Return the axes of a space, in the order of `Encoding.group_names`."""
    found = []
    for i, name in enumerate(encoding.group_names):
        columns = tuple(int(c) for c in np.flatnonzero(encoding.groups == i))
        is_label = encoding.columns[columns[0]].category is not None
        found.append(Axis(name, columns, is_label))
    return tuple(found)


def choices(n: int) -> list[tuple[int, ...]]:
    """Return the choices among n axes that models compete with, none and all among them."""
    sizes = range(n + 1) if n <= MOST_ALL else (0, 1, 2, n)
    return [c for k in sizes for c in combinations(range(n), k)]


def same(axis: Axis, a: Array, b: Array) -> Array:
    """Return 1 where two points have the same label, else 0, shape (n_a, n_b)."""
    columns = list(axis.columns)
    return np.asarray((a[:, columns] @ b[:, columns].T > 0.5).astype(np.float64))


def apart(axis: Axis, a: Array, b: Array) -> Array:
    """Return the squared distance along one axis of numbers, shape (n_a, n_b)."""
    columns = list(axis.columns)
    off = a[:, None, columns] - b[None, :, columns]
    return np.asarray((off**2).sum(axis=2))
