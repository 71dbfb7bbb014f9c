"""Forward model: phases and an instrument → the noise-free powder pattern.

Columns are intensities per unit mass, m |F|² / (V M) times the Lorentz-polarisation factor, so
the scale factors of a mixture's columns are its mass fractions (the Z·M·V rule of Hill & Howard
1987, doi:10.1107/S0021889887086199).

Peaks stand at 2θ = 2θ_Bragg + displacement · cosθ + zero_shift, in degrees: `displacement` is the
shift at 2θ → 0 of a sample out of the focusing circle (see `displacement_from_height`).

Not modelled here: axial-divergence asymmetry, microabsorption, extinction, transparency, a sample
smaller than the beam, Kα satellites, anisotropic size or strain, and the background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analysis.physics.cell import reciprocal_metric
from analysis.physics.crystal import Cell, Crystal
from analysis.physics.reflections import Reflections, reflections
from analysis.xrd.drawing import Peaks, draw, peaks_of_area
from analysis.xrd.profile import Resolution, lorentzian_fwhm, pseudo_voigt_shape
from analysis.xrd.radiation import CU_K_ALPHA, Radiation

__all__ = [
    "CU_K_ALPHA",
    "PhaseState",
    "Radiation",
    "Resolution",
    "column",
    "displacement_from_height",
    "march_dollase",
    "pattern",
    "peaks",
    "phase_columns",
]

FloatArray = NDArray[np.float64]

D_MIN_MARGIN = 0.97
"""Reflections are computed down to this share of the grid's smallest spacing, so that strained
cells and tails from beyond the end are seen, and the cached list serves every nearby cell."""

D_MIN_RUNG = 1.04
"""Ratio of neighbouring smallest spacings for which lists are computed."""


LARGEST_SINE = 0.999999
"""Sine of θ at which reflections beyond 2θ = 180° are kept, without height."""


@dataclass(frozen=True, slots=True)
class PhaseState:
    """One phase as it is in a sample.

    Attributes
    ----------
    crystal : its structure.
    weight_fraction : share of the sample's crystalline mass, 0 … 1.
    cell : its cell in this sample [Å, deg], the crystal's own if None. It must keep the symmetry.
    size : volume-weighted column length (Scherrer) [Å].
    microstrain : ε = Δd/d, as in `lorentzian_fwhm`.
    texture_r : March's r along `texture_axis`; 1 is a random powder, below 1 plates lying flat.
    texture_axis : (h, k, l) of the preferred direction.
    b_extra : added to every atom's displacement parameter B [Å²].
    """

    crystal: Crystal
    weight_fraction: float = 1.0
    cell: Cell | None = None
    size: float = 1500.0
    microstrain: float = 3e-4
    texture_r: float = 1.0
    texture_axis: tuple[int, int, int] = (0, 0, 1)
    b_extra: float = 0.0

    def __post_init__(self) -> None:
        if not (self.size > 0 and self.texture_r > 0 and self.microstrain >= 0):
            raise ValueError(
                f"phase {self.crystal.name!r} has size {self.size:g} Å, March r "
                f"{self.texture_r:g} and microstrain {self.microstrain:g}; size and r must be "
                "positive, microstrain at least 0"
            )


def pattern(
    two_theta: FloatArray,
    phases: Sequence[PhaseState],
    *,
    radiation: Radiation = CU_K_ALPHA,
    resolution: Resolution = Resolution(),  # noqa: B008  (frozen)
    displacement: float = 0.0,
    zero_shift: float = 0.0,
) -> FloatArray:
    """Return the noise-free pattern of a mixture, (n_points,), without background.

    Parameters
    ----------
    two_theta : (n_points,) increasing angles 2θ [deg].
    phases : what the sample holds; each column is multiplied by its weight fraction.
    displacement : shift of peaks by displacement · cosθ [deg].
    zero_shift : constant shift of peaks [deg].
    """
    columns = phase_columns(
        two_theta,
        phases,
        radiation=radiation,
        resolution=resolution,
        displacement=displacement,
        zero_shift=zero_shift,
    )
    return np.asarray(columns @ np.array([p.weight_fraction for p in phases]), dtype=np.float64)


def phase_columns(
    two_theta: FloatArray,
    phases: Sequence[PhaseState],
    *,
    radiation: Radiation = CU_K_ALPHA,
    resolution: Resolution = Resolution(),  # noqa: B008
    displacement: float = 0.0,
    zero_shift: float = 0.0,
) -> FloatArray:
    """Return each phase's pattern per unit mass, (n_points, n_phases); weights are not applied."""
    out = np.empty((len(two_theta), len(phases)), order="F")
    for i, phase in enumerate(phases):
        out[:, i] = column(
            two_theta,
            phase,
            radiation=radiation,
            resolution=resolution,
            displacement=displacement,
            zero_shift=zero_shift,
        )
    return out


def column(
    two_theta: FloatArray,
    phase: PhaseState,
    *,
    radiation: Radiation,
    resolution: Resolution,
    displacement: float = 0.0,
    zero_shift: float = 0.0,
    anomalous: bool = True,
) -> FloatArray:
    """Return one phase's pattern per unit mass, (n_points,).

    Parameters
    ----------
    anomalous : False leaves out f′ and f″, to see what they do.
    """
    listed = peaks(
        two_theta,
        phase,
        radiation=radiation,
        resolution=resolution,
        displacement=displacement,
        zero_shift=zero_shift,
        anomalous=anomalous,
    )
    return draw(two_theta, listed)


