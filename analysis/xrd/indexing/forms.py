"""Quadratic forms: 1/d² as a linear function of a few numbers, one set for each crystal system."""

from __future__ import annotations

from functools import lru_cache

import gemmi
import numpy as np
from numpy.typing import NDArray

from analysis.physics.crystal import Cell

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SYSTEMS = ("cubic", "tetragonal", "hexagonal", "orthorhombic", "monoclinic", "triclinic")
"""Crystal families, most symmetric first; ``hexagonal`` holds trigonal crystals as well, whose
lattices are the hexagonal and the rhombohedral one."""

N_FREE = {
    "cubic": 1,
    "tetragonal": 2,
    "hexagonal": 2,
    "orthorhombic": 3,
    "monoclinic": 4,
    "triclinic": 6,
}
"""How many numbers a lattice of a system leaves free."""

CENTRINGS = {
    "cubic": ("P", "I", "F"),
    "tetragonal": ("P", "I"),
    "hexagonal": ("P", "R"),
    "orthorhombic": ("P", "I", "F", "A", "B", "C"),
    "monoclinic": ("P", "I", "A", "C"),
    "triclinic": ("P",),
}
"""Centrings of a system's lattices; R in hexagonal axes, the unique axis of a monoclinic cell is
b, and triclinic cells are taken primitive."""

REACH = {
    "cubic": (10, 110),
    "tetragonal": (9, 80),
    "hexagonal": (9, 80),
    "orthorhombic": (8, 64),
    "monoclinic": (6, 40),
    "triclinic": (4, 17),
}
"""Largest Miller index, and largest h² + k² + l², of the reflections that are looked at."""


SMALLEST = 3e-4
"""Least square of a reciprocal axis of a trial cell [Å⁻²]: axes are 58 Å at most."""


def form(hkl: IntArray, *, system: str) -> FloatArray:
    """Return the coefficients of 1/d² in the free numbers of a system, (n, n_free).

    The numbers are A = a*² (cubic); A, C (tetragonal, hexagonal); A, B, C (orthorhombic); A, B, C
    and 2 a* c* cos β* (monoclinic); A, B, C, 2 b* c* cos α*, 2 a* c* cos β* and 2 a* b* cos γ*
    (triclinic), all in Å⁻².

    Parameters
    ----------
    hkl : (n, 3) Miller indices.

    Raises
    ------
    ValueError
        There is no such system.
    """
    h, k, l = hkl.astype(np.float64).T  # noqa: E741  (the field writes hkl)
    if system == "cubic":
        columns = [h**2 + k**2 + l**2]
    elif system == "tetragonal":
        columns = [h**2 + k**2, l**2]
    elif system == "hexagonal":
        columns = [h**2 + h * k + k**2, l**2]
    elif system == "orthorhombic":
        columns = [h**2, k**2, l**2]
    elif system == "monoclinic":
        columns = [h**2, k**2, l**2, h * l]
    elif system == "triclinic":
        columns = [h**2, k**2, l**2, k * l, h * l, h * k]
    else:
        raise ValueError(f"no form for {system!r}; the systems are {', '.join(SYSTEMS)}")
    return np.column_stack(columns)


def reciprocal_metric(free: FloatArray, *, system: str) -> FloatArray:
    """Return the (3, 3) reciprocal metric tensor G* [Å⁻²] of a system's free numbers."""
    if system == "cubic":
        return np.asarray(np.eye(3) * free[0])
    if system == "tetragonal":
        return np.asarray(np.diag(free[[0, 0, 1]]))
    if system == "hexagonal":
        a, c = free
        return np.array([[a, a / 2, 0], [a / 2, a, 0], [0, 0, c]])
    kl = hl = hk = 0.0
    if system == "monoclinic":
        hl = free[3]
    elif system == "triclinic":
        kl, hl, hk = free[3:]
    oblique = np.array([[0, hk, hl], [hk, 0, kl], [hl, kl, 0]]) / 2
    return np.asarray(np.diag(free[:3]) + oblique)


