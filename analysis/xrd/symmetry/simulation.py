"""Simulated powder patterns of random crystals, as a laboratory diffractometer would take them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.physics.cell import CELL_NAMES, expand_cell, free_cell_parameters
from analysis.physics.crystal import Cell, Crystal
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

IMPURE = 0.5
"""Share of the patterns with a second phase."""

ZONED = 0.4
"""Share of the patterns of a powder whose grains have two cells, as in a solid solution."""

STRAY = (0.0, 0.0, 0.0, 1.0, 2.0, 4.0)
"""Mean numbers of stray lines (holder, Kβ, traces), drawn evenly."""

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
    highest peak, with an exponential rise and a hump), and the counts of that peak (160 to
    20,000). In `IMPURE` of the patterns there is a second phase of 0.6 to 25 % of its height, in
    `ZONED` of them half or less of the grains have axes that differ by 0.3 % (one standard
    deviation), and there are stray lines of 0.5 to 10 % anywhere.
    """
    two_theta = np.arange(rng.uniform(5.0, 10.0), END, 0.02 if rng.random() < 0.6 else 0.01)
    resolution = Resolution(w=10 ** rng.uniform(-2.6, -1.7))
    displacement = float(rng.normal(0.02, 0.04))

    def drawn(state: PhaseState) -> FloatArray:
        curve = column(
            two_theta,
            state,
            radiation=radiation,
            resolution=resolution,
            displacement=displacement,
        )
        return curve / max(float(curve.max()), 1e-300)

    state = _state(crystal, rng)
    curve = drawn(state)
    if rng.random() < ZONED:
        curve = curve + rng.uniform(0.2, 1.0) * drawn(
            replace(state, cell=_other_cell(crystal, rng))
        )
        curve /= curve.max()
    if impurity is not None and rng.random() < IMPURE:
        curve = curve + 10 ** rng.uniform(-2.2, -0.6) * drawn(_state(impurity, rng))
    curve = curve + _stray_lines(two_theta, resolution, rng)
    highest = 10 ** rng.uniform(2.2, 4.3)
    counts = rng.poisson(highest * (curve + _background(two_theta, rng)))
    return two_theta, counts.astype(np.float64)


def _other_cell(crystal: Crystal, rng: np.random.Generator) -> Cell:
    """Return a cell of the same symmetry whose lengths differ a little."""
    names = free_cell_parameters(crystal)
    free = np.array([crystal.cell[CELL_NAMES.index(name)] for name in names])
    lengths = np.array([name in ("a", "b", "c") for name in names])
    return expand_cell(crystal, list(free * (1 + 0.003 * lengths * rng.normal(size=len(free)))))


def _stray_lines(
    two_theta: FloatArray, resolution: Resolution, rng: np.random.Generator
) -> FloatArray:
    """Return lines that belong to no phase, as shares of the highest peak, (n_points,)."""
    n = rng.poisson(STRAY[rng.integers(len(STRAY))])
    position = rng.uniform(two_theta[0], 60.0, n)
    width = resolution.fwhm(np.tan(np.radians(position / 2)))
    height = 10 ** rng.uniform(-2.3, -1.0, n)
    shape = np.exp(-4 * np.log(2) * ((two_theta[:, None] - position) / width) ** 2)
    return np.asarray(shape @ height)


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
