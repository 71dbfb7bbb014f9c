"""Crystal: a phase's cell, space group and atoms, from a CIF or written down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadPhase
from analysis.physics.units import u_iso_from_b_iso

Cell = tuple[float, float, float, float, float, float]
"""a, b, c [Å] and alpha, beta, gamma [deg]."""

DEFAULT_B_ISO = 0.4
"""Displacement parameter B [Å²] of atoms for which a structure gives none."""


@dataclass(frozen=True, slots=True, eq=False)
class Crystal:
    """A crystal phase.

    Compared and hashed by identity, so that structure factors can be cached per crystal.

    Attributes
    ----------
    name : what a person calls the phase; part of quantity keys.
    cell : a, b, c [Å], alpha, beta, gamma [deg].
    space_group : extended Hermann–Mauguin symbol, with origin choice where there are several.
    structure : gemmi structure whose occupancies are crystallographic (already divided by the
        site's symmetry) and whose atoms all have a displacement parameter. Not to be changed.
    reference : where the structure was published, or the file it was read from.
    """

    name: str
    cell: Cell
    space_group: str
    structure: gemmi.SmallStructure
    reference: str = ""

    @property
    def composition(self) -> dict[str, float]:
        """Atoms per cell, element → number."""
        n_operations = len(self.operations)
        atoms: dict[str, float] = {}
        for site in self.structure.sites:
            name = site.element.name
            atoms[name] = atoms.get(name, 0.0) + site.occ * n_operations
        return atoms

    @property
    def formula(self) -> str:
        """Reduced chemical formula, elements in the order of the structure, e.g. ``CaF2``."""
        atoms = self.composition
        smallest = min(atoms.values())
        for multiple in range(1, 9):
            counts = [n / smallest * multiple for n in atoms.values()]
            if all(abs(count - round(count)) < 0.02 for count in counts):
                whole = zip(atoms, (round(count) for count in counts), strict=True)
                return "".join(f"{element}{n if n > 1 else ''}" for element, n in whole)
        return "".join(f"{element}{n:g}" for element, n in atoms.items())

    @property
    def mass(self) -> float:
        """Mass of one cell's atoms [g/mol]."""
        return sum(n * gemmi.Element(element).weight for element, n in self.composition.items())

    @property
    def volume(self) -> float:
        """Volume of the cell [Å³]."""
        return float(self.structure.cell.volume)

    @property
    def density(self) -> float:
        """Density from cell and atoms [g/cm³]."""
        return self.mass / self.volume / 0.602214076

    @property
    def crystal_system(self) -> str:
        """``triclinic`` … ``cubic``, as gemmi names the space group's system."""
        return str(self.structure.spacegroup.crystal_system_str())

    @property
    def operations(self) -> list[gemmi.Op]:
        """Every symmetry operation, centring included."""
        return list(self.structure.spacegroup.operations())

    @property
    def rotations(self) -> NDArray[np.int64]:
        """(n_operations, 3, 3) rotation parts without centring; h transforms as ``h @ R``."""
        operations = self.structure.spacegroup.operations().sym_ops
        return np.array([op.rot for op in operations], dtype=np.int64) // gemmi.Op.DEN


@dataclass(frozen=True, slots=True)
class Site:
    """An atom of the asymmetric unit.

    Attributes
    ----------
    element : symbol, e.g. ``Ti``.
    position : fractional coordinates.
    b_iso : displacement parameter B [Å²].
    occupancy : share of the site that this element fills.
    """

    element: str
    position: tuple[float, float, float]
    b_iso: float = DEFAULT_B_ISO
    occupancy: float = 1.0


def read_crystal(path: Path, *, name: str | None = None) -> Crystal:
    """Return the first crystal structure of a CIF.

    Displacement parameters that the file lacks are set to `DEFAULT_B_ISO`.

    Parameters
    ----------
    path : the CIF.
    name : what to call the phase; the file's stem by default.

    Raises
    ------
    BadPhase
        The file is missing, no CIF, or holds no cell, atoms or known space group.
    """
    if not path.is_file():
        raise BadPhase(f"there is no phase file {path}; give the path of a CIF")
    try:
        document = gemmi.cif.read(str(path))
    except (ValueError, RuntimeError) as error:
        raise BadPhase(
            f"{path} is no CIF: {error}. Give a crystal structure in CIF format"
        ) from error
    structures = [gemmi.make_small_structure_from_block(block) for block in document]
    with_atoms = [structure for structure in structures if len(structure.sites)]
    if not with_atoms:
        raise BadPhase(f"{path} holds no atom sites; give a CIF with fractional coordinates")
    return _crystal(with_atoms[0], name=name or path.stem, source=str(path), reference=path.name)


def make_crystal(
    name: str, *, cell: Cell, space_group: str, sites: Iterable[Site], reference: str = ""
) -> Crystal:
    """Return a crystal from its cell, space group and asymmetric unit.

    Parameters
    ----------
    space_group : Hermann–Mauguin symbol; with ``:1``, ``:2`` or ``:H`` where there is a choice.

    Raises
    ------
    BadPhase
        The space group is unknown, there are no sites, or the cell has no volume.
    """
    group = gemmi.find_spacegroup_by_name(space_group)
    if group is None:
        raise BadPhase(
            f"structure {name!r} has an unknown space group {space_group!r}; give a "
            "Hermann–Mauguin symbol such as 'P 42/m n m' or 'F d -3 m:1'"
        )
    structure = gemmi.SmallStructure()
    structure.spacegroup_hall = group.hall
    structure.cell = gemmi.UnitCell(*cell)
    for i, site in enumerate(sites):
        atom = gemmi.SmallStructure.Site()
        atom.label = f"{site.element}{i + 1}"
        atom.type_symbol = site.element
        atom.element = gemmi.Element(site.element)
        atom.fract = gemmi.Fractional(*site.position)
        atom.occ = site.occupancy
        atom.u_iso = u_iso_from_b_iso(b_iso=site.b_iso)
        structure.add_site(atom)
    structure.determine_and_set_spacegroup("H")
    return _crystal(structure, name=name, source=f"structure {name!r}", reference=reference)


def _crystal(structure: gemmi.SmallStructure, *, name: str, source: str, reference: str) -> Crystal:
    cell = structure.cell
    if not cell.is_crystal() or not cell.volume > 0:
        raise BadPhase(f"{source} has no unit cell; give its six cell parameters")
    if not len(structure.sites):
        raise BadPhase(f"{source} holds no atoms; give fractional coordinates")
    if structure.spacegroup is None:
        raise BadPhase(
            f"{source} has an unknown space group ({structure.spacegroup_hm or 'none named'}); "
            "give a Hermann–Mauguin symbol with its origin choice, or symmetry operations"
        )
    unknown = [s.label for s in structure.sites if s.element.atomic_number == 0]
    if unknown:
        raise BadPhase(f"{source} has atoms of no known element: {', '.join(unknown)}")
    structure.setup_cell_images()
    structure.change_occupancies_to_crystallographic()
    for site in structure.sites:
        if site.u_iso <= 0 and not site.aniso.nonzero():
            site.u_iso = u_iso_from_b_iso(b_iso=DEFAULT_B_ISO)
    parameters = (cell.a, cell.b, cell.c, cell.alpha, cell.beta, cell.gamma)
    return Crystal(
        name=name,
        cell=parameters,
        space_group=structure.spacegroup.xhm(),
        structure=structure,
        reference=reference,
    )
