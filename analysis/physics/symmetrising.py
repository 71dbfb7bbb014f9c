"""Symmetrising: the space group of a structure whose file lists every atom and no symmetry.

Programs often write a structure in P 1 with all atoms of its cell. Taken as it stands its cell
would be triclinic, with six numbers to refine where one may be free, and up to 24 times the
reflections.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from analysis.physics.crystal import Cell, Crystal, Site, make_crystal, read_crystal
from analysis.physics.units import u_iso_from_b_iso

logger = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]

TOLERANCE = 0.02
"""Distance [Å] within which an operation must bring each atom onto one of its kind."""

OBLIQUITY = 0.2
"""Angle [deg] by which a lattice may miss a twofold axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A symmetry operation x → rotation · x + translation on fractional coordinates.

    Attributes
    ----------
    rotation : (3, 3) whole numbers.
    translation : (3,) shares of the cell, 0 … 1.
    """

    rotation: NDArray[np.int64]
    translation: FloatArray


def read_symmetrised(path: Path, *, name: str | None = None) -> Crystal:
    """Return the first crystal structure of a CIF; a file in P 1 gets its space group back.

    Parameters
    ----------
    path, name : as in `read_crystal`.

    Raises
    ------
    BadPhase
        As `read_crystal`.
    """
    written = read_crystal(path, name=name)
    found = symmetrised(written)
    if found is not written:
        logger.info("%s lists no symmetry; its atoms have that of %s", path, found.space_group)
    return found


def symmetrised(crystal: Crystal, *, tolerance: float = TOLERANCE) -> Crystal:
    """Return the same crystal with its space group and its asymmetric unit.

    The lattice's rotations are tried with every translation that brings one atom of the rarest kind
    onto another. Returned as it is: a crystal that names a symmetry already, one with anisotropic
    displacements, and one whose operations are no group in a tabulated setting and origin, such as
    a supercell.

    Parameters
    ----------
    tolerance : distance [Å] within which an operation must bring each atom onto one of its kind.
    """
    if len(crystal.operations) > 1 or any(s.aniso.nonzero() for s in crystal.structure.sites):
        return crystal
    operations = find_operations(crystal, tolerance=tolerance)
    group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps([_as_gemmi(o) for o in operations]))
    if group is None or len(operations) == 1 or len(group.operations()) != len(operations):
        return crystal
    return make_crystal(
        crystal.name,
        cell=_symmetric_cell(crystal, operations),
        space_group=group.xhm(),
        sites=_asymmetric_unit(crystal, operations, tolerance=tolerance),
        reference=crystal.reference,
    )


def find_operations(crystal: Crystal, *, tolerance: float = TOLERANCE) -> list[Operation]:
    """Return every symmetry operation of a structure in P 1, pure translations included.

    Parameters
    ----------
    tolerance : as in `symmetrised`.
    """
    proper = gemmi.find_lattice_symmetry(crystal.structure.cell, "P", OBLIQUITY).sym_ops
    rotations = [sign * np.array(o.rot) // gemmi.Op.DEN for o in proper for sign in (1, -1)]
    where, kind = _positions(crystal), _kinds(crystal)
    unlike = kind[:, None] != kind
    kinds, numbers = np.unique(kind, return_counts=True)
    rare = where[kind == kinds[np.argmin(numbers)]]
    found = []
    for rotation in rotations:
        for target in rare:
            shift = target - rotation @ rare[0]
            moved = where @ rotation.T + shift
            distance = np.where(unlike, np.inf, _distances(crystal, moved))
            if distance.min(axis=1).max() < tolerance:
                found.append(Operation(rotation, shift % 1.0))
    return found


def _asymmetric_unit(
    crystal: Crystal, operations: list[Operation], *, tolerance: float
) -> list[Site]:
    """Return one atom of each orbit, the mean of its images that fall on itself."""
    where = _positions(crystal)
    left = set(range(len(where)))
    sites = []
    for i, site in enumerate(crystal.structure.sites):
        if i not in left:
            continue
        images = np.array([o.rotation @ where[i] + o.translation for o in operations])
        close = _distances(crystal, images) < tolerance
        left -= set(np.flatnonzero(close.any(axis=0)).tolist())
        offset = images[close[:, i]] - where[i]
        x, y, z = where[i] + (offset - np.round(offset)).mean(axis=0)
        b_iso = site.u_iso / u_iso_from_b_iso(b_iso=1.0)
        sites.append(Site(site.element.name, (float(x), float(y), float(z)), b_iso, site.occ))
    return sites


def _symmetric_cell(crystal: Crystal, operations: list[Operation]) -> Cell:
    """Return the cell whose metric is the mean over all rotations."""
    axes = _axes(crystal)
    metric = np.mean([o.rotation.T @ axes.T @ axes @ o.rotation for o in operations], axis=0)
    a, b, c = np.sqrt(np.diag(metric))
    cosines = metric[1, 2] / (b * c), metric[0, 2] / (a * c), metric[0, 1] / (a * b)
    # Symmetry makes angles exact, and rounding errors would make them free.
    alpha, beta, gamma = np.round(np.degrees(np.arccos(cosines)), 6)
    a, b, c = np.round((a, b, c), 8)
    return float(a), float(b), float(c), float(alpha), float(beta), float(gamma)


def _distances(crystal: Crystal, points: FloatArray) -> FloatArray:
    """Return the distance [Å] of each point from each atom, (n_points, n_atoms).

    Nearest images by fractional coordinates: right where distances are short.
    """
    apart = points[:, None] - _positions(crystal)
    apart -= np.round(apart)
    return np.asarray(np.linalg.norm(apart @ _axes(crystal).T, axis=2), dtype=np.float64)


def _positions(crystal: Crystal) -> FloatArray:
    return np.array([s.fract.tolist() for s in crystal.structure.sites])


def _axes(crystal: Crystal) -> FloatArray:
    """Return the (3, 3) matrix from fractional to Cartesian coordinates [Å]."""
    return np.array(crystal.structure.cell.orth.mat.tolist())


def _kinds(crystal: Crystal) -> NDArray[np.int64]:
    """Return a number for each atom, alike for the same element, occupancy and displacement."""
    told = [(s.element.name, round(s.occ, 3), round(s.u_iso, 5)) for s in crystal.structure.sites]
    order = sorted(set(told))
    return np.array([order.index(t) for t in told])


def _as_gemmi(operation: Operation) -> gemmi.Op:
    found = gemmi.Op()
    found.rot = (operation.rotation * gemmi.Op.DEN).tolist()
    found.tran = [round(v) % gemmi.Op.DEN for v in operation.translation * gemmi.Op.DEN]
    return found
