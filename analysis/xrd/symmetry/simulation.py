"""Simulated powder patterns of random crystals, as a laboratory diffractometer would take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.physics.crystal import Crystal
from analysis.xrd.forward import PhaseState, Resolution, column
from analysis.xrd.indexing.lines import Lines, lines_of
from analysis.xrd.indexing.search import IndexedCell
from analysis.xrd.peaks import find_peaks
from analysis.xrd.radiation import Radiation
from analysis.xrd.symmetry.crystals import draw_crystal, draw_system
from analysis.xrd.symmetry.features import cells_of, features

FloatArray = NDArray[np.float64]

AXES = ((0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1))
"""Directions of texture."""

IMPURE = 0.3
"""Share of the patterns with a second phase."""

END = 90.0
"""Last angle [deg]."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A simulated pattern and what was read from it.

    Attributes
    ----------
    crystal : what it was drawn from.
    lines, cells, features : see `lines_of`, `cells_of` and `features`.
    """

    system: str
    crystal: Crystal
    lines: Lines
    cells: dict[str, IndexedCell]
    features: FloatArray


def examples(n: int, *, radiation: Radiation, rng: np.random.Generator) -> list[Example]:
    """Return n simulated examples; a crystal may be an impurity in the pattern of the next."""
    found: list[Example] = []
    for _ in range(n):
        impurity = found[-1].crystal if found else None
        found.append(draw_example(radiation=radiation, impurity=impurity, rng=rng))
    return found


def draw_example(
    *, radiation: Radiation, impurity: Crystal | None, rng: np.random.Generator
) -> Example:
    """Return a random crystal with its pattern read."""
    system = draw_system(rng)
    crystal = draw_crystal(system, rng=rng)
    two_theta, counts = draw_pattern(crystal, radiation=radiation, impurity=impurity, rng=rng)
    peaks = find_peaks(two_theta, counts, radiation=radiation)
    lines = lines_of(peaks, wavelength=radiation.wavelength)
    cells = cells_of(lines)
    return Example(system, crystal, lines, cells, features(lines, cells))


def draw_pattern(
    crystal: Crystal,
    *,
    radiation: Radiation,
    impurity: Crystal | None = None,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return 2θ [deg] and counts, each (n_points,), of a powder as one meets them.

    Drawn are the step (0.01 or 0.02°), the first angle (5 to 10°), the instrument's width
    (w = 10^−2.6 to 10^−1.7 deg²), displacement (0.02 ± 0.04°), column length (25 to 250 nm),
    microstrain (10⁻⁴ to 10^−2.9), March's r (30 % about 1), the background (0.5 to 13 % of the
    highest peak, with an exponential rise and a hump), the counts of that peak (160 to 20,000),
    and in `IMPURE` of the patterns a second phase of 0.6 to 13 % of its height.
    """
    two_theta = np.arange(rng.uniform(5.0, 10.0), END, 0.02 if rng.random() < 0.6 else 0.01)
    resolution = Resolution(w=10 ** rng.uniform(-2.6, -1.7))
    displacement = float(rng.normal(0.02, 0.04))

    def drawn(phase: Crystal) -> FloatArray:
        curve = column(
            two_theta,
            _state(phase, rng),
            radiation=radiation,
            resolution=resolution,
            displacement=displacement,
        )
        return curve / max(float(curve.max()), 1e-300)

    curve = drawn(crystal)
    if impurity is not None and rng.random() < IMPURE:
        curve = curve + 10 ** rng.uniform(-2.2, -0.9) * drawn(impurity)
    highest = 10 ** rng.uniform(2.2, 4.3)
    counts = rng.poisson(highest * (curve + _background(two_theta, rng)))
    return two_theta, counts.astype(np.float64)


def _state(crystal: Crystal, rng: np.random.Generator) -> PhaseState:
    return PhaseState(
        crystal,
        size=10 ** rng.uniform(2.4, 3.4),
        microstrain=10 ** rng.uniform(-4.0, -2.9),
        texture_r=float(np.exp(rng.normal(0.0, 0.3))),
        texture_axis=AXES[rng.integers(len(AXES))],
    )


def _background(two_theta: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the background as a share of the highest peak, (n_points,)."""
    rise = rng.uniform(0.0, 1.5) * np.exp(-(two_theta - 5.0) / 10.0)
    centre = rng.uniform(15.0, 30.0)
    hump = rng.uniform(0.0, 0.5) * np.exp(-(((two_theta - centre) / 8.0) ** 2))
    return np.asarray(10 ** rng.uniform(-2.3, -0.9) * (1.0 + rise + hump))
