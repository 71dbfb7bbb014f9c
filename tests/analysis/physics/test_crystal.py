from pathlib import Path

import numpy as np
import pytest

from analysis.errors import BadPhase
from analysis.physics.cell import d_spacings, expand_cell, free_cell_parameters, scale_cell
from analysis.physics.crystal import Site, make_crystal, read_crystal
from analysis.physics.structures import structure

FLUORITE_CIF = """data_fluorite
_cell_length_a 5.4626
_cell_length_b 5.4626
_cell_length_c 5.4626
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ca1 Ca2+ 0 0 0
F1 F1- 0.25 0.25 0.25
"""

# Densities [g/cm³] of handbooks, at room temperature.
DENSITIES = {
    "anatase": 3.89,
    "rutile": 4.25,
    "brookite": 4.13,
    "corundum": 3.98,
    "zincite": 5.67,
    "fluorite": 3.18,
    "halite": 2.165,
    "silicon": 2.329,
    "bunsenite": 6.81,
    "periclase": 3.58,
    "quartz": 2.65,
    "lab6": 4.71,
}

FORMULAS = {"anatase": "TiO2", "corundum": "Al2O3", "fluorite": "CaF2", "lab6": "LaB6"}


@pytest.fixture
def cif(tmp_path: Path) -> Path:
    path = tmp_path / "fluorite.cif"
    path.write_text(FLUORITE_CIF)
    return path


@pytest.mark.parametrize("name", sorted(DENSITIES))
def test_library_structures_have_the_density_of_the_handbook(name: str) -> None:
    assert structure(name).density == pytest.approx(DENSITIES[name], rel=0.006)


@pytest.mark.parametrize(("name", "formula"), FORMULAS.items())
def test_atoms_on_special_positions_are_counted_once(name: str, formula: str) -> None:
    assert structure(name).formula == formula


def test_quartz_has_the_silicon_oxygen_bond_of_a_tetrahedron() -> None:
    crystal = structure("quartz")
    silicon, oxygen = crystal.structure.sites
    distance = crystal.structure.cell.find_nearest_image(
        crystal.structure.cell.orthogonalize(silicon.fract),
        crystal.structure.cell.orthogonalize(oxygen.fract),
    ).dist()
    assert distance == pytest.approx(1.61, abs=0.01)


def test_a_cif_gives_the_same_crystal_as_the_same_numbers_written_down(cif: Path) -> None:
    read, written = read_crystal(cif), structure("fluorite")
    assert read.name == "fluorite"
    assert (read.formula, read.space_group) == (written.formula, written.space_group)
    assert read.mass == pytest.approx(written.mass)
    assert read.volume == pytest.approx(written.volume)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPhase, match=r"no phase file .*ghost\.cif"):
        read_crystal(tmp_path / "ghost.cif")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("this is a shopping list", "is no CIF"),
        ("data_x\n_cell_length_a 4\n", "holds no atom sites"),
        (FLUORITE_CIF.replace("_cell_length_a 5.4626\n", ""), "has no unit cell"),
        (FLUORITE_CIF.replace("F m -3 m", "F m -7 m"), "unknown space group"),
        (FLUORITE_CIF.replace("Ca1 Ca2+", "Qq1 Qq"), "no known element"),
        ("", "holds no atom sites"),
    ],
)
def test_a_file_that_is_no_structure_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "bad.cif"
    path.write_text(text)
    with pytest.raises(BadPhase, match=sentence):
        read_crystal(path)


def test_binary_rubbish_is_no_cif(tmp_path: Path) -> None:
    path = tmp_path / "picture.cif"
    path.write_bytes(bytes(range(256)) * 4)
    with pytest.raises(BadPhase, match=r"picture\.cif"):
        read_crystal(path)


def test_an_unknown_structure_lists_what_there_is() -> None:
    with pytest.raises(BadPhase, match="rutile"):
        structure("unobtainium")


def test_an_unknown_space_group_is_refused() -> None:
    with pytest.raises(BadPhase, match="unknown space group"):
        make_crystal(
            "x", cell=(4, 4, 4, 90, 90, 90), space_group="Z 9", sites=[Site("O", (0, 0, 0))]
        )


@pytest.mark.parametrize(
    ("name", "free"),
    [
        ("halite", ("a",)),
        ("rutile", ("a", "c")),
        ("corundum", ("a", "c")),
        ("brookite", ("a", "b", "c")),
    ],
)
def test_symmetry_leaves_the_cell_parameters_of_its_system(name: str, free: tuple[str]) -> None:
    assert free_cell_parameters(structure(name)) == free


def test_monoclinic_cells_keep_their_unique_angle() -> None:
    baddeleyite = make_crystal(
        "baddeleyite",
        cell=(5.1505, 5.2116, 5.3173, 90, 99.23, 90),
        space_group="P 1 21/c 1",
        sites=[Site("Zr", (0.2754, 0.0395, 0.2083)), Site("O", (0.07, 0.3317, 0.3447))],
    )
    assert free_cell_parameters(baddeleyite) == ("a", "b", "c", "beta")
    cell = expand_cell(baddeleyite, (5.2, 5.3, 5.4, 98.0))
    assert cell == (5.2, 5.3, 5.4, 90.0, 98.0, 90.0)


def test_a_strained_cell_keeps_its_symmetry() -> None:
    assert expand_cell(structure("rutile"), (4.6, 2.9)) == (4.6, 4.6, 2.9, 90, 90, 90)
    assert expand_cell(structure("halite"), (5.7,)) == (5.7, 5.7, 5.7, 90, 90, 90)


def test_hexagonal_spacings_follow_the_textbook_formula() -> None:
    hkl = np.array([[1, 0, 0], [0, 0, 2], [1, 0, 1], [1, 1, 0], [2, 1, 3]])
    a, c = 3.2495, 5.2069
    h, k, ell = hkl.T
    expected = 1 / np.sqrt(4 / 3 * (h * h + h * k + k * k) / a**2 + ell**2 / c**2)
    found = d_spacings(hkl, cell=structure("zincite").cell)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_scaling_a_cell_scales_its_spacings() -> None:
    crystal = structure("brookite")
    hkl = np.array([[1, 2, 1]])
    scaled = d_spacings(hkl, cell=scale_cell(crystal, 1.01))
    np.testing.assert_allclose(scaled, 1.01 * d_spacings(hkl, cell=crystal.cell))
