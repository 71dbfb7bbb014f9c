"""Trial cells: low indices for the first lines, solved for the free numbers of a system.

As in the trial-and-error programs (Werner, Eriksson & Westdahl 1985,
doi:10.1107/S0021889885010512), but without their search tree: all assignments are solved at once.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.indexing.forms import N_FREE, SMALLEST, distinct, volume
from analysis.xrd.indexing.lines import Lines
from analysis.xrd.indexing.triclinic import triclinic_trials

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]

TRIED = {
    "cubic": (6, (6, 50)),
    "tetragonal": (7, (4, 20)),
    "hexagonal": (7, (4, 20)),
    "orthorhombic": (6, (3, 11)),
    "monoclinic": (6, (2, 5)),
}
"""How many first lines are tried, with indices up to which (largest, largest h² + k² + l²)."""

MULTIPLICITY = {
    "cubic": 40.0,
    "tetragonal": 14.0,
    "hexagonal": 20.0,
    "orthorhombic": 7.5,
    "monoclinic": 3.8,
    "triclinic": 2.0,
}
"""Mean multiplicity of low reflections: how many lattice points fall into one line."""

FULLEST = 0.35
EMPTIEST = {
    "cubic": 12.0,
    "tetragonal": 8.0,
    "hexagonal": 8.0,
    "orthorhombic": 7.0,
    "monoclinic": 6.0,
    "triclinic": 4.0,
}
"""Reflections possible for each line seen, at least and at most, were the multiplicity its mean: of
the lowest reflections it is less, and centring and glide planes leave many out."""

ROUNDING = 4e4
"""Trials that agree when multiplied by this and rounded are one."""


def trials(lines: Lines, *, system: str) -> FloatArray:
    """Return free numbers solved from the first lines, (n_trials, n_free) [Å⁻²].

    Monoclinic cells are taken reduced in their oblique plane, triclinic ones in pairs of axes: any
    other cell of the lattice would be the same trial.
    """
    smallest, largest = volumes(lines, system=system)
    found = triclinic_trials(lines.q) if system == "triclinic" else _solved(lines.q, system)
    size = volume(found, system=system)
    return _unlike(found[(size > smallest) & (size < largest)])


def volumes(lines: Lines, *, system: str) -> tuple[float, float]:
    """Return the smallest and largest volume [Å³] that suits the number of lines.

    A lattice of volume V has 4π/3 V Q^(3/2) points up to Q, m of them in one line.
    """
    each = 4 * np.pi / 3 * lines.end**1.5 / MULTIPLICITY[system]
    n = len(lines)
    return max(FULLEST * n / each, 10.0), EMPTIEST[system] * n / each


def _solved(q: FloatArray, system: str) -> FloatArray:
    n_lines, reach = TRIED[system]
    inverse = _inverses(system, reach)
    kept = []
    for chosen in combinations(range(min(n_lines, len(q))), N_FREE[system]):
        first = q[list(chosen)].astype(np.float32)
        columns = [np.tensordot(first, each, axes=1) for each in inverse]
        possible = columns[0] > SMALLEST
        for column in columns[1:3]:
            possible &= column > SMALLEST
        if system == "monoclinic":
            a, _, c, oblique = columns
            possible &= (a <= c) & (oblique >= -1e-5) & (oblique <= 1.02 * a)
        kept.append(np.column_stack([column[possible] for column in columns]))
    return np.concatenate(kept).astype(np.float64)


@lru_cache
def _inverses(system: str, reach: tuple[int, int]) -> SingleArray:
    """Return what turns Q of n_free lines into free numbers, (n_free, n_free, n_assignments)."""
    n_free = N_FREE[system]
    rows = distinct(system, reach=reach)
    if system == "cubic":
        return np.asarray(1 / rows.T[None], dtype=np.float32)
    matrices = rows[np.array(list(permutations(range(len(rows)), n_free)))]
    matrices = matrices[np.abs(np.linalg.det(matrices)) > 1e-6]
    if system == "orthorhombic":  # the names of the axes are free: one order of columns is enough
        code = (matrices * np.array([1, 17, 289])[:, None]).sum(axis=1)
        matrices = matrices[(np.diff(code, axis=1) >= 0).all(axis=1)]
    inverses = np.linalg.inv(matrices).astype(np.float32)
    return np.ascontiguousarray(inverses.transpose(1, 2, 0))


def _unlike(free: FloatArray) -> FloatArray:
    """Return trials without repetition."""
    if not len(free):
        return free
    whole = np.round(free * ROUNDING).astype(np.int64)
    mixed = whole @ (10007 ** np.arange(free.shape[1], dtype=np.int64))  # wraps; a hash is enough
    return np.asarray(free[np.unique(mixed, return_index=True)[1]])
