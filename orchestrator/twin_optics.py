"""Powder patterns as the simulated diffractometer of any twin sees them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from analysis.physics.structures import structure
from analysis.xrd.forward import PhaseState, Radiation, Resolution, pattern
from instruments.simulated.specimen import Optics

FloatArray = NDArray[np.float64]


def relative_pattern(
    two_theta: FloatArray, states: Sequence[PhaseState], optics: Optics
) -> FloatArray:
    """Return Bragg intensity relative to the strongest point of the corundum standard, (n_points,).

    Parameters
    ----------
    two_theta : (n_points,) angles [deg].
    states : the phases with their weight fractions.
    """
    if not states:
        return np.zeros_like(two_theta)
    return _pattern(two_theta, states, optics) / _standard(optics.lines, optics.caglioti)


def _pattern(two_theta: FloatArray, states: Sequence[PhaseState], optics: Optics) -> FloatArray:
    u, v, w = optics.caglioti
    return pattern(
        two_theta,
        states,
        radiation=Radiation(lines=optics.lines),
        resolution=Resolution(u, v, w),
        displacement=float(np.degrees(2.0 * optics.displacement)),
        zero_shift=optics.zero_shift,
    )


@cache
def _standard(
    lines: tuple[tuple[float, float], ...], caglioti: tuple[float, float, float]
) -> float:
    """Return the forward model's intensity at the strongest point of a corundum plate."""
    two_theta = np.arange(20.0, 80.0, 0.01)
    plate = PhaseState(structure("corundum"), size=2000.0)
    return float(_pattern(two_theta, [plate], Optics(lines=lines, caglioti=caglioti)).max())
