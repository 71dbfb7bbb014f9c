import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.physics.cell import scale_cell
from analysis.physics.reflections import reflections
from analysis.physics.structures import structure
from analysis.xrd.forward import (
    CU_K_ALPHA,
    PhaseState,
    Radiation,
    Resolution,
    column,
    displacement_from_height,
    march_dollase,
    pattern,
    phase_columns,
)
from analysis.xrd.profile import lorentzian_fwhm, pseudo_voigt_shape

K_ALPHA_1 = Radiation(lines=((1.5405929, 1.0),))
SHARP = Resolution(w=0.0009)
LARGE = {"size": 1e6, "microstrain": 0.0}


def maximum_near(x: np.ndarray, y: np.ndarray, where: float) -> float:
    near = np.abs(x - where) < 0.3
    return float(x[near][np.argmax(y[near])])


# Cu Kα1 positions [deg]: silicon SRM 640, LaB6 SRM 660 (certificates), halite NBS circular 539
# (whose angles rest on spacings rounded to 0.001 Å, and its 111 on one rounded to 0.01 Å).
@pytest.mark.parametrize(
    ("name", "angles", "tolerance"),
    [
        ("silicon", (28.442, 47.302, 56.121, 69.129, 76.375), 0.005),
        ("lab6", (21.358, 30.385, 37.442, 43.506, 48.957), 0.005),
        ("halite", (31.692, 45.449, 56.477), 0.015),
    ],
)
def test_peaks_stand_where_the_certificates_say(
    name: str, angles: tuple[float, ...], tolerance: float
) -> None:
    x = np.arange(20, 80, 0.002)
    y = pattern(x, [PhaseState(structure(name), **LARGE)], radiation=K_ALPHA_1, resolution=SHARP)
    for angle in angles:
        assert maximum_near(x, y, angle) == pytest.approx(angle, abs=tolerance)


def test_k_alpha_2_follows_at_the_higher_angle_with_half_the_area() -> None:
    x = np.arange(120, 140, 0.002)
    lab6 = PhaseState(structure("lab6"), **LARGE)
    y = column(x, lab6, radiation=CU_K_ALPHA, resolution=SHARP)
    first = column(x, lab6, radiation=K_ALPHA_1, resolution=SHARP)
    peak = x[np.argmax(first)]
    second = 2 * np.degrees(np.arcsin(np.sin(np.radians(peak / 2)) * 1.5444274 / 1.5405929))
    assert maximum_near(x, y * (np.abs(x - second) < 0.2), second) == pytest.approx(
        second, abs=0.01
    )
    height = y[np.argmin(np.abs(x - second))] / y[np.argmin(np.abs(x - peak))]
    assert height == pytest.approx(0.5, abs=0.02)  # the doublet is resolved here


def test_displacement_moves_peaks_by_its_cosine_and_zero_shift_moves_all_alike() -> None:
    x = np.arange(20, 100, 0.002)
    lab6 = PhaseState(structure("lab6"), **LARGE)
    for angle in (21.36, 95.67):
        still, moved, shifted = (
            maximum_near(x, column(x, lab6, radiation=K_ALPHA_1, resolution=SHARP, **shift), angle)
            for shift in ({}, {"displacement": 0.1}, {"zero_shift": 0.1})
        )
        cosine = np.cos(np.radians(angle / 2))
        assert moved - still == pytest.approx(0.1 * cosine, abs=0.003)
        assert shifted - still == pytest.approx(0.1, abs=0.003)


def test_a_tenth_of_a_millimetre_moves_peaks_by_hundredths_of_a_degree() -> None:
    shift = displacement_from_height(height_mm=0.1, goniometer_radius_mm=173)
    assert shift == pytest.approx(np.degrees(0.2 / 173))


def test_lorentz_polarisation_has_its_textbook_values() -> None:
    angles = np.array([30.0, 90.0])
    theta = np.radians(angles / 2)
    expected = (1 + np.cos(2 * theta) ** 2) / (2 * np.sin(theta) ** 2 * np.cos(theta))
    np.testing.assert_allclose(CU_K_ALPHA.lorentz_polarisation(angles), expected)
    graphite = Radiation(CU_K_ALPHA.lines, monochromator_two_theta=26.6)
    assert graphite.polarisation == pytest.approx(0.7995, abs=1e-4)
    ratio = graphite.lorentz_polarisation(angles) / expected
    assert ratio[1] == pytest.approx(2 / (1 + graphite.polarisation))


def test_width_of_small_crystals_is_scherrers() -> None:
    x = np.arange(25, 32, 0.002)
    silicon = PhaseState(structure("silicon"), size=200.0, microstrain=0.0)
    y = column(x, silicon, radiation=K_ALPHA_1, resolution=Resolution(w=1e-5))
    above = x[y > y.max() / 2]
    theta = np.radians(28.442 / 2)
    scherrer = np.degrees(0.9 * 1.5405929 / (200.0 * np.cos(theta)))
    assert above[-1] - above[0] == pytest.approx(scherrer, rel=0.01)


