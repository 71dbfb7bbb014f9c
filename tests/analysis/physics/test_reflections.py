import gemmi
import numpy as np
import pytest

from analysis.physics.crystal import Crystal
from analysis.physics.reflections import Reflections, linear_attenuation, reflections
from analysis.physics.structures import structure
from analysis.physics.units import energy_from_wavelength

CU = 1.5405929


def of(name: str, *, anomalous: bool = True) -> Reflections:
    return reflections(structure(name), d_min=0.9, wavelength=CU, anomalous=anomalous)


def indices(listed: Reflections) -> set[tuple[int, ...]]:
    return {tuple(sorted(map(abs, hkl), reverse=True)) for hkl in listed.hkl.tolist()}


def test_face_centred_crystals_show_only_unmixed_indices() -> None:
    assert all(len({n % 2 for n in hkl}) == 1 for hkl in of("fluorite").hkl.tolist())


def test_the_diamond_glide_extinguishes_200_and_222_is_forbidden_for_spheres() -> None:
    found = indices(of("silicon"))
    assert {(1, 1, 1), (2, 2, 0), (3, 1, 1), (4, 0, 0)} <= found
    assert not {(2, 0, 0), (2, 2, 2), (4, 2, 0)} & found


def test_screw_axis_of_zincite_extinguishes_odd_00l() -> None:
    found = [tuple(hkl) for hkl in of("zincite").hkl.tolist()]
    assert (0, 0, 2) in found
    assert not {(0, 0, 1), (0, 0, 3), (0, 0, 5)} & set(found)


@pytest.mark.parametrize(
    ("name", "hkl", "expected"),
    [
        ("lab6", (1, 0, 0), 6),
        ("lab6", (1, 1, 0), 12),
        ("lab6", (1, 1, 1), 8),
        ("lab6", (2, 1, 0), 24),
        ("rutile", (1, 1, 0), 4),
        ("rutile", (1, 0, 1), 8),
        ("brookite", (2, 1, 0), 4),
        ("brookite", (1, 2, 1), 8),
        ("zincite", (1, 0, 0), 6),
        ("zincite", (0, 0, 2), 2),
        ("zincite", (1, 0, 1), 12),
        ("corundum", (0, 1, 2), 6),
    ],
)
def test_multiplicities_are_those_of_the_laue_class(
    name: str, hkl: tuple[int, int, int], expected: int
) -> None:
    listed = of(name)
    mates = [
        i
        for i, equivalents in enumerate(listed.equivalents.tolist())
        if list(hkl) in equivalents or [-n for n in hkl] in equivalents
    ]
    assert len(mates) == 1
    assert listed.multiplicity[mates[0]] == expected


def powder_f2(crystal: Crystal, hkl: np.ndarray, d: np.ndarray) -> np.ndarray:
    """|F|² over a Friedel pair, summed over every atom of the cell in plain numpy."""
    square = 1 / (4 * d**2)
    total = np.zeros((2, len(d)), dtype=complex)
    for site in crystal.structure.sites:
        atoms: list[np.ndarray] = []
        for operation in crystal.operations:
            atom = np.array(operation.apply_to_xyz([site.fract.x, site.fract.y, site.fract.z])) % 1
            if not any(np.all(np.abs((atom - old + 0.5) % 1 - 0.5) < 1e-3) for old in atoms):
                atoms.append(atom)
        f0 = np.array([site.element.it92.calculate_sf(s) for s in square])
        number = site.element.atomic_number
        first, second = gemmi.cromer_liberman(number, energy_from_wavelength(wavelength=CU))
        f = (f0 + first + 1j * second) * np.exp(-8 * np.pi**2 * site.u_iso * square)
        for k, sign in enumerate((1, -1)):
            total[k] += f * np.exp(2j * np.pi * sign * hkl @ np.array(atoms).T).sum(axis=1)
    return np.asarray((np.abs(total) ** 2).mean(axis=0))


@pytest.mark.parametrize("name", ["fluorite", "zincite", "quartz", "corundum", "anatase"])
def test_structure_factors_with_anomalous_scattering_agree_with_a_sum_over_atoms(name: str) -> None:
    listed = of(name)
    expected = powder_f2(structure(name), listed.hkl, listed.d)
    np.testing.assert_allclose(listed.f2, expected, rtol=1e-6)


