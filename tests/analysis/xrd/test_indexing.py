import gemmi
import numpy as np
import pytest

from analysis.physics.crystal import Cell
from analysis.physics.structures import structure
from analysis.xrd.forward import CU_K_ALPHA
from analysis.xrd.indexing.evidence import match
from analysis.xrd.indexing.forms import (
    N_FREE,
    SYSTEMS,
    cell_of,
    distinct,
    form,
    indices,
    reciprocal_metric,
    reduced,
    volume,
)
from analysis.xrd.indexing.lines import Lines, lines_at, lines_of
from analysis.xrd.indexing.refining import refine
from analysis.xrd.indexing.scoring import score
from analysis.xrd.indexing.search import search, search_system
from tests.analysis.xrd.test_peaks import peaks_of

ALPHA_1 = CU_K_ALPHA.wavelength

FREE = {
    "cubic": [0.04],
    "tetragonal": [0.04, 0.02],
    "hexagonal": [0.04, 0.02],
    "orthorhombic": [0.04, 0.03, 0.02],
    "monoclinic": [0.02, 0.03, 0.04, 0.01],
    "triclinic": [0.02, 0.03, 0.04, 0.006, -0.004, 0.009],
}


def lines_of_cell(
    cell: Cell, *, centring: str = "P", n: int = 20, rng: np.random.Generator, std: float = 0.008
) -> Lines:
    """The first resolved lines of a lattice, with errors as a diffractometer makes them."""
    unit_cell = gemmi.UnitCell(*cell)
    hkl = gemmi.make_miller_array(unit_cell, gemmi.SpaceGroup(f"{centring} 1"), 1.2, 0.0, True)
    q = np.sort(unit_cell.calculate_1_d2_array(hkl))
    two_theta = 2 * np.degrees(np.arcsin(np.sqrt(q) * ALPHA_1 / 2))
    resolved = two_theta[np.concatenate([[True], np.diff(two_theta) > 0.05])][:n]
    return lines_at(
        resolved + rng.normal(0.0, std, len(resolved)),
        np.full(len(resolved), 0.05),
        wavelength=ALPHA_1,
    )


@pytest.mark.parametrize("system", SYSTEMS)
def test_forms_give_the_spacings_of_their_cell(system: str) -> None:
    free = np.array(FREE[system])
    hkl = indices(2, 6)
    cell = gemmi.UnitCell(*cell_of(free, system=system))
    expected = cell.calculate_1_d2_array(hkl.astype(np.int32))
    np.testing.assert_allclose(form(hkl, system=system) @ free, expected, rtol=1e-9)
    assert volume(free, system=system) == pytest.approx(cell.volume, rel=1e-9)
    metric = reciprocal_metric(free, system=system)
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", hkl, metric, hkl), expected, rtol=1e-9)
    assert len(free) == N_FREE[system]


def test_a_flat_metric_has_no_volume() -> None:
    assert np.isnan(volume(np.array([0.02, 0.03, 0.02, 0.05]), system="monoclinic"))


def test_an_unknown_system_is_named() -> None:
    with pytest.raises(ValueError, match="'rhombic'"):
        form(indices(1, 1), system="rhombic")


@pytest.mark.parametrize(
    ("name", "system", "centring"),
    [
        ("lab6", "cubic", "P"),
        ("rutile", "tetragonal", "P"),
        ("corundum", "hexagonal", "R"),
        ("fluorite", "cubic", "F"),
        ("anatase", "tetragonal", "I"),
        ("brookite", "orthorhombic", "P"),
    ],
)
def test_known_cells_are_found_in_their_system(name: str, system: str, centring: str) -> None:
    best = search_system(lines_of(peaks_of(name), wavelength=ALPHA_1), system=system)
    assert best is not None
    cell = structure(name).cell
    assert best.centring == centring
    # Positions are good to 0.01°, which is 0.1 % of a spacing at low angle.
    assert sorted(best.cell[:3]) == pytest.approx(sorted(cell[:3]), rel=1e-3)


@pytest.mark.parametrize(
    ("cell", "system"),
    [
        ((5.15, 5.21, 5.32, 90.0, 99.2, 90.0), "monoclinic"),
        ((7.60, 6.49, 6.67, 90.0, 110.1, 90.0), "monoclinic"),
        ((7.12, 7.85, 5.57, 90.0, 90.5, 101.6), "triclinic"),
        ((5.15, 6.42, 7.31, 94.0, 103.0, 97.0), "triclinic"),
    ],
)
def test_cells_of_low_symmetry_are_found(cell: Cell, system: str) -> None:
    lines = lines_of_cell(cell, rng=np.random.default_rng(0))
    best = search_system(lines, system=system)
    assert best is not None
    wanted = reduced(cell, centring="P")
    # Twenty lines to 0.008° know each length to better than 3 parts in 1,000.
    np.testing.assert_allclose(reduced(best.cell, centring=best.centring), wanted, rtol=3e-3)


