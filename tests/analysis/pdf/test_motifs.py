from __future__ import annotations

from itertools import combinations, product
from math import factorial
from pathlib import Path

import numpy as np
import pytest
from ase.cluster import Octahedron

from analysis.errors import BadPhase, BadSettings
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.motifs.contributions import contributions, draw_masks
from analysis.pdf.motifs.fragments import FragmentConditions, FragmentFits
from analysis.pdf.motifs.starting import StartingModel, read_atoms, starting_model
from analysis.pdf.motifs.symmetry import symmetries
from analysis.pdf.preprocess import FitRange
from analysis.pdf.transform import QRange

R = np.arange(1.6, 10.0, 0.06)
CONDITIONS = FragmentConditions(zooms=(0.99, 1.0, 1.01), b_iso=0.5, delta2=1.0, q_damp=0.04)
PARAMETERS = ClusterParameters(scale=0.7, b_iso=0.5, delta2=1.0, q_damp=0.04)


def octahedron(length: int = 3) -> np.ndarray:
    return np.asarray(Octahedron("Pt", length, latticeconstant=3.92).positions)


def measured(positions: np.ndarray, elements: list[str]) -> FitRange:
    model = ClusterPDF(positions, elements, R, QRange(0.7, 20.0))
    return FitRange(R, model.g_r(PARAMETERS).numpy(), 0.7, 20.0)


def oxide() -> StartingModel:
    """Return five platinum in a row, each with an oxygen, and one oxygen by itself."""
    metal = np.array([[2.9 * i, 0.0, 0.1 * i * i] for i in range(5)])
    oxygen = np.concatenate([metal + np.array([0, 1.9, 0]), [[40.0, 0, 0]]])
    return starting_model(np.concatenate([metal, oxygen]), ["Pt"] * 5 + ["O"] * 6)


def test_oxygen_follows_the_metals_that_stay() -> None:
    kept = oxide().kept(np.array([[True, False, False, True, False]]))[0]
    assert np.flatnonzero(kept).tolist() == [0, 3, 5, 8]


def test_a_fragment_fits_its_own_curve() -> None:
    model = oxide()
    mask = np.array([True, True, False, True, True])
    stay = model.kept(mask[None])[0]
    elements = np.array(model.elements)[stay].tolist()
    data = measured(model.positions[stay], elements)
    composition = {e: float(elements.count(e)) for e in ("O", "Pt")}
    fits = FragmentFits(model, data, conditions=CONDITIONS, composition=composition)
    # distances are gathered to 0.005 Å, and the two grids of Q differ by a step at most
    assert fits.fit(mask[None]).rw[0] < 0.01
    assert fits.fit(mask[None]).zoom[0] == 1.0
    np.testing.assert_allclose(fits.curve(mask), data.g_r, atol=0.01 * np.abs(data.g_r).max())
    assert fits.fit(~mask[None]).rw[0] > 0.5


def test_a_stretched_sample_is_met_by_a_zoom() -> None:
    model = starting_model(octahedron(), ["Pt"] * 19)
    data = measured(1.01 * octahedron(), ["Pt"] * 19)
    fits = FragmentFits(model, data, conditions=CONDITIONS).fit(np.ones((1, 19), dtype=bool))
    assert fits.zoom[0] == 1.01
    assert fits.rw[0] < 0.01


def test_no_atoms_fit_nothing() -> None:
    data = measured(octahedron(), ["Pt"] * 19)
    fits = FragmentFits(starting_model(octahedron(), ["Pt"] * 19), data, conditions=CONDITIONS).fit(
        np.eye(19, dtype=bool)[:3]
    )
    np.testing.assert_allclose(fits.rw, 1.0)
    np.testing.assert_allclose(fits.scale, 0.0)


def test_masks_are_balanced_and_interactions_do_not_leak() -> None:
    z = 2.0 * draw_masks(64, 20, rng=np.random.default_rng(0)) - 1
    np.testing.assert_allclose(z.sum(axis=0), 0)
    np.testing.assert_allclose(z.T @ z, 64 * np.eye(20))
    pairs = np.stack([z[:, i] * z[:, j] for i, j in combinations(range(20), 2)])
    np.testing.assert_allclose(pairs @ z, 0)


def interacting(masks: np.ndarray) -> np.ndarray:
    """Return a response of pairs and triples of atoms beside single ones."""
    m = masks.astype(float)
    return np.asarray(
        0.8 - 0.1 * m[:, 0] - 0.2 * m[:, 1] * m[:, 2] + 0.1 * m[:, 0] * m[:, 3] * m[:, 4]
    )


