"""Default units of the analysis, and conversions between a peak's coordinates.

A name without a suffix is in the unit of `DEFAULT_UNITS`. Conversions read *result from
ingredients* and take keywords, so a call says what it does:
``q_from_two_theta(two_theta=…, wavelength=…)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Numeric = TypeVar("Numeric", float, NDArray[np.float64])

DEFAULT_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "two_theta": "deg",
        "q": "1/Å",
        "d_spacing": "Å",
        "r": "Å",
        "wavelength": "Å",
        "energy": "eV",
        "energy_transfer": "meV",
        "k": "1/Å",
        "cell_length": "Å",
        "cell_angle": "deg",
        "b_iso": "Å²",
        "u_iso": "Å²",
        "crystallite_size": "Å",
        "microstrain": "",
        "weight_fraction": "",
        "displacement": "deg",
        "zero_shift": "deg",
        "mass": "g/mol",
        "linear_attenuation": "1/cm",
    }
)
"""Quantity → the unit of a name without suffix; the empty string is a pure number."""

PLANCK_TIMES_LIGHT = 12398.419843320026
"""h·c [eV Å], exact since the SI of 2019."""

CLASSICAL_ELECTRON_RADIUS = 2.8179403205e-5
"""r_e [Å], CODATA 2022."""


def q_from_two_theta(*, two_theta: Numeric, wavelength: float) -> Numeric:
    """Return the momentum transfer q = 4π sin(θ) / λ [1/Å] of angles 2θ [deg]."""
    q: Numeric = 4 * np.pi * np.sin(np.radians(two_theta) / 2) / wavelength
    return q


def two_theta_from_q(*, q: Numeric, wavelength: float) -> Numeric:
    """Return the angle 2θ [deg] of momentum transfers [1/Å].

    Raises
    ------
    ValueError
        A q lies beyond 4π / λ, which no angle reaches.
    """
    return _two_theta(q * wavelength / (4 * np.pi), what="q", wavelength=wavelength)


def d_spacing_from_two_theta(*, two_theta: Numeric, wavelength: float) -> Numeric:
    """Return Bragg's d = λ / (2 sin θ) [Å] of angles 2θ [deg]."""
    d_spacing: Numeric = wavelength / (2 * np.sin(np.radians(two_theta) / 2))
    return d_spacing


def two_theta_from_d_spacing(*, d_spacing: Numeric, wavelength: float) -> Numeric:
    """Return the Bragg angle 2θ [deg] of lattice spacings [Å].

    Raises
    ------
    ValueError
        A spacing is below λ / 2, which no angle reaches.
    """
    return _two_theta(wavelength / (2 * d_spacing), what="d_spacing", wavelength=wavelength)


def q_from_d_spacing(*, d_spacing: Numeric) -> Numeric:
    """Return q = 2π / d [1/Å] of lattice spacings [Å]."""
    return 2 * np.pi / d_spacing


def energy_from_wavelength(*, wavelength: float) -> float:
    """Return the photon energy h c / λ [eV]."""
    return PLANCK_TIMES_LIGHT / wavelength


def wavelength_from_energy(*, energy: float) -> float:
    """Return the wavelength h c / E [Å] of a photon energy [eV]."""
    return PLANCK_TIMES_LIGHT / energy


def u_iso_from_b_iso(*, b_iso: float) -> float:
    """Return the mean square displacement B / (8π²) [Å²]."""
    return b_iso / (8 * np.pi**2)


def _two_theta(sine: Numeric, *, what: str, wavelength: float) -> Numeric:
    if np.any(np.asarray(sine) > 1):
        raise ValueError(
            f"sin θ would be {float(np.max(sine)):.3g}: at a wavelength of {wavelength:g} Å no "
            f"angle reaches that {what}; use a shorter wavelength or cut the list"
        )
    two_theta: Numeric = 2 * np.degrees(np.arcsin(sine))
    return two_theta