def test_displacement_is_told_from_the_cell() -> None:
    lines = lines_of(peaks_of("lab6", displacement=0.05), wavelength=ALPHA_1)
    best = search_system(lines, system="cubic")
    assert best is not None
    assert best.cell[0] == pytest.approx(structure("lab6").cell[0], rel=1e-3)
    assert best.displacement == pytest.approx(0.05, abs=0.02)


def test_a_foreign_line_does_not_hide_the_cell() -> None:
    own = lines_of(peaks_of("rutile"), wavelength=ALPHA_1)
    two_theta = np.sort(np.append(own.two_theta, [24.3, 32.1]))
    lines = lines_at(two_theta, np.full(len(two_theta), 0.1), wavelength=ALPHA_1)
    best = search_system(lines, system="tetragonal")
    assert best is not None
    assert best.volume == pytest.approx(structure("rutile").volume, rel=2e-3)
    assert (np.abs(best.found.residual) > 0.06).sum() == 2


def test_the_volume_is_as_uncertain_as_it_says() -> None:
    cell = (5.1, 6.3, 8.2, 90.0, 90.0, 90.0)
    scores = []
    for seed in range(8):
        lines = lines_of_cell(cell, rng=np.random.default_rng(seed))
        best = search_system(lines, system="orthorhombic")
        assert best is not None
        scores.append((best.volume / (5.1 * 6.3 * 8.2) - 1) / best.relative_volume_std)
    # Eight draws of a normal distribution: root mean square within a factor of two of one.
    assert 0.4 < np.sqrt(np.mean(np.square(scores))) < 2.0


def test_superfluous_reflections_cost_evidence() -> None:
    lines = lines_of_cell((5.0, 5.0, 5.0, 90.0, 90.0, 90.0), n=12, rng=np.random.default_rng(1))
    true = match(distinct("cubic") @ np.array([0.04]), 0.0, lines)
    doubled = match(distinct("cubic") @ np.array([0.01]), 0.0, lines)
    assert true is not None
    assert doubled is not None
    assert true.evidence > doubled.evidence + 5
    assert true.merit > 2 * doubled.merit


def test_lines_at_random_speak_against_a_cell() -> None:
    rng = np.random.default_rng(2)
    angles = np.sort(rng.uniform(15.0, 70.0, 20))
    lines = lines_at(angles, np.full(20, 0.05), wavelength=ALPHA_1)
    found = match(distinct("cubic") @ np.array([0.04]), 0.0, lines)
    assert found is not None
    assert found.evidence < 0


def test_the_score_counts_lines_near_reflections() -> None:
    lines = lines_of_cell(
        (5.0, 5.0, 5.0, 90.0, 90.0, 90.0), n=12, rng=np.random.default_rng(3), std=0.0
    )
    right, wrong = score(np.array([[0.04], [0.0417]]), distinct("cubic"), lines)
    assert right > 0 > wrong


def test_refinement_returns_to_the_true_cell() -> None:
    cell = (9.75, 8.99, 5.25, 90.0, 105.9, 90.0)
    lines = lines_of_cell(cell, rng=np.random.default_rng(4), std=1e-4)
    reciprocal = gemmi.UnitCell(*cell).reciprocal()
    cosine = np.cos(np.radians(reciprocal.beta))
    a, b, c = reciprocal.a, reciprocal.b, reciprocal.c
    true = np.array([a * a, b * b, c * c, 2 * a * c * cosine])
    found = refine(1.0005 * true[None], distinct("monoclinic"), lines)
    np.testing.assert_allclose(found.free[0], true, rtol=2e-4)


def test_four_lines_are_refused() -> None:
    angles = np.array([20.0, 30.0, 40.0, 50.0])
    with pytest.raises(ValueError, match="at least 5"):
        search(lines_at(angles, np.full(4, 0.05), wavelength=ALPHA_1))


def test_weak_peaks_are_probably_foreign() -> None:
    peaks = peaks_of("rutile")
    lines = lines_of(peaks, wavelength=ALPHA_1)
    strongest = peaks.two_theta[np.argmax(peaks.height)]
    assert lines.foreign[lines.two_theta == strongest] == pytest.approx(lines.foreign.min())
    assert lines.foreign.max() < 0.55