def test_strain_broadening_grows_with_the_tangent() -> None:
    tangent = np.array([0.1, 0.5, 1.0])
    width = lorentzian_fwhm(tangent, wavelength=1.54, size=1e12, microstrain=1e-3)
    np.testing.assert_allclose(width, np.degrees(4e-3 * tangent), rtol=1e-6)


@settings(deadline=None)
@given(st.floats(0.01, 1.0))
def test_pure_components_keep_their_width(width: float) -> None:
    zero, one = np.array([0.0]), np.array([width])
    gaussian, eta = pseudo_voigt_shape(one, zero)
    assert (gaussian[0], eta[0]) == (pytest.approx(width), 0.0)
    lorentzian, eta = pseudo_voigt_shape(zero, one)
    assert (lorentzian[0], eta[0]) == (pytest.approx(width), pytest.approx(1.0, abs=1e-4))


@pytest.mark.parametrize("r", [0.5, 0.8, 1.5])
def test_texture_redistributes_intensity_but_keeps_its_mean_over_the_sphere(r: float) -> None:
    """Reflections of a triclinic-like dense set of directions average to one."""
    cosine = np.linspace(-1, 1, 200001)
    factor = (r**2 * cosine**2 + (1 - cosine**2) / r) ** -1.5
    assert factor.mean() == pytest.approx(1.0, abs=1e-4)


def test_plates_lying_flat_show_more_of_their_normal() -> None:
    listed = reflections(structure("zincite"), d_min=1.0, wavelength=1.5406)
    cell = structure("zincite").cell
    flat = march_dollase(listed, cell=cell, axis=(0, 0, 1), r=0.7)
    order = [tuple(hkl) for hkl in listed.hkl.tolist()]
    assert flat[order.index((0, 0, 2))] == pytest.approx(0.7**-3)
    hk0 = next(i for i, hkl in enumerate(order) if hkl[2] == 0)
    assert flat[hk0] == pytest.approx(0.7**1.5)
    np.testing.assert_allclose(march_dollase(listed, cell=cell, axis=(0, 0, 1), r=1.0), 1.0)


def test_cubic_equivalents_of_the_axis_share_the_texture() -> None:
    listed = reflections(structure("halite"), d_min=1.0, wavelength=1.5406)
    cell = structure("halite").cell
    along_c, along_a = (
        march_dollase(listed, cell=cell, axis=axis, r=0.6) for axis in ((0, 0, 1), (1, 0, 0))
    )
    np.testing.assert_allclose(along_c, along_a)


def test_strained_lattice_moves_peaks_to_lower_angle() -> None:
    x = np.arange(20, 80, 0.01)
    rutile = structure("rutile")
    strained = PhaseState(rutile, cell=scale_cell(rutile, 1.005))
    free = PhaseState(rutile)
    angles = [x[np.argmax(pattern(x, [phase]))] for phase in (free, strained)]
    assert angles[1] < angles[0]


def test_a_reference_intensity_ratio_comes_out_of_columns_per_unit_mass() -> None:
    """Zincite (101) to corundum (113), 1 : 1 by mass: I/Ic = 5.4 (ICDD 36-1451: 5.44 measured)."""
    x = np.arange(20, 60, 0.01)
    states = [PhaseState(structure(name), **LARGE) for name in ("zincite", "corundum")]
    zincite, corundum = phase_columns(x, states, resolution=Resolution(w=0.0025)).T
    ratio = zincite[np.abs(x - 36.3) < 0.5].sum() / corundum[np.abs(x - 43.4) < 0.5].sum()
    assert ratio == pytest.approx(5.44, rel=0.06)  # the card's own uncertainty


@settings(max_examples=25, deadline=None)
@given(weight=st.floats(0.01, 0.99), factor=st.floats(0.1, 10))
def test_patterns_add_and_scale(weight: float, factor: float) -> None:
    x = np.arange(20, 60, 0.05)
    pair = (structure("rutile"), structure("anatase"))
    weights = (weight, 1 - weight)
    states = [PhaseState(c, weight_fraction=w) for c, w in zip(pair, weights, strict=True)]
    together = pattern(x, states)
    alone = [pattern(x, [state]) for state in states]
    np.testing.assert_allclose(together, alone[0] + alone[1])
    scaled = [PhaseState(s.crystal, weight_fraction=factor * s.weight_fraction) for s in states]
    np.testing.assert_allclose(pattern(x, scaled), factor * together)


def test_a_shifted_grid_sees_the_same_curve() -> None:
    phase = [PhaseState(structure("quartz"))]
    whole = np.arange(20, 60, 0.05)
    part = whole[200:500]
    np.testing.assert_allclose(
        pattern(whole, phase)[200:500], pattern(part, phase), rtol=2e-3, atol=1e-3 * 1e-2
    )


def test_impossible_phases_are_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        PhaseState(structure("rutile"), size=-1)
