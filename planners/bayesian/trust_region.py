"""Where to search when experiments are many: a box around the best one that grows and shrinks.

The box is no memory of the planner: it is replayed from the observations, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from planners.columns import Array

SIDE_FIRST, SIDE_LARGEST, SIDE_LEAST = 0.8, 1.6, 0.5**7
"""Side length of the box, in the unit cube (Eriksson et al. 2019, appendix)."""

SUCCESSES = 3
"""Improvements in a row after which the side doubles."""

LEAST_GAIN = 1e-3
"""Share of the spread of utilities so far by which an experiment must beat the best to count."""

MAX_CANDIDATES = 5000
MOVED = 20
"""About so many columns of a candidate differ from the best point."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Where the growing and shrinking stands after the observations.

    Attributes
    ----------
    side : side length of the box, in the unit cube.
    since : index of the first observation after the last restart; earlier ones do not count.
    n_restarts : how often the box became too small and the search began anew.
    best : index of the best observation since the restart, None before there is one.
    """

    side: float
    since: int
    n_restarts: int
    best: int | None


@dataclass(frozen=True, slots=True)
class Box:
    """A box in the unit cube.

    Attributes
    ----------
    centre, lower, upper : coordinates, shape (n_columns,).
    """

    centre: Array
    lower: Array
    upper: Array

    def contains(self, x: Array) -> npt.NDArray[np.bool_]:
        """Return which rows of coordinates lie inside, shape (n_points,)."""
        return np.asarray(((x >= self.lower) & (x <= self.upper)).all(axis=1))


def replay(
    utilities: Sequence[float | None], *, n_columns: int, n_initial: int, n_anew: int | None = None
) -> Replay:
    """Return where the trust region stands after experiments, oldest first.

    The side starts at 0.8; it doubles after 3 improvements in a row and halves after as many
    experiments without one as there are columns, but at least 4; below 0.5^7 the search restarts
    (TuRBO-1 with batches of one, Eriksson et al. 2019, arXiv:1910.01739). The first `n_initial`
    experiments, and `n_anew` after each restart, only tell where the box begins.

    Parameters
    ----------
    utilities : of each experiment, higher is better; None where it failed or broke a constraint,
        which counts as no improvement.
    n_anew : by default `n_initial`.
    """
    patience = max(4, n_columns)
    known: list[float] = []
    side, since, n_restarts = SIDE_FIRST, 0, 0
    best: int | None = None
    top = -np.inf
    first = n_initial
    up = down = 0
    for i, utility in enumerate(utilities):
        better = utility is not None and utility > top + LEAST_GAIN * _spread(known)
        if utility is not None:
            known.append(utility)
            if utility > top:
                top, best = utility, i
        if i < first:
            continue
        up, down = (up + 1, 0) if better else (0, down + 1)
        if up == SUCCESSES:
            side, up = min(2.0 * side, SIDE_LARGEST), 0
        elif down == patience:
            side, down = side / 2.0, 0
        if side < SIDE_LEAST:
            side, since, n_restarts = SIDE_FIRST, i + 1, n_restarts + 1
            best, top, up, down = None, -np.inf, 0, 0
            first = since + (n_initial if n_anew is None else n_anew)
    return Replay(side=side, since=since, n_restarts=n_restarts, best=best)


def _spread(known: Sequence[float]) -> float:
    return float(np.std(known)) if known else 0.0


def box_around(centre: Array, lengths: Array, side: float, *, whole: npt.NDArray[np.bool_]) -> Box:
    """Return the box of a side length, longer along columns of longer length scale.

    The sides are ``side · ℓ_k / (Π ℓ)^(1/d)``, cut at the cube, so that the volume is side^d
    inside it.

    Parameters
    ----------
    centre : coordinates of the best experiment, shape (n_columns,).
    lengths : length scale of each column, shape (n_columns,).
    whole : columns along which the box is the whole cube, such as categories. Shape (n_columns,).
    """
    weights = np.ones(len(centre))
    if not whole.all():
        logs = np.log(lengths[~whole])
        weights[~whole] = np.exp(logs - logs.mean())
    half = 0.5 * side * weights
    return Box(
        centre=centre,
        lower=np.where(whole, 0.0, np.clip(centre - half, 0.0, 1.0)),
        upper=np.where(whole, 1.0, np.clip(centre + half, 0.0, 1.0)),
    )


def perturbations(
    box: Box, *, rng: np.random.Generator, n: int | None = None, fixed: npt.NDArray[np.bool_]
) -> Array:
    """Return candidates in a box that differ from its centre in some columns, shape (n, n_columns).

    A scrambled Sobol' sequence fills the box; of each point a column is taken with probability
    ``min(1, 20 / d)``, at least one, and the others stay at the centre, since in many dimensions
    a good point is seldom improved along all of them at once.

    Parameters
    ----------
    n : how many; by default 100 a column, at most 5000.
    fixed : columns that stay at the centre, such as a context. Shape (n_columns,).
    """
    free = np.flatnonzero(~fixed)
    if not len(free):
        return box.centre[None].copy()
    count = n if n is not None else min(100 * len(free), MAX_CANDIDATES)
    sequence = qmc.Sobol(len(free), scramble=True, rng=rng)
    points = sequence.random_base2(int(np.ceil(np.log2(count))))[:count]
    points = box.lower[free] + points * (box.upper - box.lower)[free]
    moved = rng.random(points.shape) < min(1.0, MOVED / len(free))
    moved[np.arange(count), rng.integers(len(free), size=count)] = True
    found = np.tile(box.centre, (count, 1))
    found[:, free] = np.where(moved, points, box.centre[free])
    return found