def test_fluorite_amplitudes_are_ca_plus_or_minus_two_f() -> None:
    """F(111) = 4 f_Ca, F(200) = 4 (f_Ca − 2 f_F), F(220) = 4 (f_Ca + 2 f_F), without f′ and T."""
    listed = of("fluorite", anomalous=False)
    crystal = structure("fluorite")
    for hkl, sign in (((1, 1, 1), 0), ((0, 2, 0), -2), ((0, 2, 2), 2)):
        i = [tuple(sorted(h)) for h in listed.hkl.tolist()].index(tuple(sorted(hkl)))
        square = 1 / (4 * listed.d[i] ** 2)
        calcium, fluorine = (
            site.element.it92.calculate_sf(square) * np.exp(-8 * np.pi**2 * site.u_iso * square)
            for site in crystal.structure.sites
        )
        assert listed.f2[i] == pytest.approx((4 * (calcium + sign * fluorine)) ** 2, rel=1e-5)


def test_anomalous_dispersion_weakens_zincite_at_copper_radiation() -> None:
    with_f, without = of("zincite"), of("zincite", anomalous=False)
    strongest = int(np.argmax(without.multiplicity * without.f2))
    assert with_f.f2[strongest] < 0.93 * without.f2[strongest]


def test_reflections_of_one_crystal_are_computed_once() -> None:
    assert of("rutile") is of("rutile")


# NIST, X-ray mass attenuation coefficients at 8 keV, scaled to Cu Kα [cm²/g].
@pytest.mark.parametrize(("name", "expected"), [("corundum", 31.0), ("zincite", 50.0)])
def test_absorption_is_near_the_tabulated_one(name: str, expected: float) -> None:
    crystal = structure(name)
    found = linear_attenuation(crystal, wavelength=CU) / crystal.density
    assert found == pytest.approx(expected, rel=0.1)  # scattering is left out


LENGTHS = {"Mg": 5.375, "O": 5.803, "Si": 4.1491, "Ti": -3.438}
"""Bound coherent scattering lengths [fm] of natural elements; Sears (1992), Neutron News 3, 26."""


def neutrons(name: str) -> dict[tuple[int, ...], float]:
    listed = reflections(structure(name), d_min=1.0, wavelength=1.54, probe="neutron")
    keys = [tuple(sorted(map(abs, hkl), reverse=True)) for hkl in listed.hkl.tolist()]
    return dict(zip(keys, listed.f2.tolist(), strict=True))


def test_nuclei_of_silicon_scatter_by_their_length_alone() -> None:
    (site,) = structure("silicon").structure.sites
    d111 = 5.43 / np.sqrt(3)
    found = neutrons("silicon")
    for hkl, share, d in (((1, 1, 1), 32.0, d111), ((2, 2, 0), 64.0, 5.43 / np.sqrt(8))):
        damping = np.exp(-8 * np.pi**2 * site.u_iso / (2 * d**2))
        assert found[hkl] == pytest.approx(share * LENGTHS["Si"] ** 2 * damping, rel=0.003)


def test_periclase_hides_its_odd_reflections_from_neutrons() -> None:
    found = neutrons("periclase")
    bright = 16 * (LENGTHS["Mg"] + LENGTHS["O"]) ** 2
    dim = 16 * (LENGTHS["Mg"] - LENGTHS["O"]) ** 2
    assert found[(2, 0, 0)] == pytest.approx(bright, rel=0.15)  # displacement takes the rest
    assert found.get((1, 1, 1), 0.0) < 1.1 * dim + 1.0


def test_titanium_scatters_neutrons_in_the_opposite_phase() -> None:
    listed = reflections(structure("rutile"), d_min=1.0, wavelength=1.54, probe="neutron")
    xray = reflections(structure("rutile"), d_min=1.0, wavelength=1.54)

    def relative(table: Reflections) -> float:
        rows = {tuple(h): f for h, f in zip(table.hkl.tolist(), table.f2.tolist(), strict=True)}
        return float(rows[(1, 1, 0)] / max(rows.values()))

    assert relative(listed) < 0.5 * relative(xray)
