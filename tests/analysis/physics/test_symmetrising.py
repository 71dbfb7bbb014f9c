from pathlib import Path

import numpy as np
import pytest

from analysis.physics.cell import free_cell_parameters
from analysis.physics.crystal import Crystal, Site, make_crystal, read_crystal
from analysis.physics.reflections import reflections
from analysis.physics.structures import structure
from analysis.physics.symmetrising import symmetrised
from analysis.physics.units import u_iso_from_b_iso
from analysis.xrd.settings import QuantifySettings

LISTED = [
    "rutile",
    "brookite",
    "corundum",
    "fluorite",
    "spinel",
    "baddeleyite",
    "quartz",
    "theta_alumina",
    "bixbyite",
    "caesium_chloride",
    "wurtzite",
]


def without_symmetry(crystal: Crystal, *, offset: float = 0.0) -> Crystal:
    """Return the crystal in P 1 with all its atoms, the first moved by `offset` [Å] along a."""
    unit = u_iso_from_b_iso(b_iso=1.0)
    atoms = []
    for site in crystal.structure.sites:
        where = np.array(site.fract.tolist())
        images = np.array([o.apply_to_xyz(where.tolist()) for o in crystal.operations]) % 1.0
        kept: list[np.ndarray] = []
        for image in images:
            apart = np.array([image - other for other in kept]).reshape(-1, 3)
            if not np.any(np.abs(apart - np.round(apart)).max(axis=1) < 1e-4):
                kept.append(image)
        # Occupancies are divided by how many operations leave a site alone.
        whole = site.occ * len(images) / len(kept)
        b_iso = site.u_iso / unit
        atoms += [Site(site.element.name, tuple(k.tolist()), b_iso, whole) for k in kept]
    x, y, z = atoms[0].position
    moved = (x + offset / crystal.cell[0], y, z)
    atoms[0] = Site(atoms[0].element, moved, atoms[0].b_iso, atoms[0].occupancy)
    return make_crystal(crystal.name, cell=crystal.cell, space_group="P 1", sites=atoms)


@pytest.mark.parametrize("name", LISTED)
def test_a_structure_written_without_symmetry_gets_it_back(name: str) -> None:
    wanted = structure(name)
    bare = without_symmetry(wanted)
    assert len(free_cell_parameters(bare)) == 6
    found = symmetrised(bare)
    assert found.space_group == wanted.space_group
    assert free_cell_parameters(found) == free_cell_parameters(wanted)
    assert found.mass == pytest.approx(wanted.mass)
    assert found.cell == pytest.approx(wanted.cell, rel=1e-6)
    before, after = (reflections(c, d_min=1.2, wavelength=1.5406) for c in (wanted, found))
    assert before.multiplicity.tolist() == after.multiplicity.tolist()
    strength = before.multiplicity * before.f2
    np.testing.assert_allclose(
        after.multiplicity * after.f2, strength, rtol=0, atol=1e-4 * strength.max()
    )


def test_small_displacements_are_averaged_and_large_ones_break_the_symmetry() -> None:
    rutile = structure("rutile")
    assert symmetrised(without_symmetry(rutile, offset=0.005)).space_group == rutile.space_group
    # The first titanium alone has left its place: the mirror normal to c is left.
    broken = symmetrised(without_symmetry(rutile, offset=0.2))
    assert broken.space_group == "P 1 1 m"


def test_a_crystal_that_names_its_symmetry_is_returned_as_it_is() -> None:
    assert symmetrised(structure("brookite")) is structure("brookite")


def test_a_supercell_without_a_tabulated_setting_is_returned_as_it_is() -> None:
    """Two halite cells on top of each other have translations that no setting lists."""
    a, b, c, alpha, beta, gamma = structure("halite").cell
    single = without_symmetry(structure("halite"))
    atoms = [
        Site(s.element.name, (s.fract.x, s.fract.y, (s.fract.z + k) / 2), occupancy=s.occ)
        for s in single.structure.sites
        for k in (0, 1)
    ]
    double = make_crystal(
        "double", cell=(a, b, 2 * c, alpha, beta, gamma), space_group="P 1", sites=atoms
    )
    assert symmetrised(double) is double


def test_a_phase_of_a_file_in_p1_is_fitted_with_its_symmetry(tmp_path: Path) -> None:
    """What an agent reads from a file without symmetry has one cell length to refine, not six."""
    atoms = [f"Na Na {x} {y} {z}" for x, y, z in FACES]
    atoms += [f"Cl Cl {(x + 0.5) % 1} {y} {z}" for x, y, z in FACES]
    cell = [f"_cell_length_{axis} 5.64" for axis in "abc"]
    cell += [f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma")]
    columns = ["label", "type_symbol", "fract_x", "fract_y", "fract_z"]
    lines = ["data_salt", *cell, "_symmetry_space_group_name_H-M 'P 1'", "loop_"]
    lines += [f"_atom_site_{column}" for column in columns]
    (tmp_path / "salt.cif").write_text("\n".join([*lines, *atoms]) + "\n")
    (crystal,) = QuantifySettings(phases=("salt.cif",)).crystals(tmp_path)
    assert crystal.name == "salt"
    assert crystal.space_group == "F m -3 m"
    assert len(free_cell_parameters(crystal)) == 1
    assert len(free_cell_parameters(read_crystal(tmp_path / "salt.cif"))) == 6


FACES = [(0.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5)]
