"""How far atoms of one structure lie from those of another, both in frames of their lattices."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

FloatArray = NDArray[np.float64]

_TRIED = 6
_ROUNDS = 4
_ANCHORS = 8


def position_error(one: FloatArray, other: FloatArray) -> float:
    """Return the mean distance [Å] of atoms that are assigned to each other.

    The smaller structure's atoms each get one of the larger's, so that the sum of distances is
    least (Kuhn 1955, doi:10.1002/nav.3800020109); turning, mirroring and shifting follow by least
    squares (Kabsch 1976, doi:10.1107/S0567739476001873), in turns, from many starts. Atoms that the
    larger has more are not counted; mirror images have the same scattering.

    Parameters
    ----------
    one, other : (n_atoms, 3) [Å].
    """
    few, many = sorted((one, other), key=len)
    few, many = few - few.mean(axis=0), many - many.mean(axis=0)
    tree = cKDTree(many)
    starts = []
    for turn in _turns(few, many):
        turned = few @ turn
        places = [turned + shift for shift in _shifts(turned, many)]
        starts += [(float(tree.query(place)[0].mean()), place) for place in places]
    starts.sort(key=lambda s: s[0])
    return min(_settled(placed, many) for _, placed in starts[:_TRIED])


def _settled(placed: FloatArray, many: FloatArray) -> float:
    """Return the mean distance after assignment and turning in turns."""
    best = np.inf
    for _ in range(_ROUNDS):
        apart = cdist(placed, many)
        rows, columns = linear_sum_assignment(apart)
        reached = float(apart[rows, columns].mean())
        if reached > best - 1e-6:
            break
        best = reached
        placed = _superposed(placed, many[columns])
    return min(best, float(np.linalg.norm(placed - many[columns], axis=1).mean()))


def _superposed(placed: FloatArray, target: FloatArray) -> FloatArray:
    """Return positions turned and shifted onto a target (n, 3) by least squares."""
    from_middle, to_middle = placed.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((placed - from_middle).T @ (target - to_middle))
    return np.asarray((placed - from_middle) @ (u @ vt) + to_middle)


def _turns(few: FloatArray, many: FloatArray) -> list[FloatArray]:
    """Return turns that may bring one onto the other: of the lattices, and of the main axes."""
    _, from_axes = np.linalg.eigh(few.T @ few)
    _, to_axes = np.linalg.eigh(many.T @ many)
    by_axes = [from_axes @ turn @ to_axes.T for turn in _cubic()]
    return [*_cubic(), *_hexagonal(), *_fivefold(), *by_axes]


def _shifts(turned: FloatArray, many: FloatArray) -> FloatArray:
    """Return shifts that bring the atom next to the middle onto others near it."""
    centre = turned[np.linalg.norm(turned, axis=1).argmin()]
    near = many[np.argsort(np.linalg.norm(many - centre, axis=1))[:_ANCHORS]]
    return np.concatenate([np.zeros((1, 3)), near - centre])


@lru_cache(maxsize=1)
def _cubic() -> tuple[FloatArray, ...]:
    return tuple(
        np.eye(3)[list(order)] * np.array(sign)[:, None]
        for order in permutations(range(3))
        for sign in product((1.0, -1.0), repeat=3)
    )


@lru_cache(maxsize=1)
def _hexagonal() -> tuple[FloatArray, ...]:
    return _around(6)


@lru_cache(maxsize=1)
def _fivefold() -> tuple[FloatArray, ...]:
    return _around(5)


def _around(n: int) -> tuple[FloatArray, ...]:
    """Return turns by 1/n about z, each with and without mirrors across and along it."""
    found = []
    for k, flip, mirror in product(range(n), (1.0, -1.0), (1.0, -1.0)):
        c, s = np.cos(2 * np.pi * k / n), np.sin(2 * np.pi * k / n)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
        found.append(turn @ np.diag([mirror, 1.0, flip]))
    return tuple(found)
