"""Simulated mixtures with one or two minor phases, made as no agent's fit assumes.

Wide artefacts, textured phases whose texture is not refined, skewed peaks and a goniometer's zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptive.scanners import SimulatedScanner
from analysis.physics.crystal import Crystal
from analysis.xrd.artefacts import Ranges, counted, displaced, draw_resolution, draw_state
from analysis.xrd.forward import column
from analysis.xrd.radiation import Radiation

FloatArray = NDArray[np.float64]

TWO_THETA = np.round(np.arange(10.0, 100.001, 0.04), 6)

RANGES = Ranges(
    strain=0.006,
    size=(150.0, 2000.0),
    microstrain=(1e-4, 2.5e-3),
    w=(2.5e-3, 1.3e-2),
    texture=(0.6, 1.7),
    textured=0.5,
    displacement=0.2,
    background=(0.3, 3.0),
    order=6,
    rise=(0.0, 4.0),
)

MINOR = (0.03, 0.08)
"""Weight fractions of minor phases."""

SKEW, ZERO = 0.1, 0.02
"""Share of a peak that leans to low angles, at most; largest zero shift [deg]."""

FAST_PEAK = (150.0, 3000.0)
"""Counts of the fast scan at its highest point, log-uniform."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A simulated sample.

    Attributes
    ----------
    major, minor : indices of its phases.
    rate : (n_points,) counts per second of counting time on `TWO_THETA`.
    """

    major: frozenset[int]
    minor: frozenset[int]
    rate: FloatArray

    @property
    def phases(self) -> frozenset[int]:
        """All its phases."""
        return self.major | self.minor

    def scanner(self, *, seed: Sequence[int]) -> SimulatedScanner:
        """Return what scans it."""
        return SimulatedScanner(TWO_THETA, self.rate, rng=np.random.default_rng(seed))


def draw_sample(
    crystals: Sequence[Crystal], radiation: Radiation, *, fast_time: float, seed: int
) -> Sample:
    """Return a mixture of one to three major and one or two minor phases.

    Parameters
    ----------
    fast_time : counting time of a point in the fast scan [s], which has `FAST_PEAK` counts.
    """
    rng = np.random.default_rng([seed, 77])
    n_major, n_minor = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    chosen = [int(i) for i in rng.permutation(len(crystals))[: n_major + n_minor]]
    small = rng.uniform(*MINOR, n_minor)
    large = 0.15 + (1.0 - 0.15 * n_major) * rng.dirichlet(np.ones(n_major))
    shares = np.concatenate([large * (1.0 - small.sum()), small])
    resolution, zero = draw_resolution(RANGES, rng), float(rng.uniform(-ZERO, ZERO))
    bragg = np.zeros(len(TWO_THETA))
    for index, share in zip(chosen, shares, strict=True):
        state = draw_state(crystals[index], RANGES, rng)
        bragg += share * column(
            TWO_THETA, state, radiation=radiation, resolution=resolution, zero_shift=zero
        )
    shift = rng.uniform(-RANGES.displacement, RANGES.displacement, 1)
    moved = displaced(_skewed(bragg, rng)[None], TWO_THETA, shift)
    _, expected, _ = counted(moved, RANGES, rng)
    peak = np.exp(rng.uniform(*np.log(FAST_PEAK)))
    rate = expected[0] * (peak / expected[0].max() / fast_time)
    return Sample(frozenset(chosen[:n_major]), frozenset(chosen[n_major:]), rate)


def _skewed(pattern: FloatArray, rng: np.random.Generator) -> FloatArray:
    share = rng.uniform(0.0, SKEW) * np.linspace(1.0, 0.0, len(pattern))
    smeared = np.zeros_like(pattern)
    for offset, part in ((1, 0.5), (2, 0.3), (3, 0.2)):
        smeared[:-offset] += part * pattern[offset:]
    return np.asarray((1.0 - share) * pattern + share * smeared)
