"""Peak profiles: widths from instrument and sample, and the pseudo-Voigt nearest to both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SCHERRER = 0.9
"""Scherrer's constant for the full width at half maximum."""

LN2 = float(np.log(2))


@dataclass(frozen=True, slots=True)
class Resolution:
    """Gaussian width of the instrument: FWHM² = u tan²θ + v tanθ + w, all in deg².

    Caglioti, Paoletti & Ricci (1958), doi:10.1016/0369-643X(58)90029-X.
    """

    u: float = 0.0
    v: float = 0.0
    w: float = 0.004

    def fwhm(self, tan_theta: FloatArray) -> FloatArray:
        """Return the full width at half maximum [deg] at tangents of θ, at least 0.003°."""
        square = self.u * tan_theta**2 + self.v * tan_theta + self.w
        return np.sqrt(np.maximum(square, 1e-5))


def lorentzian_fwhm(
    tan_theta: FloatArray, *, wavelength: FloatArray | float, size: float, microstrain: float
) -> FloatArray:
    """Return the sample's Lorentzian full width 0.9 λ / (L cosθ) + 4 ε tanθ, in degrees.

    Parameters
    ----------
    size : L [Å], volume-weighted column length (Scherrer).
    microstrain : ε = Δd/d, dimensionless (Stokes–Wilson: ε = β / (4 tanθ)).
    """
    secant = np.sqrt(1 + tan_theta**2)
    return np.degrees(SCHERRER * wavelength / size * secant + 4 * microstrain * tan_theta)


def pseudo_voigt_shape(
    gaussian: FloatArray, lorentzian: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return full width H and mixing η of the pseudo-Voigt nearest to a Voigt profile.

    Thompson, Cox & Hastings (1987), doi:10.1107/S0021889887087090.

    Parameters
    ----------
    gaussian, lorentzian : full widths at half maximum of the two components, alike in unit.
    """
    g, ell = gaussian, lorentzian
    # Horner's form of G⁵ + 2.69269 G⁴L + 2.42843 G³L² + 4.47163 G²L³ + 0.07842 GL⁴ + L⁵.
    fifth = ell + 0.07842 * g
    fifth = fifth * ell + 4.47163 * g**2
    fifth = fifth * ell + 2.42843 * g**3
    fifth = fifth * ell + 2.69269 * g**4
    fifth = fifth * ell + g**5
    width = fifth**0.2
    q = ell / width
    return width, q * (1.36603 + q * (-0.47719 + q * 0.11116))
