from __future__ import annotations

import numpy as np
import pytest
import torch
from ase.cluster import Icosahedron, Octahedron
from scipy.spatial.distance import pdist

from analysis.errors import BadPhase, BadSettings
from analysis.pdf.batches import Conditions, DebyeTable, batch_f_q, batch_i_q, pair_histograms
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.transform import QRange, even_grid, g_r_kernel
from analysis.physics.debye import debye_intensity, structure_function
from analysis.physics.scattering_factors import forward_scattering, scattering_factor

RANGE = QRange(0.7, 25.0)
R = np.arange(1.5, 20.0, 0.05)
WARM = ClusterParameters(b_iso=0.4, delta2=2.0, q_damp=0.03)


def octahedron() -> np.ndarray:
    positions = Octahedron("Pt", 5, latticeconstant=3.92).positions
    return np.asarray(positions / pdist(positions).min())


def test_form_factors_begin_at_the_number_of_electrons_and_fall() -> None:
    q = np.linspace(0.0, 20.0, 200)
    for element, electrons in (("C", 6), ("Ni", 28), ("Pt", 78)):
        f = scattering_factor(element, q)
        # the published fits are good to a few hundredths of an electron
        assert f[0] == pytest.approx(electrons, abs=0.05)
        assert np.all(np.diff(f) < 0)
        assert forward_scattering(element) == electrons


def test_neutrons_see_nuclei_as_points_with_known_lengths() -> None:
    np.testing.assert_allclose(
        scattering_factor("Ni", np.array([0.0, 10.0]), probe="neutron"), 10.3, atol=0.05
    )
    assert forward_scattering("Mn", probe="neutron") == pytest.approx(-3.73, abs=0.05)


def test_an_unknown_element_is_refused() -> None:
    with pytest.raises(BadPhase, match="'Xx' is no element"):
        scattering_factor("Xx", np.ones(2))


def test_two_atoms_scatter_as_debye_says() -> None:
    q = torch.linspace(0.5, 20.0, 50, dtype=torch.float64)
    positions = torch.tensor([[0.0, 0, 0], [0, 0, 2.5]], dtype=torch.float64)
    factors = torch.stack([torch.full_like(q, 2.0), torch.full_like(q, 3.0)])
    i_q = debye_intensity(positions, torch.tensor([0, 1]), factors, q)
    expected = (4 + 9 + 2 * 2 * 3 * torch.sin(2.5 * q) / (2.5 * q)) / 2
    torch.testing.assert_close(i_q, expected)


def test_gathered_distances_give_the_sum_over_single_pairs() -> None:
    positions = 2.77 * octahedron()
    elements = ["Pt" if i % 3 else "Ni" for i in range(len(positions))]
    model = ClusterPDF(positions, elements, R, RANGE)
    q = torch.from_numpy(model.q)
    factors = torch.from_numpy(np.stack([scattering_factor(e, model.q) for e in ("Ni", "Pt")]))
    species = torch.tensor([["Ni", "Pt"].index(e) for e in elements])
    u = torch.full((len(positions),), 0.4 / (8 * np.pi**2), dtype=torch.float64)
    exact = debye_intensity(torch.from_numpy(positions), species, factors, q, mean_square=u)
    # distances are told apart to a millionth of the extent
    torch.testing.assert_close(model.i_q(ClusterParameters(b_iso=0.4)), exact, rtol=1e-6, atol=0)
    share = torch.bincount(species) / len(species)
    s_q = structure_function(exact, factors, share.to(torch.float64))
    torch.testing.assert_close(model.s_q(ClusterParameters(b_iso=0.4)), s_q, rtol=0, atol=1e-6)


def test_scattering_at_large_q_is_that_of_single_atoms() -> None:
    model = ClusterPDF(2.77 * octahedron(), "Pt", R, QRange(20.0, 40.0))
    s_q = model.s_q(ClusterParameters(b_iso=2.0)).numpy()
    # exp(−2 · 2 · (20/4π)²) is 4e-5
    np.testing.assert_allclose(s_q, 1.0, atol=1e-3)


def test_peaks_stand_at_the_distances_of_the_cluster() -> None:
    near = np.arange(2.0, 5.0, 0.005)
    g_r = ClusterPDF(2.77 * octahedron(), "Pt", near, RANGE).g_r(ClusterParameters(b_iso=0.3))
    for distance in (2.77, 2.77 * 2**0.5, 2.77 * 3**0.5):
        window = np.abs(near - distance) < 0.15
        peak = near[window][np.argmax(g_r.numpy()[window])]
        assert peak == pytest.approx(distance, abs=0.03)


def test_a_zoom_stretches_every_distance() -> None:
    one = ClusterPDF(2.77 * octahedron(), "Pt", R, RANGE)
    other = ClusterPDF(2.77 * 1.03 * octahedron(), "Pt", R, RANGE)
    zoomed = one.g_r(ClusterParameters(zoom=1.03, b_iso=0.4)).numpy()
    direct = other.g_r(ClusterParameters(b_iso=0.4)).numpy()
    # the two grids of Q differ by a step at most
    assert np.linalg.norm(zoomed - direct) < 0.01 * np.linalg.norm(direct)


def test_slopes_are_those_of_differences() -> None:
    model = ClusterPDF(2.77 * octahedron(), "Pt", R, RANGE)

    def curve(v: torch.Tensor) -> torch.Tensor:
        return model.g_r(ClusterParameters(v[0], v[1], v[2], v[3], v[4], v[5], v[6]))

    at = torch.tensor([0.9, 1.01, 0.5, 0.1, 1.5, 0.03, 0.01], dtype=torch.float64)
    slopes = torch.func.jacfwd(curve)(at)
    for i in range(len(at)):
        h = torch.zeros_like(at)
        h[i] = 1e-5 * at[i]
        difference = (curve(at + h) - curve(at - h)) / (2 * h[i])
        torch.testing.assert_close(
            slopes[:, i], difference, rtol=1e-4, atol=1e-4 * float(difference.abs().max())
        )


