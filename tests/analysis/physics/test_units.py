import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.physics.units import (
    DEFAULT_UNITS,
    d_spacing_from_two_theta,
    energy_from_wavelength,
    q_from_d_spacing,
    q_from_two_theta,
    two_theta_from_d_spacing,
    two_theta_from_q,
    wavelength_from_energy,
)

ANGLES = st.floats(0.5, 175)
WAVELENGTHS = st.floats(0.1, 5)


@settings(deadline=None)
@given(two_theta=ANGLES, wavelength=WAVELENGTHS)
def test_angle_and_momentum_transfer_are_inverse(two_theta: float, wavelength: float) -> None:
    q = q_from_two_theta(two_theta=two_theta, wavelength=wavelength)
    assert two_theta_from_q(q=q, wavelength=wavelength) == pytest.approx(two_theta, rel=1e-9)


@settings(deadline=None)
@given(two_theta=ANGLES, wavelength=WAVELENGTHS)
def test_spacing_times_momentum_transfer_is_two_pi(two_theta: float, wavelength: float) -> None:
    d = d_spacing_from_two_theta(two_theta=two_theta, wavelength=wavelength)
    q = q_from_two_theta(two_theta=two_theta, wavelength=wavelength)
    assert q_from_d_spacing(d_spacing=d) == pytest.approx(q, rel=1e-12)
    assert two_theta_from_d_spacing(d_spacing=d, wavelength=wavelength) == pytest.approx(
        two_theta, rel=1e-9
    )


def test_silicon_111_stands_where_the_certificate_says() -> None:
    # SRM 640: 28.441° for Cu Kα1 (a = 5.43102 Å).
    d = 5.43102 / np.sqrt(3)
    assert two_theta_from_d_spacing(d_spacing=d, wavelength=1.5405929) == pytest.approx(
        28.441, abs=0.002
    )


def test_copper_k_alpha_has_8048_ev() -> None:
    assert energy_from_wavelength(wavelength=1.5405929) == pytest.approx(8047.8, abs=0.2)
    assert wavelength_from_energy(energy=8047.8) == pytest.approx(1.5406, abs=1e-4)


def test_a_spacing_below_half_the_wavelength_has_no_angle() -> None:
    with pytest.raises(ValueError, match="no angle reaches"):
        two_theta_from_d_spacing(d_spacing=0.5, wavelength=1.54)


def test_arrays_are_converted_element_by_element() -> None:
    two_theta = np.array([20.0, 60.0])
    q = q_from_two_theta(two_theta=two_theta, wavelength=1.54)
    assert q.shape == (2,)
    assert q[1] == pytest.approx(q_from_two_theta(two_theta=60.0, wavelength=1.54))


def test_every_quantity_of_diffraction_has_a_default_unit() -> None:
    for quantity in ("two_theta", "q", "wavelength", "crystallite_size", "displacement"):
        assert quantity in DEFAULT_UNITS