def cell_of(free: FloatArray, *, system: str) -> Cell:
    """Return a, b, c [Å] and alpha, beta, gamma [deg] of a system's free numbers."""
    metric = np.linalg.inv(reciprocal_metric(free, system=system))
    a, b, c = np.sqrt(np.diag(metric))
    cosines = metric[1, 2] / (b * c), metric[0, 2] / (a * c), metric[0, 1] / (a * b)
    alpha, beta, gamma = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
    return float(a), float(b), float(c), float(alpha), float(beta), float(gamma)


def volume(free: FloatArray, *, system: str) -> FloatArray:
    """Return the cell volumes [Å³] of free numbers, (..., n_free) → (...); NaN for no lattice."""
    x = np.moveaxis(free, -1, 0)
    if system == "cubic":
        determinant = x[0] ** 3
    elif system == "tetragonal":
        determinant = x[0] ** 2 * x[1]
    elif system == "hexagonal":
        determinant = 0.75 * x[0] ** 2 * x[1]
    elif system == "orthorhombic":
        determinant = x[0] * x[1] * x[2]
    elif system == "monoclinic":
        determinant = x[1] * (x[0] * x[2] - x[3] ** 2 / 4)
    else:
        a, b, c = x[:3]
        d, e, f = x[3:] / 2
        determinant = a * (b * c - d * d) - f * (f * c - d * e) + e * (f * d - b * e)
    positive = determinant > 0
    return np.where(positive, np.where(positive, determinant, 1.0) ** -0.5, np.nan)


def allowed(hkl: IntArray, *, centring: str) -> NDArray[np.bool_]:
    """Return which reflections a centring leaves, (n,); R is in hexagonal axes, obverse.

    International Tables for Crystallography A (2016), section 1.6, reflection conditions.
    """
    h, k, l = hkl.T  # noqa: E741
    odd = {
        "P": np.zeros(len(hkl), dtype=bool),
        "I": (h + k + l) % 2,
        "F": (h + k) % 2 + (k + l) % 2,
        "A": (k + l) % 2,
        "B": (h + l) % 2,
        "C": (h + k) % 2,
        "R": (k - h + l) % 3,
    }
    return np.asarray(odd[centring] == 0)


def indices(largest: int, largest_square: int) -> IntArray:
    """Return all (n, 3) Miller indices but 000, each at most `largest`, h² + k² + l² limited."""
    grid = np.stack(np.meshgrid(*[np.arange(-largest, largest + 1)] * 3, indexing="ij"), axis=-1)
    hkl = grid.reshape(-1, 3)
    square = (hkl**2).sum(axis=1)
    return np.asarray(hkl[(square > 0) & (square <= largest_square)])


@lru_cache
def distinct(
    system: str, *, centring: str = "P", reach: tuple[int, int] | None = None
) -> FloatArray:
    """Return the distinct rows of `form` that a centring leaves, (n, n_free).

    Parameters
    ----------
    reach : largest index and largest h² + k² + l²; `REACH` of the system if None.
    """
    hkl = indices(*(reach or REACH[system]))
    rows = form(hkl[allowed(hkl, centring=centring)], system=system)
    return np.asarray(np.unique(rows, axis=0))


def points(centring: str) -> int:
    """Return how many lattice points a cell of this centring holds."""
    return {"P": 1, "R": 3, "F": 4}.get(centring, 2)


def reduced(cell: Cell, *, centring: str) -> Cell:
    """Return the Niggli cell [Å, deg] of a lattice.

    Niggli reduction by gemmi, after Grosse-Kunstleve, Sauter & Adams (2004),
    doi:10.1107/S010876730302186X.
    """
    vector = gemmi.GruberVector(gemmi.UnitCell(*cell), centring)
    vector.niggli_reduce()
    a, b, c, alpha, beta, gamma = vector.cell_parameters()
    return a, b, c, alpha, beta, gamma