def test_forces_on_atoms_are_slopes_too() -> None:
    positions = torch.from_numpy(2.77 * octahedron()[:20]).requires_grad_()
    q = torch.linspace(1.0, 20.0, 40, dtype=torch.float64)
    factors = torch.ones(1, 40, dtype=torch.float64)
    species = torch.zeros(20, dtype=torch.long)
    debye_intensity(positions, species, factors, q).square().sum().backward()
    assert positions.grad is not None
    # moving all atoms together changes nothing
    torch.testing.assert_close(
        positions.grad.sum(dim=0), torch.zeros(3, dtype=torch.float64), atol=1e-8, rtol=0
    )
    assert float(positions.grad.abs().max()) > 0.1


def test_atoms_without_elements_are_refused() -> None:
    with pytest.raises(BadSettings, match="3 elements"):
        ClusterPDF(octahedron(), ["Pt"] * 3, R, RANGE)


def test_histograms_agree_with_the_exact_sum() -> None:
    clusters = [octahedron(), Icosahedron("Pt", 4, latticeconstant=2**0.5).positions]
    q = torch.from_numpy(even_grid(RANGE, r_max=20.0, extent=20.0))
    f_q = batch_f_q(pair_histograms(clusters), q, bond=2.77, b_iso=0.4, delta2=2.0)
    for row, positions in zip(f_q @ g_r_kernel(q.numpy(), R), clusters, strict=True):
        exact = ClusterPDF(2.77 * positions, "Pt", R, RANGE).g_r(
            ClusterParameters(b_iso=0.4, delta2=2.0)
        )
        # bins of 0.008 Å, of which a sixteenth is lost: Q_max times that is 0.013
        assert float((row - exact).norm() / exact.norm()) < 0.01


def test_histograms_count_every_pair() -> None:
    histograms = pair_histograms([octahedron(), octahedron()[:7]])
    n = histograms.n_atoms
    torch.testing.assert_close(histograms.count.sum(dim=1), n * (n - 1) / 2)
    mean = (histograms.count @ histograms.distance / histograms.count.sum(dim=1))[0]
    assert float(mean) == pytest.approx(pdist(octahedron()).mean(), abs=2e-4)


def test_the_table_gives_each_cluster_its_own_conditions() -> None:
    table = DebyeTable(pair_histograms([octahedron(), octahedron()[:60]]), x_max=90.0)
    rows = [(0, 2.5, 0.3, 2.0, 0.7, 20.0, 0.02), (1, 3.0, 1.2, 0.0, 1.2, 28.0, 0.06)]
    columns = [torch.tensor(c, dtype=torch.float64) for c in zip(*rows, strict=True)]
    conditions = Conditions(columns[0].long(), *columns[1:])
    q = np.arange(0.02, 28.001, 0.02)
    found = table.g_r(conditions, torch.from_numpy(q), g_r_kernel(q, R), torch.from_numpy(R))
    for curve, (cluster, bond, b, delta2, low, high, damp) in zip(found, rows, strict=True):
        positions = bond * (octahedron(), octahedron()[:60])[cluster]
        exact = ClusterPDF(positions, "Pt", R, QRange(low, high)).g_r(
            ClusterParameters(b_iso=b, delta2=delta2, q_damp=damp)
        )
        # histogram, linear interpolation and single precision: half a per cent each at most
        assert float((curve - exact).norm() / exact.norm()) < 0.015


def test_noise_stays_within_the_measured_range() -> None:
    table = DebyeTable(pair_histograms([octahedron()]), x_max=90.0, orders=1)
    q = torch.arange(0.5, 28.0, 0.08, dtype=torch.float64)
    one = torch.ones(1, dtype=torch.float64)
    conditions = Conditions(
        torch.zeros(1, dtype=torch.long), 2.7 * one, one, 0 * one, one, 20 * one, 0 * one
    )
    r = torch.from_numpy(R)
    kernel = g_r_kernel(q.numpy(), R)
    outside = (q < 1.0) | (q > 20.0)
    noise = (1000.0 * outside)[None, :].to(torch.float32)
    plain = table.g_r(conditions, q, kernel, r)
    torch.testing.assert_close(table.g_r(conditions, q, kernel, r, noise=noise), plain)
    noisy = table.g_r(conditions, q, kernel, r, noise=torch.ones_like(noise))
    assert float((noisy - plain).abs().max()) > 0.1


def test_a_table_too_short_is_said() -> None:
    table = DebyeTable(pair_histograms([octahedron()]), x_max=20.0)
    one = torch.ones(1, dtype=torch.float64)
    conditions = Conditions(
        torch.zeros(1, dtype=torch.long), 2.7 * one, one, 0 * one, one, 20 * one, 0 * one
    )
    with pytest.raises(BadSettings, match=r"Q · bond reaches 27\.0, the table ends at 20\.0"):
        table.f_q(conditions, torch.linspace(1.0, 10.0, 20, dtype=torch.float64))


def test_batches_give_intensities_too() -> None:
    model = ClusterPDF(2.77 * octahedron(), "Pt", R, RANGE)
    q = torch.from_numpy(model.q)
    f_q = batch_f_q(pair_histograms([octahedron()]), q, bond=2.77, b_iso=0.4)
    found = batch_i_q(f_q, q, element="Pt")[0].numpy()
    exact = model.i_q(ClusterParameters(b_iso=0.4)).numpy()
    np.testing.assert_allclose(found, exact, atol=2e-3 * exact.max())
