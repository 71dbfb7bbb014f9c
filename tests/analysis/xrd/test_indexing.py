import numpy as np
import pytest

from analysis.physics.structures import structure
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, pattern
from analysis.xrd.indexing.search import figure_of_merit, search
from analysis.xrd.peaks import Peaks, find_peaks, strip_second_line
from analysis.xrd.radiation import Radiation

TWO_THETA = np.arange(10.0, 100.0, 0.02)
ALPHA_1 = CU_K_ALPHA.wavelength


def peaks_of(name: str, *, displacement: float = 0.0) -> Peaks:
    drawn = pattern(TWO_THETA, [PhaseState(structure(name))], displacement=displacement)
    counts = np.random.default_rng(0).poisson(20000 * drawn / drawn.max() + 50.0)
    return find_peaks(TWO_THETA, counts.astype(float), radiation=CU_K_ALPHA)


@pytest.mark.parametrize(
    ("name", "system", "centring"),
    [
        ("lab6", "cubic", "P"),
        ("rutile", "tetragonal", "P"),
        ("corundum", "hexagonal", "R"),
        ("fluorite", "cubic", "F"),
    ],
)
def test_known_cells_are_found(name: str, system: str, centring: str) -> None:
    best = search(peaks_of(name).two_theta, wavelength=ALPHA_1)[0]
    cell = structure(name).cell
    assert (best.system, best.centring) == (system, centring)
    # Positions are good to 0.01°, which is 0.1 % of a spacing at low angle.
    assert sorted((best.a, best.c)) == pytest.approx(sorted((cell[0], cell[2])), rel=1e-3)


def test_displacement_is_told_from_the_cell() -> None:
    best = search(peaks_of("lab6", displacement=0.05).two_theta, wavelength=ALPHA_1)[0]
    assert best.a == pytest.approx(structure("lab6").cell[0], rel=1e-3)
    assert best.displacement == pytest.approx(0.05, abs=0.02)


def test_peaks_of_lab6_stand_at_their_bragg_angles() -> None:
    found = peaks_of("lab6").two_theta
    a = structure("lab6").cell[0]
    wanted = 2 * np.degrees(np.arcsin(ALPHA_1 * np.sqrt([1, 2, 3, 4, 5, 6]) / (2 * a)))
    np.testing.assert_allclose(found[:6], wanted, atol=0.01)  # half a step


def test_scaled_counts_have_the_same_peaks() -> None:
    drawn = pattern(TWO_THETA, [PhaseState(structure("lab6"))])
    counts = np.random.default_rng(1).poisson(5000 * drawn / drawn.max() + 50.0).astype(float)
    whole, half = (find_peaks(TWO_THETA, s * counts, radiation=CU_K_ALPHA) for s in (1.0, 0.5))
    np.testing.assert_allclose(whole.two_theta, half.two_theta, atol=1e-6)


def test_stripping_leaves_what_the_first_line_alone_gives() -> None:
    phases = [PhaseState(structure("lab6"), size=400.0)]
    both = pattern(TWO_THETA, phases)
    one = pattern(TWO_THETA, phases, radiation=Radiation(CU_K_ALPHA.lines[:1])) * 2 / 3
    stripped = strip_second_line(TWO_THETA, both, radiation=CU_K_ALPHA)
    # Lines of both wavelengths are broadened a little differently, and the grid is coarse.
    assert np.abs(stripped - one).max() < 0.03 * one.max()


def test_noise_alone_has_hardly_a_peak() -> None:
    counts = np.random.default_rng(2).poisson(100.0, len(TWO_THETA)).astype(float)
    # 4,500 points, about 600 of them independent after smoothing.
    assert len(find_peaks(TWO_THETA, counts, radiation=CU_K_ALPHA)) < 30


def test_merit_falls_with_superfluous_lines() -> None:
    observed = np.array([1.0, 2.0, 3.0, 4.0]) * 1.001
    sparse, dense = np.arange(1.0, 9.0), np.arange(0.5, 9.0, 0.5)
    assert figure_of_merit(observed, sparse) > 1.5 * figure_of_merit(observed, dense)


def test_no_cell_is_told_twice() -> None:
    found = search(peaks_of("rutile").two_theta, wavelength=ALPHA_1)
    told = [(c.system, *np.round(sorted((c.a, c.b, c.c)), 3)) for c in found]
    assert len(told) == len(set(told))


def test_a_foreign_line_does_not_hide_the_cell() -> None:
    # At 32.1° no small multiple of the cell has a line; at 33.3° the doubled cell would win.
    lines = np.sort(np.append(peaks_of("rutile").two_theta, 32.1))
    best = search(lines, wavelength=ALPHA_1)[0]
    assert best.system == "tetragonal"
    assert best.n_lines - best.n_indexed == 1


def test_four_lines_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        search(np.array([20.0, 30.0, 40.0, 50.0]), wavelength=ALPHA_1)
