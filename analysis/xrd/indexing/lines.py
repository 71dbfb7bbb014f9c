"""Lines: the peaks that indexing looks at, in the units it needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.peaks import Peaks

FloatArray = NDArray[np.float64]

N_LINES = 20
"""Lines from which cells are found and refined, at most."""

N_CHECKED = 32
"""Lines on which a cell is checked, at most: those beyond `N_LINES` took no part in finding it."""

FEWEST = 5
"""Lines below which any lattice would do."""

DUBIOUS = 0.55
"""Lines more probably foreign than this are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Positions of lines, by angle.

    Attributes
    ----------
    two_theta : (n,) increasing positions [deg].
    foreign : (n,) probability that a line is noise or another phase's.
    wavelength : of the line whose positions these are [Å].
    q : (n,) 1/d² [Å⁻²].
    slope : (n,) dQ/d2θ [Å⁻² per degree].
    lean : (n,) change of Q by a displacement of one degree, slope · cosθ [Å⁻² per degree].
    """

    two_theta: FloatArray
    foreign: FloatArray
    wavelength: float
    q: FloatArray
    slope: FloatArray
    lean: FloatArray

    def __len__(self) -> int:
        return len(self.q)

    @property
    def end(self) -> float:
        """Q just beyond the last line [Å⁻²]."""
        return float(self.q[-1]) * 1.001

    def first(self, n: int) -> Lines:
        """Return the first n lines."""
        return lines_at(self.two_theta[:n], self.foreign[:n], wavelength=self.wavelength)


def lines_at(two_theta: FloatArray, foreign: FloatArray, *, wavelength: float) -> Lines:
    """Return lines at given positions [deg], each foreign with a given probability."""
    theta = np.radians(two_theta / 2)
    q = (2.0 * np.sin(theta) / wavelength) ** 2
    slope = 2.0 * np.sin(2 * theta) / wavelength**2 * np.pi / 180.0
    return Lines(two_theta, foreign, wavelength, q, slope, slope * np.cos(theta))


def lines_of(peaks: Peaks, *, wavelength: float) -> Lines:
    """Return the first lines of a pattern that are probably its phase's, at most `N_CHECKED`.

    A peak is the more probably foreign, the weaker it is beside the strongest (impurities) and the
    less it stands out of the noise: 0.03 + 0.3 exp(−share/0.03) + 0.3 exp(−(significance − 5)/4).
    """
    if not len(peaks):
        return lines_at(peaks.two_theta, peaks.height, wavelength=wavelength)
    share = peaks.height / peaks.height.max()
    doubt = 0.03 + 0.3 * np.exp(-share / 0.03) + 0.3 * np.exp(-(peaks.significance - 5) / 4)
    foreign = np.clip(doubt, 0.0, 0.6)
    kept = np.flatnonzero(foreign < DUBIOUS)[:N_CHECKED]
    return lines_at(peaks.two_theta[kept], foreign[kept], wavelength=wavelength)
