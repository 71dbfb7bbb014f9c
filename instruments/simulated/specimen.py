"""What the simulated diffractometer is told of a sample, and what it tells of its own optics.

The physics of diffraction is passed in by whoever sets up the laboratory, because instruments do
not know how a pattern is analysed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instruments.sample import Sample

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Optics:
    """The diffractometer during one scan.

    Attributes
    ----------
    lines : (wavelength [Å], relative weight) of everything the tube and its filter let through.
    caglioti : u, v, w [deg²] of the Gaussian resolution, FWHM² = u tan²θ + v tanθ + w.
    displacement : height of the sample above the focusing circle, over the radius.
    zero_shift : error of the 2θ scale [deg].
    texture : March coefficient that mounting adds; 1 is none.
    """

    lines: tuple[tuple[float, float], ...]
    caglioti: tuple[float, float, float]
    displacement: float = 0.0
    zero_shift: float = 0.0
    texture: float = 1.0


@dataclass(frozen=True, slots=True)
class Specimen:
    """What a sample does to the beam.

    Attributes
    ----------
    bragg : (two_theta, optics) → intensity of its Bragg peaks; 1 is the strongest point of the
        standard that the laboratory's intensities are quoted for.
    amorphous : weight fraction that scatters without peaks.
    fluorescence : isotropic background, in units of the air scatter at 2θ = 20°.
    """

    bragg: Callable[[FloatArray, Optics], FloatArray]
    amorphous: float
    fluorescence: float


Truth = Callable[[Sample], Specimen]
"""Sample → what it is. Raises ValueError, with a sentence, if its record does not tell."""


def air_scatter(two_theta: FloatArray) -> FloatArray:
    """Return the scatter of air and slits, 1 at 2θ = 20°, falling with the irradiated path."""
    return np.asarray((20.0 / two_theta) ** 1.5, dtype=np.float64)


def amorphous_halo(two_theta: FloatArray, *, wavelength: float) -> FloatArray:
    """Return the two broad maxima of disordered titania, 1 at the first.

    They stand near q = 1.95 and 3.6 Å⁻¹, where an oxide glass of that density has them; widths
    and the ratio are rounded.
    """
    q = 4.0 * np.pi * np.sin(np.radians(two_theta) / 2.0) / wavelength
    first = np.exp(-0.5 * ((q - 1.95) / 0.28) ** 2)
    second = 0.35 * np.exp(-0.5 * ((q - 3.6) / 0.5) ** 2)
    return np.asarray(first + second, dtype=np.float64)
