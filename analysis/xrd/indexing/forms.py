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


def distinct(system: str, *, largest: int) -> FloatArray:
    """Return the distinct non-zero rows of `form` with indices from 0 to `largest`, (n, n_free)."""
    grid = np.stack(np.meshgrid(*[np.arange(largest + 1)] * 3, indexing="ij"), axis=-1)
    rows = np.unique(form(grid.reshape(-1, 3), system=system), axis=0)
    return np.asarray(rows[rows.any(axis=1)])
