"""A counting detector: Poisson statistics, dead time, and a rate above which it goes blind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Detector:
    """A non-paralysable counter.

    The observed rate is n / (1 + n τ) for n true events a second (Knoll, Radiation Detection and
    Measurement, 4th ed., §4.VII); it is not corrected for.

    Attributes
    ----------
    dead_time : τ [s].
    saturation : observed rate at which the counter overflows [1/s].
    dark : events without beam [1/s].
    """

    dead_time: float = 1.0e-7
    saturation: float = 5.0e5
    dark: float = 0.3

    def count(
        self, rate: FloatArray, *, counting_time: float, rng: np.random.Generator
    ) -> tuple[FloatArray, bool]:
        """Return counts per point, and whether any point overflowed.

        Parameters
        ----------
        rate : (n_points,) events a second from the sample.
        counting_time : per point [s].
        """
        true = rate + self.dark
        observed = true / (1.0 + true * self.dead_time)
        saturated = bool(np.any(observed > self.saturation))
        expected = np.minimum(observed, self.saturation) * counting_time
        ceiling = np.floor(self.saturation * counting_time)
        counts = np.minimum(rng.poisson(expected), ceiling)
        return np.asarray(counts, dtype=np.float64), saturated
