"""What networks see of sites, of shapes and of curves."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.curves import Reading
from analysis.pdf.structure.sites import LATTICES, sites_of

FloatArray = NDArray[np.float64]

Q_GRID = np.arange(0.5, 12.0, 0.05)
"""Momentum transfer [1/Å] at which networks see F(Q)."""

TYPICAL_ATOMS = 80.0

_LENGTH = 4.0
_FAMILIES = 4
_UPRIGHT = np.array([v for v in product((-1.0, 0.0, 1.0), repeat=3) if any(v)])
_ANGLES = np.arange(12) * np.pi / 6
_DIRECTIONS = np.concatenate(
    [
        _UPRIGHT / np.linalg.norm(_UPRIGHT, axis=1, keepdims=True),
        np.stack([np.cos(_ANGLES), np.sin(_ANGLES), 0 * _ANGLES], axis=1),
    ]
)

N_SITE_FEATURES = 4 + _FAMILIES
N_SHAPE_FEATURES = len(LATTICES) + 1 + len(_DIRECTIONS)


def site_features(positions: FloatArray, lattice: str) -> FloatArray:
    """Return place, radius and the farthest face of each family, (n, `N_SITE_FEATURES`).

    Parameters
    ----------
    positions : (n, 3) from the middle of the shape [bonds].
    """
    faces = sites_of(lattice).faces
    reach = np.zeros((len(positions), _FAMILIES))
    for column, family in enumerate(faces):
        reach[:, column] = (positions @ family.T).max(axis=1)
    radius = np.linalg.norm(positions, axis=1, keepdims=True)
    return np.concatenate([positions, radius, reach], axis=1) / _LENGTH


def shape_features(atoms: FloatArray, lattice: str) -> FloatArray:
    """Return lattice, size and how far atoms (n, 3) reach to every side, (`N_SHAPE_FEATURES`,)."""
    known = np.array([float(lattice == name) for name in LATTICES])
    reach = (atoms @ _DIRECTIONS.T).max(axis=0) / _LENGTH
    return np.concatenate([known, [np.log(len(atoms) / TYPICAL_ATOMS)], reach])


def curve_features(reading: Reading) -> FloatArray:
    """Return F(Q) of a reading on `Q_GRID`, of unit size, zero where nothing was measured."""
    shown = reading.scan_y
    if reading.scan_constant is not None:
        shown = shown - shown.mean()
    first, last = reading.scan_q[[0, -1]]
    inside = np.abs(Q_GRID - (first + last) / 2) <= (last - first) / 2
    f_q = np.interp(Q_GRID, reading.scan_q, shown) * Q_GRID * inside
    return np.asarray(f_q / np.linalg.norm(f_q))
