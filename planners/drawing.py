"""Uniform random numbers become settings."""

from __future__ import annotations

import numpy as np

from planners.columns import Array
from planners.conditions import settle
from planners.listed import listing_of
from planners.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    MixtureParameter,
    Value,
)
from planners.space import SearchSpace


def unit_dimension(space: SearchSpace) -> int:
    """Return how many uniform numbers `from_unit` turns into one point."""
    return len(space.names)


def from_unit(space: SearchSpace, uniforms: Array, *, rows: bool = True) -> list[dict[str, Value]]:
    """Return one point a row of uniform numbers, shape (n_points, n_names).

    Settings obey their parameter (a mixture its total and lower bounds, maybe not its upper ones)
    and their condition; constraints are not looked at, nor a list of all names. A mixture is
    uniform on its simplex: the components are normalised exponential variates.

    Parameters
    ----------
    rows : beside free names, the listed ones come from a row drawn at random; if false they are
        drawn like others, and may be no row.
    """
    columns: dict[str, list[Value]] = {}
    names = space.names
    for p in space.parameters:
        u = uniforms[:, [names.index(n) for n in p.names]]
        if isinstance(p, MixtureParameter):
            spacing = -np.log(np.clip(u, 1e-15, 1.0 - 1e-15))
            low = np.array([p.bounds(c)[0] for c in p.components])
            shares = spacing / spacing.sum(axis=1, keepdims=True)
            amounts = low + (p.total - low.sum()) * shares
            columns.update({c: list(amounts[:, j]) for j, c in enumerate(p.components)})
        else:
            columns[p.name] = [_setting(p, float(v)) for v in u[:, 0]]
    listing = listing_of(space) if rows and space.is_hybrid else None
    if listing is not None:
        picks = uniforms[:, names.index(listing.names[0])] * len(listing.rows)
        drawn = [listing.rows[min(int(i), len(listing.rows) - 1)] for i in picks]
        columns.update(zip(listing.names, map(list, zip(*drawn, strict=True)), strict=True))
    cells = zip(*(columns[n] for n in names), strict=True)
    return [settle(space, dict(zip(names, row, strict=True))) for row in cells]


def _setting(p: ContinuousParameter | DiscreteParameter | CategoricalParameter, u: float) -> Value:
    if isinstance(p, CategoricalParameter):
        return p.categories[min(int(u * len(p.categories)), len(p.categories) - 1)]
    if isinstance(p, DiscreteParameter):
        return p.values[min(int(u * len(p.values)), len(p.values) - 1)]
    if p.log:
        return p.snap(p.low * (p.high / p.low) ** u)
    if p.n_steps is not None and p.step is not None:
        return p.snap(p.low + min(int(u * p.n_steps), p.n_steps - 1) * p.step)
    return p.snap(p.low + u * (p.high - p.low))
