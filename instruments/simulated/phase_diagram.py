"""Invented phase diagrams: which phases an oxide holds after firing, and what it is good for.

Thermodynamics by composition and temperature, kinetics by time, a property that follows the phases.
Everything is drawn from a seed, so that each laboratory has a diagram that nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from instruments.simulated.streams import stream

FloatArray = NDArray[np.float64]

Law = Literal["phases", "settings"]
"""What the property follows: the phases by their amounts, or the settings whatever the phases."""

COMPOSITION, TEMPERATURE, DWELL = (0.0, 8.0), (550.0, 950.0), (0.5, 10.0)
"""Ranges of dopant [mol%], temperature [degC] and time on the plateau [h] that are drawn for."""

GRID = np.linspace(0.0, 1.0, 161)
"""Compositions, in shares of the range, at which free energies are compared."""

BASIN = 2.0
"""Curvature that all free energies share, in units of what sets phases apart."""

PERCOLATION, ABRUPTNESS = 0.5, 0.03
"""Weight fraction from which a phase connects throughout a sample, and how abruptly it does."""

SLOWEST, FASTEST = 3.0, 0.3
"""Time constant of the reaction at the lowest and at the highest temperature [h]."""

GOOD_SHARE, LEAST_SHARE = (0.03, 0.08), 0.03
"""Share of the space in which the best phase connects, and any phase at least; other diagrams are
drawn anew."""

HILL, FLOOR = 0.35, 0.85
"""Width of what is best within the best phase, and what is left of it far from there."""

N_HILLS, NARROW, LOWER = 3, 0.15, 0.7
"""Hills of a property that follows the settings, their width, and how high all but one are."""

N_DRAWN, N_LOOKED, LONG = 20_000, 100, 0.85
"""Diagrams that are drawn at most, and where each is looked at: after a long dwell."""


@dataclass(frozen=True, slots=True)
class PhaseDiagram:
    """An oxide that is made of a precursor by firing.

    Free energies are ``G_p(x, t) = (x - c_p)² + BASIN x² + h_p - s_p t``, with x and t composition
    and temperature in shares of their ranges; what is stable is their common tangent, so that two
    phases share a field by the lever rule (Hillert 2007, Phase Equilibria, Phase Diagrams and Phase
    Transformations, 2nd ed., doi:10.1017/CBO9780511812781, chapter 10). What has not reacted is the
    first phase; the rest is ``1 - exp(-hours / τ)``, with ln τ falling evenly with temperature.

    A phase conducts where it connects throughout the sample, which begins abruptly with its amount
    (Stauffer & Aharony 1994, Introduction to Percolation Theory, doi:10.1201/9781315274386). The
    threshold is invented.

    Not modelled: a second axis of composition, metastable phases, coarsening.

    Attributes
    ----------
    centre, enthalpy, entropy : c, h and s of each phase, (n_phases,).
    level : property of each phase where it connects, (n_phases,); 1 for the best.
    slope : its relative change over each range, (n_phases, 3): composition, temperature, log dwell.
    top : where the best phase is at its best, in shares, (3,).
    hills : where the property is high if settings decide, the highest first, (N_HILLS, 3).
    law : what the property follows.
    """

    centre: FloatArray
    enthalpy: FloatArray
    entropy: FloatArray
    level: FloatArray
    slope: FloatArray
    top: FloatArray
    hills: FloatArray
    law: Law = "phases"

    @classmethod
    def draw(cls, seed: int, *, n_phases: int = 4, law: Law = "phases") -> PhaseDiagram:
        """Return the diagram of a seed: the best phase connects in a small part of the space.

        Raises
        ------
        ValueError
            No such diagram was found.
        """
        rng = stream(seed, "phase diagram")
        looked = rng.random((N_LOOKED, 3))
        looked[:, 2] = LONG
        for _ in range(N_DRAWN):
            found = cls._drawn(rng, n_phases, law)
            seen = (found.fractions(looked) > PERCOLATION).mean(axis=0)
            good = seen[found.best]
            if GOOD_SHARE[0] <= good <= GOOD_SHARE[1] and seen.min() >= LEAST_SHARE:
                return found
        raise ValueError(f"no diagram of {n_phases} phases was found for seed {seed}; take fewer")

    @classmethod
    def _drawn(cls, rng: np.random.Generator, n: int, law: Law) -> PhaseDiagram:
        centre = np.linspace(0.0, 1.0, n) + 0.05 * rng.standard_normal(n)
        level = np.concatenate([[1.0, 0.5], rng.uniform(0.0, 0.4, n - 2)])
        return cls(
            centre=rng.permutation(centre),
            enthalpy=0.05 * rng.standard_normal(n),
            entropy=0.2 * rng.standard_normal(n),
            level=rng.permutation(level),
            slope=rng.uniform(-0.4, 0.4, (n, 3)),
            top=rng.uniform(0.15, 0.85, 3),
            hills=rng.uniform(0.0, 1.0, (N_HILLS, 3)),
            law=law,
        )

    @property
    def best(self) -> int:
        """Which phase has the highest level."""
        return int(np.argmax(self.level))

    def fractions(self, shares: FloatArray) -> FloatArray:
        """Return the weight fractions of the phases at shares of the ranges, (n, n_phases)."""
        stable = np.stack([self._stable(float(x), float(t)) for x, t in shares[:, :2]])
        hours = DWELL[0] * (DWELL[1] / DWELL[0]) ** shares[:, 2]
        constant = SLOWEST * (FASTEST / SLOWEST) ** shares[:, 1]
        left = np.exp(-hours / constant)[:, None]
        return np.asarray((1.0 - left) * stable + left * np.eye(len(self.centre))[0])

    def value(self, shares: FloatArray, fractions: FloatArray) -> FloatArray:
        """Return the property of samples of such amounts at shares of the ranges, (n,).

        Parameters
        ----------
        fractions : (n, n_phases); they need not sum to 1 if some of the mass is something else.
        """
        if self.law == "settings":
            return self._by_settings(shares)
        off = ((shares - self.top) ** 2).sum(axis=1)
        hill = FLOOR + (1.0 - FLOOR) * np.exp(-0.5 * off / HILL**2)
        own = self.level * (1.0 + (shares - 0.5) @ self.slope.T)
        own[:, self.best] = hill
        connected = expit((fractions - PERCOLATION) / ABRUPTNESS)
        return np.asarray((connected * own).sum(axis=1))

    def _by_settings(self, shares: FloatArray) -> FloatArray:
        """Return a property of hills over composition and temperature, (n,)."""
        off = shares[:, None, :2] - self.hills[:, :2]
        height = np.where(np.arange(len(self.hills)) == 0, 1.0, LOWER)
        return np.asarray((height * np.exp(-0.5 * (off**2).sum(axis=2) / NARROW**2)).max(axis=1))

    def _stable(self, x: float, t: float) -> FloatArray:
        """Return the fractions that the common tangent leaves at one point, (n_phases,)."""
        free = (GRID - self.centre[:, None]) ** 2 + BASIN * GRID**2
        free += (self.enthalpy - self.entropy * t)[:, None]
        which = np.argmin(free, axis=0)
        low, high = _tangent(free.min(axis=0), x)
        found = np.zeros(len(self.centre))
        share = (x - GRID[low]) / (GRID[high] - GRID[low]) if high > low else 0.0
        found[which[low]] += 1.0 - share
        found[which[high]] += share
        return found


def shares_of(dopant: FloatArray, temperature: FloatArray, dwell: FloatArray) -> FloatArray:
    """Return settings in shares of the ranges, (n, 3); time by its logarithm.

    Parameters
    ----------
    dopant, temperature, dwell : in mol%, degC and h, (n,) each.
    """
    x = (dopant - COMPOSITION[0]) / (COMPOSITION[1] - COMPOSITION[0])
    t = (temperature - TEMPERATURE[0]) / (TEMPERATURE[1] - TEMPERATURE[0])
    hours = np.log(dwell / DWELL[0]) / np.log(DWELL[1] / DWELL[0])
    return np.stack([x, t, hours], axis=1)


def _tangent(free: FloatArray, x: float) -> tuple[int, int]:
    """Return the ends on the grid of the lower hull's edge above x."""
    hull: list[int] = []
    for i in range(len(GRID)):
        while len(hull) > 1 and _is_above(free, hull[-2], hull[-1], i):
            hull.pop()
        hull.append(i)
    high = int(np.searchsorted(GRID[hull], x))
    high = min(max(high, 1), len(hull) - 1)
    return hull[high - 1], hull[high]


def _is_above(free: FloatArray, a: int, b: int, c: int) -> bool:
    """Return whether the middle point lies on or above the line through the others."""
    return bool(
        (free[b] - free[a]) * (GRID[c] - GRID[a]) >= (free[c] - free[a]) * (GRID[b] - GRID[a])
    )
