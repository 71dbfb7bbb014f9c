"""Why this point: what each setting adds to a prediction, compared with the average."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planners.columns import Array
from planners.explaining.belief import Belief, jackknife_std
from planners.explaining.composites import Table, as_table, composite, draw, take
from planners.explaining.records import Contribution, Estimated, PointExplained
from planners.explaining.shapley import (
    MOST_EXACT,
    Coalitions,
    Game,
    exact_shapley,
    sampled_shapley,
)
from planners.proposal import Prediction
from planners.space import Point, SearchSpace

MeanOf = Callable[[Table], Array]
"""From a table of points to what is predicted there, shape (n_rows, n_functions)."""


@dataclass(frozen=True, slots=True)
class Trade:
    """How much is computed for how little error.

    Attributes
    ----------
    background : points over which unknown settings are averaged.
    rows : predictions that may be made; beyond, orders are drawn instead of all coalitions.
    """

    background: int
    rows: int


LOCAL_TRADE = Trade(background=64, rows=70_000)
"""Enough for all coalitions of ten names."""


@dataclass(frozen=True, slots=True)
class Shapley:
    """Shapley values at one point.

    Attributes
    ----------
    values : shape (n_names, n_functions).
    errors : standard error from the drawing of orders, of the same shape; 0 where exact.
    average : mean over the background, shape (n_functions,).
    """

    values: Array
    errors: Array
    average: Array
    exact: bool


def why_here(
    belief: Belief, point: Point, *, trade: Trade = LOCAL_TRADE, rng: np.random.Generator
) -> PointExplained:
    """Return the contributions of every name to the prediction at a point.

    Average plus contributions is the predicted mean, exactly. The standard deviations are
    jackknifed over the replicates of the belief, with the error of drawn orders added in squares.

    Parameters
    ----------
    rng : draws the background, and orders where there are too many names.
    """
    space = belief.encoding.space
    here = as_table(space, [point])
    background = draw(space, trade.background, rng=rng)
    found = shapley_at(space, belief.means, here, background, rows=trade.rows, rng=rng)
    mean, std = belief.predict(here)
    spread = jackknife_std(found.values[:, 1:])
    contributions = [
        Contribution(
            name=name,
            setting=point[name],
            amount=Estimated(
                value=float(found.values[i, 0]),
                std=None if spread is None else float(np.hypot(spread[i], found.errors[i, 0])),
            ),
        )
        for i, name in enumerate(space.names)
    ]
    return PointExplained(
        point=dict(point),
        average=float(found.average[0]),
        predicted=Prediction(mean=float(mean[0]), std=float(std[0])),
        contributions=tuple(sorted(contributions, key=lambda c: -abs(c.amount.value))),
        exact=found.exact,
    )


def shapley_at(
    space: SearchSpace,
    mean_of: MeanOf,
    here: Table,
    background: Table,
    *,
    rows: int,
    rng: np.random.Generator,
) -> Shapley:
    """Return the Shapley values of the names at one point.

    The worth of a coalition of names is the mean of the function over the background with those
    names as at the point: the interventional form (Janzing et al. 2020, arXiv:1910.13413). Names
    of a list or under constraints are exchanged as if independent; mixtures keep their total.

    Parameters
    ----------
    mean_of : the functions, from a table to shape (n_rows, n_functions).
    here : a table of one row.
    rows : predictions that may be made; all coalitions are enumerated if they suffice.
    """
    names = space.names
    worth = _game(space, mean_of, here, background)
    count = len(background[names[0]])
    exact = len(names) <= MOST_EXACT and count << len(names) <= rows
    if exact:
        values = exact_shapley(worth, len(names))
        errors = np.zeros_like(values)
    else:
        orders = rows // (count * (len(names) + 1))
        values, errors = sampled_shapley(worth, len(names), n_orders=orders, rng=rng)
    average = mean_of(background).mean(axis=0)
    return Shapley(values=values, errors=errors, average=np.asarray(average), exact=exact)


def _game(space: SearchSpace, mean_of: MeanOf, here: Table, background: Table) -> Game:
    names = space.names
    count = len(background[names[0]])
    repeated = take(here, np.zeros(count, dtype=np.int64))

    def worth(coalitions: Coalitions) -> Array:
        distinct, back = np.unique(coalitions, axis=0, return_inverse=True)
        parts = [
            composite(
                space,
                repeated,
                background,
                {n for n, inside in zip(names, row, strict=True) if inside},
            )
            for row in distinct
        ]
        whole = {n: np.concatenate([part[n] for part in parts]) for n in names}
        means = mean_of(whole).reshape(len(distinct), count, -1).mean(axis=1)
        return np.asarray(means[back.ravel()])

    return worth
