import numpy as np

from analysis.physics.structures import structure
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, pattern
from analysis.xrd.peaks import Peaks, find_peaks, strip_second_line
from analysis.xrd.radiation import Radiation

TWO_THETA = np.arange(10.0, 100.0, 0.02)
ALPHA_1 = CU_K_ALPHA.wavelength


def peaks_of(name: str, *, displacement: float = 0.0) -> Peaks:
    drawn = pattern(TWO_THETA, [PhaseState(structure(name))], displacement=displacement)
    counts = np.random.default_rng(0).poisson(20000 * drawn / drawn.max() + 50.0)
    return find_peaks(TWO_THETA, counts.astype(float), radiation=CU_K_ALPHA)


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
    np.testing.assert_allclose(whole.significance, half.significance, rtol=1e-6)


def test_strong_peaks_stand_out_more() -> None:
    found = peaks_of("rutile")
    order = np.argsort(found.height)
    # Noise grows with the square root of the counts, so significance rises with height.
    assert np.all(np.diff(found.significance[order]) > -0.05 * found.significance.max())
    assert found.significance.min() >= 5.0


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
