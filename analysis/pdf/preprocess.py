"""From a measured G(r) to the points that a fit sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadPattern
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

OVERSAMPLING = 2.5
"""Points kept per π/Q_max, the spacing beyond which nothing more is known."""

FEWEST = 20
"""Independent points below which a fit is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class FitRange:
    """The part of a G(r) that is fitted.

    Attributes
    ----------
    r : (n,) distances [Å].
    g_r : (n,) reduced pair distribution function [1/Å²].
    q_min, q_max : what it was transformed from [1/Å].
    """

    r: FloatArray
    g_r: FloatArray
    q_min: float
    q_max: float

    @property
    def n_independent(self) -> float:
        """Number of points that tell something new: the range over π/Q_max (Nyquist–Shannon).

        References
        ----------
        Farrow et al. (2011), doi:10.1103/PhysRevB.84.134105.
        """
        return float((self.r[-1] - self.r[0]) * self.q_max / np.pi)


def prepare(
    measurement: Measurement,
    *,
    r_range: tuple[float, float],
    q_min: float | None = None,
    q_max: float | None = None,
) -> FitRange:
    """Return the points of a G(r) within a range [Å], thinned to what its Q_max can tell.

    Parameters
    ----------
    q_min, q_max : replace what the measurement states [1/Å]; Q_min is 0 where nobody states it.

    Raises
    ------
    BadPattern
        It is no G(r) over r in Å, nobody knows Q_max, or too little of it lies in the range.
    """
    m = measurement
    if (m.technique, m.x_name, m.y_name) != ("pdf", "r", "g_r") or m.x_unit != "Å":
        raise BadPattern(
            f"{m.id} is {m.y_name or 'nothing'} over {m.x_name} in {m.x_unit!r} by technique "
            f"{m.technique!r}; a reduced pair distribution function g_r over r in Å was expected"
        )
    stated = {name: m.settings.get(name) for name in ("q_min", "q_max")}
    high = q_max if q_max is not None else stated["q_max"]
    low = q_min if q_min is not None else stated["q_min"] or 0.0
    if high is None:
        raise BadPattern(f"{m.id} does not state its Q_max; say q_max in the agent's settings")
    inside = (m.x >= r_range[0]) & (m.x <= r_range[1])
    r, g_r = m.x[inside], m.y[inside]
    if r.size < 2 or (r[-1] - r[0]) * float(high) / np.pi < FEWEST:
        raise BadPattern(
            f"{m.id} has {r.size} points from {r_range[0]:g} to {r_range[1]:g} Å, too few beside "
            f"{FEWEST} independent ones (π/Q_max apart) that a fit needs; widen r_range"
        )
    spacing = np.pi / float(high) / OVERSAMPLING
    stride = max(1, int(spacing / float(np.median(np.diff(r)))))
    return FitRange(r[::stride].copy(), g_r[::stride].copy(), float(low), float(high))
