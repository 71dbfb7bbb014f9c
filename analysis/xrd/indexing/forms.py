"""Quadratic forms: 1/d² as a linear function of a few numbers, one set for each crystal system."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SYSTEMS = ("cubic", "tetragonal", "hexagonal", "orthorhombic")
"""Systems that are searched; a hexagonal lattice serves trigonal crystals as well."""


def form(hkl: IntArray, *, system: str) -> FloatArray:
    """Return the coefficients of 1/d² in the free numbers of a system, (n, n_free).

    The numbers are A = a*² (cubic); A, C (tetragonal, hexagonal); A, B, C (orthorhombic), in Å⁻².

    Parameters
    ----------
    hkl : (n, 3) Miller indices.
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
    else:
        raise ValueError(f"no form for {system!r}; the systems are {', '.join(SYSTEMS)}")
    return np.column_stack(columns)


def lengths(free: FloatArray, *, system: str) -> tuple[float, float, float]:
    """Return a, b, c [Å] of a system's free numbers [Å⁻²]."""
    if system == "hexagonal":
        a = float(2.0 / np.sqrt(3.0 * free[0]))
        return a, a, float(free[1] ** -0.5)
    axes = free**-0.5
    if system == "cubic":
        return float(axes[0]), float(axes[0]), float(axes[0])
    if system == "tetragonal":
        return float(axes[0]), float(axes[0]), float(axes[1])
    return float(axes[0]), float(axes[1]), float(axes[2])


def volume(free: FloatArray, *, system: str) -> FloatArray:
    """Return the cell volumes [Å³] of free numbers, (..., n_free) → (...)."""
    if system == "cubic":
        return np.asarray(free[..., 0] ** -1.5)
    if system == "orthorhombic":
        return np.asarray(np.prod(free, axis=-1) ** -0.5)
    share = np.sqrt(4.0 / 3.0) if system == "hexagonal" else 1.0
    return np.asarray(share / (free[..., 0] * np.sqrt(free[..., 1])))


def allowed(hkl: IntArray, *, centring: str) -> NDArray[np.bool_]:
    """Return which reflections a centring leaves, (n,); R is in hexagonal axes, obverse.

    International Tables for Crystallography A (2016), section 1.6, reflection conditions.
    """
    h, k, l = hkl.T  # noqa: E741
    even = {
        "P": np.zeros(len(hkl), dtype=bool),
        "I": (h + k + l) % 2,
        "F": (h + k) % 2 + (k + l) % 2,
        "A": (k + l) % 2,
        "B": (h + l) % 2,
        "C": (h + k) % 2,
        "R": (k - h + l) % 3,
    }
    return np.asarray(even[centring] == 0)


def centrings(system: str) -> tuple[str, ...]:
    """Return the centrings of a system's lattices."""
    return {
        "cubic": ("P", "I", "F"),
        "tetragonal": ("P", "I"),
        "hexagonal": ("P", "R"),
        "orthorhombic": ("P", "I", "F", "A", "B", "C"),
    }[system]


def distinct(system: str, *, largest: int, centring: str = "P") -> FloatArray:
    """Return the distinct non-zero rows of `form` that a centring leaves, (n, n_free).

    Parameters
    ----------
    largest : Miller index, in size.
    """
    grid = np.stack(np.meshgrid(*[np.arange(largest + 1)] * 3, indexing="ij"), axis=-1)
    hkl = grid.reshape(-1, 3)
    if centring == "R":
        # (h, k, −l) has the same 1/d² and is allowed where (k, h, l) is.
        hkl = hkl[allowed(hkl, centring="R") | allowed(hkl[:, [1, 0, 2]], centring="R")]
    else:
        hkl = hkl[allowed(hkl, centring=centring)]
    rows = np.unique(form(hkl, system=system), axis=0)
    return np.asarray(rows[rows.any(axis=1)])
