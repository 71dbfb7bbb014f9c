"""The library's structures have the densities of handbooks and no atoms on top of one another."""

from __future__ import annotations

import gemmi
import pytest

from analysis.physics.structures import STRUCTURES, structure

HANDBOOK = {
    "hematite": 5.26,
    "magnetite": 5.20,
    "spinel": 3.58,
    "cerianite": 7.22,
    "pyrolusite": 5.19,
    "cassiterite": 6.99,
    "yttria": 5.03,
    "hausmannite": 4.84,
    "tenorite": 6.52,
    "cuprite": 6.11,
    "lanthana": 6.57,
    "cristobalite": 2.33,
    "molybdite": 4.71,
    "litharge": 9.35,
    "brucite": 2.38,
    "calcite": 2.711,
    "aragonite": 2.93,
    "smithsonite": 4.43,
    "wurtzite": 4.09,
    "graphite": 2.26,
    "lithium_cobaltate": 5.06,
}
"""Density [g/cm³] of minerals and compounds; Anthony et al., Handbook of Mineralogy."""


@pytest.mark.parametrize(("name", "density"), HANDBOOK.items())
def test_density(name: str, density: float) -> None:
    assert structure(name).density == pytest.approx(density, rel=0.015)


@pytest.mark.parametrize("name", STRUCTURES)
def test_atoms_keep_apart(name: str) -> None:
    """No two atoms closer than a short bond: a wrong setting or a slip in a position shows here."""
    crystal = structure(name)
    shortest = 0.9 if "H" in crystal.composition else 1.2
    for site in crystal.structure.sites:
        assert min(_distances(crystal.structure, site)) > shortest


def _distances(small: gemmi.SmallStructure, site: gemmi.SmallStructure.Site) -> list[float]:
    found = []
    for other in small.get_all_unit_cell_sites():
        image = small.cell.find_nearest_image(
            small.cell.orthogonalize(site.fract), small.cell.orthogonalize(other.fract)
        )
        distance = image.dist()
        if distance > 0.05:
            found.append(distance)
    lattice = min(small.cell.a, small.cell.b, small.cell.c)
    return [*found, lattice]
