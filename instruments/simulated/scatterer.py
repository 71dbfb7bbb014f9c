"""What the simulated total-scattering instrument is told of a sample.

The physics of scattering is passed in by whoever sets up the laboratory, because instruments do
not know how a curve is analysed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instruments.sample import Sample

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scatterer:
    """What a sample of one element does to the beam.

    Attributes
    ----------
    s_minus_one : momentum transfer [1/Å], (n_q,), from zero upwards → S(Q) − 1, (n_q,).
    form_factor : momentum transfer [1/Å], (n_q,) → f(Q) of its atoms [electrons], (n_q,).
    """

    s_minus_one: Callable[[FloatArray], FloatArray]
    form_factor: Callable[[FloatArray], FloatArray]


ScattererTruth = Callable[[Sample], Scatterer]
"""Sample → what it is. Raises ValueError, with a sentence, if its record does not tell."""


def capillary(q: FloatArray) -> FloatArray:
    """Return the scatter of the capillary, the liquid in it and the air, 1 at its maximum.

    The halo of a liquid or glass near 1.7 Å⁻¹ over a part that falls slowly; widths and the ratio
    are rounded.
    """
    halo = np.exp(-0.5 * ((q - 1.7) / 0.35) ** 2)
    return np.asarray(0.6 * halo + 0.4 * np.exp(-q / 8.0), dtype=np.float64)