def shap(masks: np.ndarray) -> np.ndarray:
    """Return Shapley values of every mask of five atoms, the others' states averaged over."""
    response = interacting(masks)
    n = masks.shape[1]

    def game(mask: np.ndarray, coalition: tuple[int, ...]) -> float:
        agree = np.all(masks[:, list(coalition)] == mask[list(coalition)], axis=1)
        return float(response[agree].mean())

    values = np.zeros(masks.shape)
    for row, mask in enumerate(masks):
        for atom in range(n):
            others = [i for i in range(n) if i != atom]
            for size in range(n):
                weight = factorial(size) * factorial(n - size - 1) / factorial(n)
                for coalition in combinations(others, size):
                    gain = game(mask, (*coalition, atom)) - game(mask, coalition)
                    values[row, atom] += weight * gain
    return values


def test_contributions_are_shap_where_kept_minus_shap_where_removed() -> None:
    masks = np.array(list(product([False, True], repeat=5)))
    values = shap(masks)
    expected = [values[masks[:, i], i].mean() - values[~masks[:, i], i].mean() for i in range(5)]
    found = contributions(masks, interacting(masks))
    # all fragments were fitted; what is left is the process's pull towards zero
    np.testing.assert_allclose(found.value, expected, atol=2e-3)


def test_errors_of_contributions_are_honest() -> None:
    n = 16
    everything = draw_masks(20_000, n, rng=np.random.default_rng(1))
    weights = np.random.default_rng(2).normal(size=(n, n)) / 20

    def response(masks: np.ndarray) -> np.ndarray:
        m = masks.astype(float)
        return np.asarray(
            np.tanh(m @ weights @ weights.T @ weights[0]) + np.sin(m @ weights[1] * 4)
        )

    z = 2.0 * everything - 1
    truth = 2 * z.T @ response(everything) / len(everything)
    pulls = []
    for seed in range(6):
        masks = draw_masks(150, n, rng=np.random.default_rng(10 + seed))
        found = contributions(masks, response(masks))
        pulls.append((found.value - truth) / np.hypot(found.std, 2e-4))
    # 96 pulls of unit spread would give 1.00 ± 0.07; the process is no exact description
    assert 0.5 < np.std(pulls) < 1.6


def test_symmetries_of_an_octahedron_are_all_found() -> None:
    model = starting_model(octahedron(), ["Pt"] * 19)
    group = symmetries(model)
    assert len(group) == 48
    distance = np.linalg.norm(model.positions[:, None] - model.positions, axis=-1)
    for permutation in group:
        np.testing.assert_allclose(distance[np.ix_(permutation, permutation)], distance, atol=0.1)


def test_equivalent_atoms_contribute_alike() -> None:
    model = starting_model(octahedron(), ["Pt"] * 19)
    group = symmetries(model)
    data = measured(octahedron()[:12], ["Pt"] * 12)
    masks = draw_masks(120, 19, rng=np.random.default_rng(0))
    rw = FragmentFits(model, data, conditions=CONDITIONS).fit(masks).rw
    found = contributions(masks, rw, symmetries=group)
    np.testing.assert_allclose(found.value[group], found.value[None].repeat(48, 0), atol=1e-9)


def test_too_few_or_touching_atoms_are_refused() -> None:
    with pytest.raises(BadSettings, match="has 3 atoms of Pt"):
        starting_model(octahedron()[:3], ["Pt"] * 3)
    doubled = np.concatenate([octahedron(), octahedron()[:1] + 0.1])
    with pytest.raises(BadSettings, match="Å apart"):
        starting_model(doubled, ["Pt"] * 20)


def test_a_crystal_is_cut_to_a_ball(tmp_path: Path) -> None:
    text = """data_pt
_cell_length_a 3.92
_cell_length_b 3.92
_cell_length_c 3.92
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
_symmetry_Int_Tables_number 225
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Pt1 Pt 0 0 0
"""
    (tmp_path / "pt.cif").write_text(text)
    positions, elements = read_atoms(tmp_path / "pt.cif", radius=8.0)
    assert set(elements) == {"Pt"}
    # the centre is an octahedral hole: (h, k, l) a/2 with an odd sum, squares 1, 3, 5, 9, 11 and 13
    assert len(positions) == 6 + 8 + 24 + 30 + 24 + 24


def test_what_is_no_file_of_atoms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPhase, match="there is no starting model"):
        read_atoms(tmp_path / "missing.xyz", radius=8.0)
    (tmp_path / "bad.xyz").write_text("three\n\nPt 0 0 0\n")
    with pytest.raises(BadPhase, match="could not be read as atoms"):
        read_atoms(tmp_path / "bad.xyz", radius=8.0)
