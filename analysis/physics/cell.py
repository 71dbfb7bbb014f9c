"""Cells: the parameters a crystal system leaves free, and spacings from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.physics.crystal import Cell, Crystal

FloatArray = NDArray[np.float64]

CELL_NAMES = ("a", "b", "c", "alpha", "beta", "gamma")
"""Names of the six cell parameters, in order."""


def free_cell_parameters(crystal: Crystal) -> tuple[str, ...]:
    """Return which cell parameters symmetry leaves free, e.g. ``("a", "c")``."""
    system = crystal.crystal_system
    if system == "cubic":
        return ("a",)
    if system in ("tetragonal", "hexagonal"):
        return ("a", "c")
    if system == "trigonal":
        return ("a", "alpha") if _is_rhombohedral(crystal) else ("a", "c")
    if system == "orthorhombic":
        return ("a", "b", "c")
    if system == "monoclinic":
        return ("a", "b", "c", _unique_angle(crystal))
    return CELL_NAMES


def expand_cell(crystal: Crystal, free: Sequence[float]) -> Cell:
    """Return all six cell parameters from the free ones.

    Parameters
    ----------
    free : values of `free_cell_parameters`, in its order.
    """
    names = free_cell_parameters(crystal)
    values = dict(zip(CELL_NAMES, crystal.cell, strict=True))
    values.update(zip(names, map(float, free), strict=True))
    if "b" not in names:
        values["b"] = values["a"]
    rhombohedral = names == ("a", "alpha")
    if rhombohedral or crystal.crystal_system == "cubic":
        values["c"] = values["a"]
    if rhombohedral:
        values["beta"] = values["gamma"] = values["alpha"]
    a, b, c, alpha, beta, gamma = (values[name] for name in CELL_NAMES)
    return a, b, c, alpha, beta, gamma


def scale_cell(crystal: Crystal, scale: float) -> Cell:
    """Return the crystal's cell with all lengths multiplied by `scale`."""
    a, b, c, alpha, beta, gamma = crystal.cell
    return a * scale, b * scale, c * scale, alpha, beta, gamma


def reciprocal_metric(cell: Cell) -> FloatArray:
    """Return the (3, 3) reciprocal metric tensor G* [1/Å²]; 1/d² = h G* hᵀ."""
    lengths = np.array(cell[:3])
    cos_alpha, cos_beta, cos_gamma = np.cos(np.radians(cell[3:]))
    angles = np.array(
        [[1, cos_gamma, cos_beta], [cos_gamma, 1, cos_alpha], [cos_beta, cos_alpha, 1]]
    )
    metric: FloatArray = np.linalg.inv(angles * np.outer(lengths, lengths))
    return metric


def d_spacings(hkl: NDArray[np.int64], *, cell: Cell) -> FloatArray:
    """Return the spacings [Å] of (n, 3) Miller indices in a cell."""
    inverse_square = np.einsum("ni,ij,nj->n", hkl, reciprocal_metric(cell), hkl)
    return np.asarray(1 / np.sqrt(inverse_square), dtype=np.float64)


def cell_volume(cell: Cell) -> float:
    """Return the volume [Å³] of a cell."""
    return float(1 / np.sqrt(np.linalg.det(reciprocal_metric(cell))))


def _is_rhombohedral(crystal: Crystal) -> bool:
    a, _, c, alpha, _, gamma = crystal.cell
    return bool(crystal.space_group.startswith("R") and np.isclose(a, c) and alpha == gamma)


def _unique_angle(crystal: Crystal) -> str:
    axis = str(crystal.structure.spacegroup.monoclinic_unique_axis())
    return {"a": "alpha", "b": "beta", "c": "gamma"}[axis]
