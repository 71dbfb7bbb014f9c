"""Reflections of a crystal: indices, spacings, multiplicities and squared structure factors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import gemmi
import numpy as np
from numpy.typing import NDArray

from analysis.physics.cell import d_spacings
from analysis.physics.crystal import Crystal
from analysis.physics.units import CLASSICAL_ELECTRON_RADIUS, energy_from_wavelength

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WEAKEST = 1e-7
"""Reflections below this share of the strongest m |F|² are left out as absent."""


@dataclass(frozen=True, slots=True, eq=False)
class Reflections:
    """Symmetry-independent reflections, by falling spacing.

    Attributes
    ----------
    hkl : (n, 3) Miller indices, one of each set of equivalents.
    d : (n,) lattice spacings [Å].
    multiplicity : (n,) number of equivalents, Friedel mates included.
    f2 : (n,) |F|² per cell [electrons², or fm² for neutrons], the mean over a Friedel pair.
    equivalents : (n, n_operations, 3) indices over which directions are averaged; each
        equivalent occurs equally often, Friedel mates are not listed.
    """

    hkl: IntArray
    d: FloatArray
    multiplicity: IntArray
    f2: FloatArray
    equivalents: IntArray

    def __len__(self) -> int:
        return len(self.d)


Probe = Literal["x-ray", "neutron"]


@lru_cache(maxsize=512)
def reflections(
    crystal: Crystal,
    *,
    d_min: float,
    wavelength: float,
    anomalous: bool = True,
    probe: Probe = "x-ray",
) -> Reflections:
    """Return the reflections that a powder of the crystal shows.

    F = Σ (f₀ + f′ + i f″) T exp(2πi h·x), with neutral-atom f₀ (International Tables C, 6.1.1.4),
    f′ and f″ after Cromer & Liberman (1970, doi:10.1063/1.1674266), both from gemmi, and the
    displacement factors T of the structure. |F|² is averaged over h and −h, as in a powder. For
    neutrons F = Σ b T exp(2πi h·x) with the bound coherent scattering lengths b of the natural
    elements (Sears 1992, doi:10.1080/10448639208218770), from gemmi too.

    Parameters
    ----------
    d_min : smallest spacing [Å].
    wavelength : of the X-rays [Å]; used for f′ and f″.
    anomalous : False leaves out f′ and f″, to see what they do.
    probe : what is scattered.

    Notes
    -----
    Not modelled: bonding, ionic form factors, anharmonic displacement, extinction; of neutrons,
    magnetic scattering and resonances of strong absorbers.
    """
    structure = crystal.structure
    group = structure.spacegroup
    every = gemmi.make_miller_array(structure.cell, group, d_min, 0.0, True)
    present = every[~group.operations().systematic_absences(every)]
    hkl = np.asarray(present, dtype=np.int64)
    if probe == "neutron":
        real = _sums(gemmi.StructureFactorCalculatorN(structure.cell), crystal, hkl)
        imaginary = np.zeros_like(real)
    else:
        real, imaginary = _structure_factors(
            crystal, hkl, wavelength=wavelength, anomalous=anomalous
        )
    # For h and -h the cross terms of both sums have opposite signs and cancel in the mean.
    f2 = np.abs(real) ** 2 + np.abs(imaginary) ** 2
    equivalents = np.einsum("ni,oij->noj", hkl, crystal.rotations)
    multiplicity = _multiplicity(hkl, equivalents)
    d = d_spacings(hkl, cell=crystal.cell)
    strength = multiplicity * f2
    kept = np.flatnonzero(strength > WEAKEST * strength.max(initial=0.0))
    kept = kept[np.argsort(-d[kept], kind="stable")]
    return Reflections(hkl[kept], d[kept], multiplicity[kept], f2[kept], equivalents[kept])


def linear_attenuation(crystal: Crystal, *, wavelength: float) -> float:
    """Return the photoelectric attenuation coefficient μ = 2 r_e λ Σ f″ / V [1/cm].

    The optical theorem applied to f″; scattering losses, a few per cent for light elements at
    Cu Kα, are left out.
    """
    energy = energy_from_wavelength(wavelength=wavelength)
    total = sum(
        n * gemmi.cromer_liberman(gemmi.Element(element).atomic_number, energy)[1]
        for element, n in crystal.composition.items()
    )
    return 2 * CLASSICAL_ELECTRON_RADIUS * wavelength * total / crystal.volume * 1e8


def _structure_factors(
    crystal: Crystal, hkl: IntArray, *, wavelength: float, anomalous: bool
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Return Σ (f₀ + f′) T exp(2πi h·x) and Σ f″ T exp(2πi h·x), each (n,)."""
    without = _calculator(crystal, wavelength=wavelength, f_prime=anomalous, f_second=False)
    real = _sums(without, crystal, hkl)
    if not anomalous:
        return real, np.zeros_like(real)
    # gemmi adds real numbers only, so f″ is added to f′ once and the difference taken.
    with_second = _calculator(crystal, wavelength=wavelength, f_prime=True, f_second=True)
    return real, _sums(with_second, crystal, hkl) - real


def _calculator(
    crystal: Crystal, *, wavelength: float, f_prime: bool, f_second: bool
) -> gemmi.StructureFactorCalculatorX:
    calculator = gemmi.StructureFactorCalculatorX(crystal.structure.cell)
    energy = energy_from_wavelength(wavelength=wavelength)
    for name in crystal.composition:
        element = gemmi.Element(name)
        first, second = gemmi.cromer_liberman(element.atomic_number, energy)
        calculator.addends.set(element, f_prime * first + f_second * second)
    return calculator


def _sums(
    calculator: gemmi.StructureFactorCalculatorX | gemmi.StructureFactorCalculatorN,
    crystal: Crystal,
    hkl: IntArray,
) -> NDArray[np.complex128]:
    structure = crystal.structure
    indices = hkl.tolist()
    return np.array(
        [calculator.calculate_sf_from_small_structure(structure, h) for h in indices],
        dtype=np.complex128,
    )


def _multiplicity(hkl: IntArray, equivalents: IntArray) -> IntArray:
    """Number of distinct ±h R: twice the operations over those that leave h alone."""
    same = np.all(equivalents == hkl[:, None, :], axis=2).sum(axis=1)
    opposite = np.all(equivalents == -hkl[:, None, :], axis=2).sum(axis=1)
    return np.asarray(2 * equivalents.shape[1] // (same + opposite), dtype=np.int64)
