"""Which names matter to a quantity over the whole space, and how sure that is."""

from __future__ import annotations

import numpy as np

from planners.columns import Array
from planners.encoding import Encoding
from planners.explaining.belief import Belief, jackknife_std
from planners.explaining.composites import Table, composite, draw, draw_pair, take
from planners.explaining.contributions import MeanOf, Trade, shapley_at
from planners.explaining.records import Estimated, Importance
from planners.explaining.sobol import first_order, total_effect
from planners.space import SearchSpace

N_SOBOL = 1024
"""Rows of each of the two samples behind the Sobol' indices."""

N_EXPLAINED = 32
"""Points whose Shapley values are averaged."""

GLOBAL_TRADE = Trade(background=32, rows=50_000)


def importances(
    belief: Belief, *, n_sobol: int = N_SOBOL, rng: np.random.Generator
) -> tuple[Importance, ...]:
    """Return the importance of every name, the largest total Sobol' index first.

    The standard deviations are jackknifed over the replicates of the belief.

    Parameters
    ----------
    n_sobol : rows of each sample; a power of two spreads them best.
    rng : draws the samples.
    """
    space = belief.encoding.space
    first, second = draw_pair(space, n_sobol, rng=rng)
    alone, total = sobol_indices(space, belief.means, first, second)
    relevance = _relevances(belief, first)
    shap = mean_shap(space, belief.means, rng=rng)
    found = [
        Importance(
            name=name,
            relevance=None if relevance is None else _estimated(relevance[i]),
            first_order=_estimated(alone[i]),
            total=_estimated(total[i]),
            shap=_estimated(shap[i]),
        )
        for i, name in enumerate(space.names)
    ]
    return tuple(sorted(found, key=lambda importance: -importance.total.value))


def sobol_indices(
    space: SearchSpace, mean_of: MeanOf, first: Table, second: Table
) -> tuple[Array, Array]:
    """Return first-order and total Sobol' indices of every name, shape (n_names, n_functions).

    Names count as independent of each other: a component of a mixture is exchanged as `composite`
    says, and of a list each column by itself, so that combinations off the list are asked for.

    Parameters
    ----------
    mean_of : the functions, from a table to shape (n_rows, n_functions).
    first, second : independent samples of the space, of equally many rows.
    """
    f_a, f_b = mean_of(first), mean_of(second)
    exchanged = np.stack([mean_of(composite(space, second, first, {name})) for name in space.names])
    return first_order(f_a, f_b, exchanged), total_effect(f_a, f_b, exchanged)


def mean_shap(space: SearchSpace, mean_of: MeanOf, *, rng: np.random.Generator) -> Array:
    """Return the mean size of the Shapley values of every name, shape (n_names, n_functions).

    Over `N_EXPLAINED` points of the space (Lundberg & Lee 2017, arXiv:1705.07874).
    """
    explained = draw(space, N_EXPLAINED, rng=rng)
    background = draw(space, GLOBAL_TRADE.background, rng=rng)
    sizes = [
        np.abs(
            shapley_at(
                space,
                mean_of,
                take(explained, np.array([i])),
                background,
                rows=GLOBAL_TRADE.rows // N_EXPLAINED,
                rng=rng,
            ).values
        )
        for i in range(N_EXPLAINED)
    ]
    return np.asarray(np.mean(sizes, axis=0))


def relevance_of(encoding: Encoding, lengths: dict[str, float], spread: Array) -> Array | None:
    """Return the share of each name in how far the space extends in units of length scales.

    ``r_name = sqrt(Σ_c var_c / ℓ_c²)`` over the columns c of the name, divided by the sum over
    names: automatic relevance determination (Neal 1996, doi:10.1007/978-1-4612-0745-0), weighted
    by how far each column really varies.

    Parameters
    ----------
    lengths : group → length scale in coordinates.
    spread : standard deviation of every column over the space, shape (n_columns,).

    Returns
    -------
    Shape (n_names,); None if a length scale is missing.
    """
    columns = encoding.columns[: encoding.n_settings]
    if any(c.group not in lengths for c in columns):
        return None
    squares = dict.fromkeys(encoding.space.names, 0.0)
    for column, std in zip(columns, spread, strict=False):
        squares[column.name] += (float(std) / lengths[column.group]) ** 2
    sizes = np.sqrt(np.array(list(squares.values())))
    return np.asarray(sizes / sizes.sum()) if sizes.sum() > 0 else sizes


def _relevances(belief: Belief, sample: Table) -> Array | None:
    """Return the relevance of every name, shape (n_names, n_surrogates); None without lengths."""
    spread = belief.encoding.encode_columns(sample).std(axis=0)
    found = [relevance_of(belief.encoding, lengths, spread) for lengths in belief.lengths()]
    known = [r for r in found if r is not None]
    return np.stack(known, axis=1) if len(known) == len(found) else None


def _estimated(values: Array) -> Estimated:
    std = jackknife_std(values[None, 1:])
    return Estimated(value=float(values[0]), std=None if std is None else float(std[0]))
