"""Points made of two others: some settings from the one, the rest from the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from planners.drawing import from_unit, unit_dimension
from planners.encoding import require_names
from planners.finite import table_of
from planners.listed import as_columns
from planners.parameters import MixtureParameter
from planners.sampling import draw_uniform
from planners.settable import Value
from planners.space import Point, SearchSpace

Table = Mapping[str, npt.NDArray[Any]]
"""Name → values, one a row; every column of shape (n_rows,)."""

DEPENDENT = 0.3
"""Absolute correlation between columns of a list from which a remark is due."""


def as_table(space: SearchSpace, points: Sequence[Point]) -> Table:
    """Return points as a table, shape (n_points,) a name.

    Raises
    ------
    SpaceError
        A point lacks a name of the space.
    """
    for point in points:
        require_names(space, point)
    return as_columns(space.names, [tuple(p[n] for n in space.names) for p in points])


def take(table: Table, rows: npt.NDArray[np.int64]) -> Table:
    """Return some rows of a table, in the order of `rows`, shape (n_taken,)."""
    return {name: column[rows] for name, column in table.items()}


def composite(space: SearchSpace, first: Table, second: Table, taken: Collection[str]) -> Table:
    """Return rows with the names `taken` as in `first` and all others as in `second`.

    Where only some components of a mixture are taken, the other components share what is left in
    their proportion of `second`, so that every row keeps its total. Under the uniform distribution
    on a simplex a share is independent of the proportions of the others (Connor & Mosimann 1969,
    doi:10.1080/01621459.1969.10500963), so this is the exchange of independent inputs. Bounds of
    components, constraints and a list of candidates are not looked at.

    Parameters
    ----------
    first, second : of the same number of rows.
    """
    made = {n: first[n] if n in taken else second[n] for n in space.names}
    for p in space.parameters:
        if isinstance(p, MixtureParameter):
            kept = [c for c in p.components if c in taken]
            if 0 < len(kept) < len(p.components):
                made.update(_closed(p, kept, first, second))
    return made


def draw(space: SearchSpace, n: int, *, rng: np.random.Generator) -> Table:
    """Return `n` rows drawn from the space's own distribution, repeats allowed.

    Rows of a list, or of a small grid, are equally likely; otherwise as `draw_uniform`: a name's
    range (its logarithm where `log`), the simplex of a mixture, within the constraints.
    """
    table = table_of(space)
    if table is not None:
        rows = rng.integers(len(table), size=n)
        return as_columns(space.names, [table.rows[int(i)] for i in rows])
    points = draw_uniform(space, n, rng=rng, at_least=1)
    short = n - len(points)
    more = [points[int(i)] for i in rng.integers(len(points), size=short)] if short else []
    return as_table(space, [*points, *more])


def draw_pair(space: SearchSpace, n: int, *, rng: np.random.Generator) -> tuple[Table, Table]:
    """Return two independent tables of `n` rows each, evenly spread where the space allows.

    A scrambled Sobol' sequence where nothing but bounds limits a setting, else random draws.
    """
    capped = any(isinstance(p, MixtureParameter) and p.high for p in space.parameters)
    if space.constraints or space.candidates is not None or capped:
        return draw(space, n, rng=rng), draw(space, n, rng=rng)
    # Here, since its import takes longer than a quick command needs.
    from scipy.stats import qmc

    width = unit_dimension(space)
    even = qmc.Sobol(2 * width, scramble=True, rng=rng).random(1 << max(n - 1, 1).bit_length())[:n]
    halves = even[:, :width], even[:, width:]
    first, second = (as_table(space, from_unit(space, half)) for half in halves)
    return first, second


def dependence(space: SearchSpace) -> tuple[str, str, float] | None:
    """Return the two numeric columns of a list that depend most, with their correlation.

    Components of one mixture are left out, as `composite` minds their total; None if no pair
    reaches `DEPENDENT`.
    """
    if space.candidates is None:
        return None
    columns = {n: space.candidates.column(n) for n in space.candidates.columns}
    numeric = [n for n, c in columns.items() if len(set(c)) > 1 and not _has_text(c)]
    worst: tuple[str, str, float] | None = None
    for i, one in enumerate(numeric):
        for other in numeric[:i]:
            if space.parameter(one) == space.parameter(other):
                continue
            r = float(np.corrcoef(_numbers(columns[one]), _numbers(columns[other]))[0, 1])
            if abs(r) >= max(DEPENDENT, abs(worst[2]) if worst else 0.0):
                worst = other, one, r
    return worst


def _closed(p: MixtureParameter, kept: list[str], first: Table, second: Table) -> Table:
    others = [c for c in p.components if c not in kept]
    amounts = np.array([second[c] for c in others], dtype=np.float64)
    present = amounts.sum(axis=0)
    left = p.total - np.sum([np.asarray(first[c], dtype=np.float64) for c in kept], axis=0)
    even = np.full_like(amounts, 1.0 / len(others))
    shares = np.divide(amounts, present, out=even, where=present > 0)
    return dict(zip(others, np.maximum(left, 0.0) * shares, strict=True))


def _has_text(column: Sequence[Value]) -> bool:
    return any(isinstance(v, str) for v in column)


def _numbers(column: Sequence[Value]) -> npt.NDArray[np.float64]:
    return np.array([float(v) for v in column])
