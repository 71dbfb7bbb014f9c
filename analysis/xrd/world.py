"""The world of `xrd.parameters`: some phases, an instrument, and how far both may differ.

What varies from sample to sample is a vector of numbers z, each uniform between −1 and 1: the
displacement where it may differ from 0, then for each phase its free cell parameters and the
logarithm of its crystallite size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.physics.cell import CELL_NAMES, free_cell_parameters
from analysis.physics.crystal import Crystal
from analysis.xrd.profile import Resolution, lorentzian_fwhm
from analysis.xrd.radiation import Radiation

FloatArray = NDArray[np.float64]
Span = tuple[float, float]

ANGLE_SHARE = 0.1
"""Cell angles differ by this share of the relative range of cell lengths."""

POINTS_A_WIDTH = 2.5
"""Points over the narrowest peak's full width."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number that varies.

    Attributes
    ----------
    phase : index of the phase it belongs to, None for the displacement.
    name : ``displacement``, a cell parameter, or ``size``.
    centre, half : the number is centre + half · z; of a size this is its natural logarithm.
    """

    phase: int | None
    name: str
    centre: float
    half: float


@dataclass(frozen=True, eq=False)
class World:
    """Phases and instrument.

    Attributes
    ----------
    crystals : the phases.
    radiation, resolution : of the instrument, known.
    two_theta : lowest and highest angle [deg].
    strain : largest relative difference of a cell length from the listed one; angles a tenth of it.
    size : smallest and largest crystallite size [Å].
    microstrain : of all phases, known.
    displacement : largest shift of peaks by displacement · cosθ [deg].
    """

    crystals: tuple[Crystal, ...]
    radiation: Radiation
    resolution: Resolution
    two_theta: Span
    strain: float
    size: Span
    microstrain: float
    displacement: float

    @cached_property
    def grid(self) -> FloatArray:
        """(n_points,) even angles [deg], `POINTS_A_WIDTH` over the narrowest peak's full width."""
        low, high = self.two_theta
        n = int(np.ceil((high - low) / (self.narrowest / POINTS_A_WIDTH))) + 1
        return np.linspace(low, high, n)

    @property
    def step(self) -> float:
        """Of the grid [deg]."""
        return float(self.grid[1] - self.grid[0])

    @cached_property
    def narrowest(self) -> float:
        """Full width [deg] of the narrowest peak, Gaussian and Lorentzian in quadrature."""
        tangent = np.tan(np.radians(np.linspace(*self.two_theta, 50)) / 2)
        lorentzian = lorentzian_fwhm(
            tangent,
            wavelength=self.radiation.wavelength,
            size=self.size[1],
            microstrain=self.microstrain,
        )
        return float(np.hypot(self.resolution.fwhm(tangent), lorentzian).min())

    @cached_property
    def numbers(self) -> tuple[Number, ...]:
        """Everything that varies, in order."""
        found = [Number(None, "displacement", 0.0, self.displacement)] if self.displacement else []
        low, high = np.log(self.size)
        for i, crystal in enumerate(self.crystals):
            listed = dict(zip(CELL_NAMES, crystal.cell, strict=True))
            found += [
                Number(i, name, listed[name], listed[name] * self._relative(name))
                for name in free_cell_parameters(crystal)
            ]
            found.append(Number(i, "size", float(low + high) / 2, float(high - low) / 2))
        return tuple(found)

    def of_phase(self, i: int | None) -> list[int]:
        """Return where the numbers of a phase, or of the instrument, stand."""
        return [k for k, number in enumerate(self.numbers) if number.phase == i]

    def physical(self, z: FloatArray) -> FloatArray:
        """Return the numbers themselves, sizes in Å; shape as `z`, (…, n_numbers)."""
        told = z * np.array([n.half for n in self.numbers]) + [n.centre for n in self.numbers]
        sizes = [k for k, n in enumerate(self.numbers) if n.name == "size"]
        told[..., sizes] = np.exp(told[..., sizes])
        return np.asarray(told, dtype=np.float64)

    def slopes(self, z: FloatArray) -> FloatArray:
        """Return d physical / dz, shape as `z`."""
        half = np.broadcast_to([n.half for n in self.numbers], z.shape).copy()
        sizes = [k for k, n in enumerate(self.numbers) if n.name == "size"]
        half[..., sizes] *= self.physical(z)[..., sizes]
        return half

    def _relative(self, name: str) -> float:
        return self.strain if name in "abc" else ANGLE_SHARE * self.strain
