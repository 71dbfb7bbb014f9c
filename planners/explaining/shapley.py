"""Shapley values of a game: what each player brings, exactly or from random orders."""

from __future__ import annotations

from collections.abc import Callable
from math import factorial

import numpy as np
import numpy.typing as npt

from planners.columns import Array
from planners.errors import PlanningError

Coalitions = npt.NDArray[np.bool_]
"""Who takes part, shape (n_coalitions, n_players)."""

Game = Callable[[Coalitions], Array]
"""The worth of coalitions, shape (n_coalitions, n_games): several games played at once."""

MOST_EXACT = 12
"""Players up to which every coalition may be enumerated; 4,096 of them."""


def exact_shapley(game: Game, n_players: int) -> Array:
    """Return the Shapley values of every player, shape (n_players, n_games).

    ``φ_i = Σ_S |S|! (d - |S| - 1)! / d! · [v(S ∪ i) - v(S)]`` over all coalitions S without i of
    d players (Shapley 1953, doi:10.1515/9781400881970-018). They add up to the worth of all minus
    the worth of none.

    Raises
    ------
    PlanningError
        There are more than `MOST_EXACT` players.
    """
    if n_players > MOST_EXACT:
        raise PlanningError(
            f"found {n_players} players; all coalitions are enumerated up to {MOST_EXACT}. "
            "Use `sampled_shapley`"
        )
    numbers = np.arange(1 << n_players)
    coalitions = (numbers[:, None] >> np.arange(n_players)) & 1 == 1
    worth = np.asarray(game(coalitions), dtype=np.float64)
    sizes = coalitions.sum(axis=1)
    weight = np.array(
        [factorial(s) * factorial(n_players - s - 1) for s in range(n_players)], dtype=np.float64
    ) / factorial(n_players)
    found = np.empty((n_players, worth.shape[1]))
    for i in range(n_players):
        without = numbers[~coalitions[:, i]]
        gain = worth[without | (1 << i)] - worth[without]
        found[i] = weight[sizes[without]] @ gain
    return found


def sampled_shapley(
    game: Game, n_players: int, *, n_orders: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return estimated Shapley values and their standard errors, shape (n_players, n_games) each.

    The mean gain of a player who joins in a random order (Štrumbelj & Kononenko 2014,
    doi:10.1007/s10115-013-0679-x). Orders come in pairs, one the reverse of the other, which
    lowers the variance (Mitchell et al. 2022, arXiv:2104.12199); the error is from the spread of
    the pairs. The values add up exactly to the worth of all minus the worth of none.

    Parameters
    ----------
    n_orders : orders of players; rounded up to an even number, at least four.
    """
    n_pairs = max(2, (n_orders + 1) // 2)
    forward = np.array([rng.permutation(n_players) for _ in range(n_pairs)])
    orders = np.concatenate([forward, forward[:, ::-1]])
    places = np.argsort(orders, axis=1)
    joined = places[:, None, :] < np.arange(n_players + 1)[None, :, None]
    worth = np.asarray(game(joined.reshape(-1, n_players)), dtype=np.float64)
    gains = np.diff(worth.reshape(len(orders), n_players + 1, -1), axis=1)
    own = np.take_along_axis(gains, places[:, :, None], axis=1)
    pairs = 0.5 * (own[:n_pairs] + own[n_pairs:])
    error = pairs.std(axis=0, ddof=1) / np.sqrt(n_pairs)
    return np.asarray(pairs.mean(axis=0)), np.asarray(error)
