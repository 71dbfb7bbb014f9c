from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np
import pytest
import torch

from analysis.errors import BadSettings
from analysis.pdf.forward import CrystalPDF, cell_matrix, parameters_of
from analysis.pdf.periodic import pair_shells
from analysis.pdf.transform import QRange
from analysis.physics.crystal import Crystal, Site, make_crystal

A = 3.524
R = np.arange(1.5, 20.0, 0.05)


def nickel() -> Crystal:
    return make_crystal(
        "Ni", cell=(A, A, A, 90, 90, 90), space_group="F m -3 m", sites=[Site("Ni", (0, 0, 0))]
    )


def rutile() -> Crystal:
    return make_crystal(
        "rutile",
        cell=(4.5937, 4.5937, 2.9587, 90, 90, 90),
        space_group="P 42/m n m",
        sites=[Site("Ti", (0, 0, 0)), Site("O", (0.3053, 0.3053, 0.0))],
    )


@pytest.mark.parametrize(
    ("shell", "neighbours"), [(0.5, 12), (1.0, 6), (1.5, 24), (2.0, 12), (2.5, 24)]
)
def test_a_face_centred_lattice_has_its_known_shells(shell: float, neighbours: int) -> None:
    shells = pair_shells(nickel(), r_max=8.0)
    squared = (shells.difference**2).sum(axis=1)
    found = shells.pairs[np.isclose(squared, shell)] / shells.n_atoms.sum()
    assert found.sum() == pytest.approx(neighbours)


def test_the_first_peak_stands_at_a_over_root_two_and_holds_twelve_neighbours() -> None:
    model = CrystalPDF(nickel(), R, QRange(0.0, 25.0))
    rdf = model.rdf(parameters_of(nickel())).numpy()
    r = model.termination.fine_r
    first = (r > 2.0) & (r < 3.0)
    # the window ends five standard deviations from the first peak and from the second
    assert np.trapezoid(rdf[first], r[first]) == pytest.approx(12.0, rel=1e-5)
    mean = np.average(r[first], weights=rdf[first])
    assert mean == pytest.approx(A / np.sqrt(2), abs=1e-5)


def test_the_number_of_neighbours_is_that_of_the_density() -> None:
    shells = pair_shells(rutile(), r_max=40.0)
    per_atom = shells.pairs.sum() / shells.n_atoms.sum()
    density = shells.n_atoms.sum() / rutile().volume
    # the surface of the ball cuts cells: about one cell's atoms times the root of its area
    assert per_atom == pytest.approx(4 / 3 * np.pi * 40.0**3 * density, rel=1e-3)


def test_a_site_half_filled_has_half_the_atoms() -> None:
    half = make_crystal(
        "half",
        cell=(A, A, A, 90, 90, 90),
        space_group="F m -3 m",
        sites=[Site("Ni", (0, 0, 0), occupancy=0.5)],
    )
    shells = pair_shells(half, r_max=3.0)
    assert shells.n_atoms.sum() == pytest.approx(2.0)
    assert shells.pairs.sum() == pytest.approx(4 * 12 * 0.25)


def test_a_mixed_site_scatters_as_its_mean_atom() -> None:
    """Two elements of one site, each half: weights add up to one mean atom's."""
    mixed = make_crystal(
        "alloy",
        cell=(A, A, A, 90, 90, 90),
        space_group="F m -3 m",
        sites=[Site("Ni", (0, 0, 0), occupancy=0.5), Site("Cu", (0, 0, 0), occupancy=0.5)],
    )
    alloy = CrystalPDF(mixed, R, QRange()).g_r(parameters_of(mixed))
    plain = CrystalPDF(nickel(), R, QRange()).g_r(parameters_of(nickel()))
    torch.testing.assert_close(alloy, plain, rtol=0, atol=1e-9)


