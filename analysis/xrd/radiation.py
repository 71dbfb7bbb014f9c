"""Radiation: what is scattered, its wavelengths, and the polarisation a monochromator leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.physics.reflections import Probe

FloatArray = NDArray[np.float64]

GRAPHITE_TWO_THETA = 26.6
"""Angle 2θ [deg] at which a graphite (002) monochromator takes Cu Kα."""


@dataclass(frozen=True, slots=True)
class Radiation:
    """X-rays of one or several wavelengths, or neutrons of a constant one.

    Attributes
    ----------
    lines : (wavelength [Å], relative weight) of each line.
    monochromator_two_theta : diffraction angle [deg] of a crystal monochromator in the beam, None
        without one.
    probe : ``x-ray`` or ``neutron``.
    """

    lines: tuple[tuple[float, float], ...]
    monochromator_two_theta: float | None = None
    probe: Probe = "x-ray"

    def __post_init__(self) -> None:
        if not self.lines or any(not (w > 0 and share > 0) for w, share in self.lines):
            raise ValueError(
                f"radiation needs lines of positive wavelength and weight, found {self.lines}"
            )

    @property
    def wavelength(self) -> float:
        """Wavelength [Å] of the strongest line."""
        return max(self.lines, key=lambda line: line[1])[0]

    @property
    def shares(self) -> FloatArray:
        """(n_lines,) weights that sum to 1."""
        weights = np.array([weight for _, weight in self.lines], dtype=np.float64)
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    @property
    def polarisation(self) -> float:
        """Polarisation ratio k = cos² 2θ_m of the monochromator, 1 without one."""
        if self.monochromator_two_theta is None:
            return 1.0
        return float(np.cos(np.radians(self.monochromator_two_theta)) ** 2)

    def lorentz_polarisation(self, two_theta: FloatArray) -> FloatArray:
        """Return (1 + k cos² 2θ) / ((1 + k) sin² θ cos θ), for neutrons 1 / (sin² θ cos θ).

        Of a flat-plate powder.

        A monochromator polarises X-rays; nuclei scatter neutrons alike in all directions.
        """
        theta = np.radians(two_theta) / 2
        if self.probe == "neutron":
            return np.asarray(1.0 / (np.sin(theta) ** 2 * np.cos(theta)), dtype=np.float64)
        k = self.polarisation
        return (1 + k * np.cos(2 * theta) ** 2) / ((1 + k) * np.sin(theta) ** 2 * np.cos(theta))


CU_K_ALPHA = Radiation(lines=((1.5405929, 2.0), (1.5444274, 1.0)))
"""Cu Kα1 and Kα2 at 2 : 1 without monochromator; Hölzer et al. (1997),
doi:10.1103/PhysRevA.56.4554."""
