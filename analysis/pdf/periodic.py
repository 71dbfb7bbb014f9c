"""Pair distances of a crystal, gathered into shells that symmetry keeps together."""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from analysis.physics.cell import CELL_NAMES, expand_cell, free_cell_parameters
from analysis.physics.crystal import Cell, Crystal

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SAME_DISTANCE = 1e-4
"""Pairs whose distances [Å] agree to this in every cell tried share a shell."""

_SAME_PLACE = 1e-4
"""Images of an atom closer than this, in fractions of the cell, are one atom."""

_STRAINS = (0.0, 0.013, -0.021, 0.034, 0.047, -0.038, 0.027)


@dataclass(frozen=True, slots=True, eq=False)
class Shells:
    """The neighbours of a crystal's atoms.

    Pairs of the same two sites stand in one shell if their distances agree in every cell that the
    crystal system allows; so a shell stays a shell while the cell is refined.

    Attributes
    ----------
    difference : (n_shells, 3) of one pair, in fractions of the cell.
    sites : (n_shells, 2) indices of the two sites of the asymmetric unit.
    pairs : (n_shells,) ordered pairs in one cell, each weighed by both occupancies.
    n_atoms : (n_sites,) atoms of each site in one cell, weighed by occupancy.
    elements : (n_sites,) symbols.
    r_max : every pair closer than this [Å] is here, in the crystal's own cell.
    """

    difference: FloatArray
    sites: IntArray
    pairs: FloatArray
    n_atoms: FloatArray
    elements: tuple[str, ...]
    r_max: float

    def __len__(self) -> int:
        return len(self.pairs)


def pair_shells(crystal: Crystal, *, r_max: float) -> Shells:
    """Return every pair of atoms closer than `r_max` [Å].

    Atoms that share a position, on a site of mixed occupancy, are no pair.
    """
    positions, owner = _atoms_of_cell(crystal)
    occupancy = _occupancies(crystal)
    multiplicity = np.bincount(owner, minlength=len(occupancy))
    found = [
        _neighbours(crystal, positions, owner, site, r_max=r_max) for site in range(len(occupancy))
    ]
    difference = np.concatenate([f[0] for f in found])
    sites = np.concatenate([f[1] for f in found])
    first, shell = _gathered(crystal, difference, sites)
    weight = multiplicity[sites[:, 0]] * occupancy[sites[:, 0]] * occupancy[sites[:, 1]]
    return Shells(
        difference=difference[first],
        sites=sites[first],
        pairs=np.bincount(shell, weights=weight).astype(np.float64),
        n_atoms=multiplicity * occupancy,
        elements=tuple(site.element.name for site in crystal.structure.sites),
        r_max=r_max,
    )


def cell_matrix(cell: Cell) -> FloatArray:
    """Return the matrix that turns fractions into Å, as gemmi sets the axes."""
    return np.asarray(gemmi.UnitCell(*cell).orth.mat, dtype=np.float64)


def _occupancies(crystal: Crystal) -> FloatArray:
    """Return each site's occupancy (n_sites,), of one atom rather than shared by its images."""
    order = len(crystal.operations)
    sites = crystal.structure.sites
    return np.array([s.occ * order / len(_images(crystal, s)) for s in sites])


def _images(crystal: Crystal, site: gemmi.SmallStructure.Site) -> FloatArray:
    """Return the (n, 3) distinct positions of a site in one cell."""
    here = [site.fract.x, site.fract.y, site.fract.z]
    images = np.array([op.apply_to_xyz(here) for op in crystal.operations]) % 1.0
    kept: list[FloatArray] = []
    for image in images:
        apart = [np.abs((image - k + 0.5) % 1.0 - 0.5).max() for k in kept]
        if not apart or min(apart) > _SAME_PLACE:
            kept.append(image)
    return np.array(kept)


def _atoms_of_cell(crystal: Crystal) -> tuple[FloatArray, IntArray]:
    images = [_images(crystal, site) for site in crystal.structure.sites]
    owner = np.repeat(np.arange(len(images)), [len(i) for i in images])
    return np.concatenate(images), owner


def _neighbours(
    crystal: Crystal, positions: FloatArray, owner: IntArray, site: int, *, r_max: float
) -> tuple[FloatArray, IntArray]:
    """Return differences (n, 3) and sites (n, 2) of the pairs that one atom of `site` makes."""
    matrix = cell_matrix(crystal.cell)
    reach = r_max * np.linalg.norm(np.linalg.inv(matrix), axis=1) + 1.0
    ranges = [np.arange(-np.ceil(n), np.ceil(n) + 1) for n in reach]
    lattice = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    differences, partners = [], []
    here = positions[np.argmax(owner == site)]
    for position, partner in zip(positions, owner, strict=True):
        difference = position - here + lattice
        distance = np.linalg.norm(difference @ matrix.T, axis=1)
        near = difference[(distance < r_max) & (distance > _SAME_DISTANCE)]
        differences.append(near)
        partners.append(np.full(len(near), partner))
    partner = np.concatenate(partners)
    return np.concatenate(differences), np.stack([np.full_like(partner, site), partner], axis=1)


def _gathered(
    crystal: Crystal, difference: FloatArray, sites: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the first pair of each shell and the shell of each pair."""
    unordered = np.sort(sites, axis=1)
    keys = [unordered[:, 0], unordered[:, 1]]
    for cell in _allowed_cells(crystal):
        distance = np.linalg.norm(difference @ cell_matrix(cell).T, axis=1)
        keys.append(np.round(distance / _SAME_DISTANCE).astype(np.int64))
    _, first, shell = np.unique(
        np.stack(keys, axis=1), axis=0, return_index=True, return_inverse=True
    )
    return first.astype(np.int64), shell.reshape(-1).astype(np.int64)


def _allowed_cells(crystal: Crystal) -> list[Cell]:
    """Return the cell and, for each of its free parameters, one in which that is changed."""
    names = free_cell_parameters(crystal)
    own = dict(zip(CELL_NAMES, crystal.cell, strict=True))
    cells = [crystal.cell]
    for i, name in enumerate(names):
        free = [own[n] * (1.0 + (_STRAINS[i + 1] if n == name else 0.0)) for n in names]
        cells.append(expand_cell(crystal, free))
    return cells