def test_shells_hold_together_in_a_strained_cell() -> None:
    """A tetragonal crystal stretched along c: fresh shells give the curve that moved ones do."""
    crystal = rutile()
    stretched = make_crystal(
        "stretched",
        cell=(4.5937, 4.5937, 3.02, 90, 90, 90),
        space_group="P 42/m n m",
        sites=[Site("Ti", (0, 0, 0)), Site("O", (0.3053, 0.3053, 0.0))],
    )
    fresh = CrystalPDF(stretched, R, QRange()).g_r(parameters_of(stretched))
    moved = CrystalPDF(crystal, R, QRange()).g_r(parameters_of(stretched))
    # distances within a shell may differ by the rounding that gathers them, 1e-4 Å
    torch.testing.assert_close(moved, fresh, rtol=0, atol=2e-3)


def test_the_cell_matrix_is_the_crystallographers() -> None:
    cell = (5.1, 6.2, 7.3, 81.0, 95.0, 112.0)
    expected = np.array(gemmi.UnitCell(*cell).orth.mat)
    np.testing.assert_allclose(cell_matrix(torch.tensor(cell, dtype=torch.float64)), expected)


def test_slopes_are_those_of_differences() -> None:
    model = CrystalPDF(nickel(), R, QRange(0.5, 22.0))
    start = parameters_of(nickel())

    def curve(v: torch.Tensor) -> torch.Tensor:
        cell = torch.cat([v[0].repeat(3), start.cell[3:]])
        return model.g_r(
            replace(
                start,
                cell=cell,
                u_iso=v[1:2],
                scale=v[2],
                delta1=v[3],
                delta2=v[4],
                q_damp=v[5],
                q_broad=v[6],
                diameter=v[7],
            )
        )

    at = torch.tensor([A, 0.006, 0.8, 0.2, 1.5, 0.03, 0.02, 60.0], dtype=torch.float64)
    slopes = torch.func.jacfwd(curve)(at)
    for i in range(len(at)):
        h = torch.zeros_like(at)
        h[i] = 1e-5 * at[i]
        difference = (curve(at + h) - curve(at - h)) / (2 * h[i])
        # central differences of curves of order ten: 1e-10 / h, and curvature times h²
        torch.testing.assert_close(
            slopes[:, i], difference, rtol=1e-4, atol=1e-4 * float(difference.abs().max())
        )


def test_a_sphere_ends_where_its_diameter_does() -> None:
    model = CrystalPDF(nickel(), R, QRange(0.0, 40.0))
    curve = model.g_r(replace(parameters_of(nickel()), diameter=10.0)).numpy()
    whole = model.g_r(parameters_of(nickel())).numpy()
    # beyond it only ripples of the termination are left
    assert np.abs(curve[R > 11.0]).max() < 0.01 * np.abs(whole).max()
    huge = model.g_r(replace(parameters_of(nickel()), diameter=1e6)).numpy()
    np.testing.assert_allclose(huge, whole, atol=1e-3)


def test_damping_multiplies_far_peaks() -> None:
    """Q_damp of 0.05 Å⁻¹ leaves exp(−½) at 20 Å, up to the blur that damping is in Q."""
    model = CrystalPDF(nickel(), R, QRange(0.0, 40.0))
    whole = model.g_r(parameters_of(nickel())).numpy()
    damped = model.g_r(replace(parameters_of(nickel()), q_damp=0.05)).numpy()
    np.testing.assert_allclose(damped, whole * np.exp(-0.5 * (0.05 * R) ** 2), atol=0.02)


def test_negative_neutron_lengths_turn_peaks_over() -> None:
    crystal = rutile()  # b(Ti) = −3.4 fm, b(O) = 5.8 fm
    near = np.arange(1.5, 2.3, 0.01)
    neutrons = CrystalPDF(crystal, near, QRange(0.0, 30.0), probe="neutron")
    x_rays = CrystalPDF(crystal, near, QRange(0.0, 30.0))
    assert neutrons.g_r(parameters_of(crystal)).min() < -5.0
    assert x_rays.g_r(parameters_of(crystal)).max() > 1.0


@pytest.mark.parametrize(("q_min", "q_max"), [(2.0, 1.0), (-1.0, 20.0), (0.0, np.inf)])
def test_an_impossible_range_is_refused(q_min: float, q_max: float) -> None:
    with pytest.raises(BadSettings, match="is no range"):
        QRange(q_min, q_max)
