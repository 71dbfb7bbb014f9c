"""Trial cells of triclinic lattices: six first lines as the shortest vectors of a reduced cell."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.indexing.forms import SMALLEST, form

FloatArray = NDArray[np.float64]

SHORTEST = np.array(
    [
        *[(1, 0, 0), (0, 1, 0), (0, 0, 1)],
        *[(1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1)],
        *[(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)],
    ]
)
"""(13, 3) vectors, up to sign, among which the shortest of a reduced lattice are."""

N_TRIED = 8
"""First lines of which six are tried."""


def triclinic_trials(q: FloatArray) -> FloatArray:
    """Return free numbers of pairwise reduced lattices solved from six lines, (n_trials, 6).

    Every choice of six vectors is tried with every order of the lines, but of choices that differ
    by the names and senses of the axes only one.

    Parameters
    ----------
    q : (n,) increasing Q of the lines [Å⁻²].
    """
    inverses, orders = _inverses()
    kept = [np.zeros((0, 6), dtype=np.float32)]
    for chosen in combinations(range(min(N_TRIED, len(q))), 6):
        ordered = q[list(chosen)].astype(np.float32)[orders].T
        for inverse in inverses:
            free = inverse @ ordered
            kept.append(free[:, _is_reduced(free)].T)
    return np.concatenate(kept).astype(np.float64)


def _is_reduced(free: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which columns are lattices with no face diagonal shorter than its sides, (n,)."""
    a, b, c, kl, hl, hk = free
    slack = 1.02
    return np.asarray(
        (np.minimum(np.minimum(a, b), c) > SMALLEST)
        & (np.abs(hk) <= slack * np.minimum(a, b))
        & (np.abs(hl) <= slack * np.minimum(a, c))
        & (np.abs(kl) <= slack * np.minimum(b, c))
    )


@lru_cache
def _inverses() -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return (n_choices, 6, 6) inverses and the (720, 6) orders of six lines."""
    choices = np.array(list(combinations(range(len(SHORTEST)), 6)))
    base = len(SHORTEST) ** np.arange(6)
    renamed = np.sort(_renamings()[:, choices], axis=2) @ base
    first = choices[choices @ base == renamed.min(axis=0)]
    matrices = form(SHORTEST, system="triclinic")[first]
    matrices = matrices[np.abs(np.linalg.det(matrices)) > 0.5]
    orders = np.array(list(permutations(range(6))))
    return np.linalg.inv(matrices).astype(np.float32), orders


def _renamings() -> NDArray[np.intp]:
    """Return where each vector goes when axes are renamed or turned round, (24, 13)."""
    place = {tuple(sign * v): i for i, v in enumerate(SHORTEST) for sign in (1, -1)}
    senses = np.array([(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)])
    return np.array(
        [
            [place[tuple(sense * v[list(order)])] for v in SHORTEST]
            for order in permutations(range(3))
            for sense in senses
        ]
    )