def peaks(
    two_theta: FloatArray,
    phase: PhaseState,
    *,
    radiation: Radiation,
    resolution: Resolution,
    displacement: float = 0.0,
    zero_shift: float = 0.0,
    anomalous: bool = True,
) -> Peaks:
    """Return one phase's peaks per unit mass, (n_lines · n_reflections,), line after line.

    The list has the same peaks in the same order for every state of a phase: reflections that a
    wavelength does not reach have no height.

    Parameters
    ----------
    anomalous : as in `column`.
    """
    listed = reflections(
        phase.crystal,
        d_min=_d_min(two_theta, radiation),
        wavelength=radiation.wavelength,
        anomalous=anomalous,
        probe=radiation.probe,
    )
    d, strength = _strengths(
        listed, phase.crystal, phase.cell, phase.texture_r, phase.texture_axis, phase.b_extra
    )
    wavelength = np.array([wavelength for wavelength, _ in radiation.lines])[:, None]
    sine = wavelength / (2 * d)
    area = radiation.shares[:, None] * strength * (sine < 1)
    sine = np.minimum(sine, LARGEST_SINE)
    cosine = np.sqrt(1 - sine**2)
    tangent = sine / cosine
    bragg = 2 * np.degrees(np.arcsin(sine))
    gaussian = resolution.fwhm(tangent)
    lorentzian = lorentzian_fwhm(
        tangent, wavelength=wavelength, size=phase.size, microstrain=phase.microstrain
    )
    width, eta = pseudo_voigt_shape(gaussian, lorentzian)
    area *= radiation.lorentz_polarisation(bragg)
    position = bragg + displacement * cosine + zero_shift
    return peaks_of_area(position.ravel(), area=area.ravel(), width=width.ravel(), eta=eta.ravel())


@lru_cache(maxsize=64)
def _strengths(
    listed: Reflections,
    crystal: Crystal,
    cell: Cell | None,
    texture_r: float,
    texture_axis: tuple[int, int, int],
    b_extra: float,
) -> tuple[FloatArray, FloatArray]:
    """Return spacings [Å] and m |F|² / (V M) with displacement and texture, each (n,).

    Remembered, because most of what a fit moves leaves them alone; not to be changed.
    """
    metric = reciprocal_metric(cell or crystal.cell)
    d = listed.d
    if cell is not None:
        d = 1 / np.sqrt(((listed.hkl @ metric) * listed.hkl).sum(axis=1))
    strength = listed.multiplicity * listed.f2 * (np.sqrt(np.linalg.det(metric)) / _mass(crystal))
    if b_extra:
        strength = strength * np.exp(-b_extra / (2 * d**2))
    if texture_r != 1.0:
        strength = strength * march_dollase(
            listed, cell=cell or crystal.cell, axis=texture_axis, r=texture_r
        )
    return d, np.asarray(strength, dtype=np.float64)


@lru_cache(maxsize=512)
def _mass(crystal: Crystal) -> float:
    return crystal.mass


def march_dollase(
    listed: Reflections, *, cell: Cell, axis: tuple[int, int, int], r: float
) -> FloatArray:
    """Return the texture factor of each reflection, (n,): mean over its equivalents.

    (r² cos²α + sin²α / r)^(−3/2) with α between the scattering vector and `axis`; its mean over the
    sphere is 1. Dollase (1986), doi:10.1107/S0021889886089458.

    Parameters
    ----------
    axis : (h, k, l) normal to the preferred plane.
    r : 1 random; below 1 enhances reflections along the axis (plates in reflection geometry).
    """
    metric = reciprocal_metric(cell)
    direction = np.asarray(axis, dtype=np.float64)
    h = listed.equivalents
    along = h @ (metric @ direction)
    length2 = np.einsum("noi,ij,noj->no", h, metric, h) * (direction @ metric @ direction)
    cos2 = np.minimum(along**2 / length2, 1.0)
    factor = (r**2 * cos2 + (1 - cos2) / r) ** -1.5
    return np.asarray(factor.mean(axis=1), dtype=np.float64)


def displacement_from_height(*, height_mm: float, goniometer_radius_mm: float) -> float:
    """Return the displacement [deg] of a sample that stands `height_mm` too high.

    A sample above the focusing circle moves peaks to higher angle by 2 s cosθ / R.
    """
    return float(np.degrees(2 * height_mm / goniometer_radius_mm))


def _d_min(two_theta: FloatArray, radiation: Radiation) -> float:
    shortest = min(wavelength for wavelength, _ in radiation.lines)
    sine = np.sin(np.radians(min(float(two_theta[-1]), 180.0)) / 2)
    smallest = D_MIN_MARGIN * shortest / (2 * float(sine))
    # On a coarse ladder, so that grids of various ends share one cached list.
    return round(float(D_MIN_RUNG ** np.floor(np.log(smallest) / np.log(D_MIN_RUNG))), 4)
