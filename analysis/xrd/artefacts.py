"""What samples and experiments do to a pattern, drawn at random within stated ranges.

Of the phase: strain, small and strained crystallites, plates and needles that lie flat. Of the
experiment: width of the instrument, displacement, background with a rise at low angles, counting.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from analysis.physics.cell import CELL_NAMES, expand_cell, free_cell_parameters
from analysis.physics.crystal import Crystal
from analysis.xrd.forward import PhaseState
from analysis.xrd.profile import Resolution

FloatArray = NDArray[np.float64]
Span = tuple[float, float]

AXES = ((0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))
"""Directions along which a phase may be textured."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """How wide the artefacts are drawn.

    Attributes
    ----------
    strain : largest relative change of each free cell length; angles move by a tenth of it.
    size : crystallite size [Å], log-uniform.
    microstrain : log-uniform.
    w : Caglioti's w [deg²], log-uniform.
    texture : March's r, log-uniform, for the share `textured` of the phases.
    displacement : largest shift of peaks [deg].
    background : mean background over the mean Bragg signal, log-uniform.
    order : of the Chebyshev background.
    rise : height of the exponential rise at low angles over the mean background.
    counts : at the highest point, log-uniform.
    start, end : of the measured range [deg], uniform, for the share `shortened` of the patterns.
    """

    strain: float = 0.01
    size: Span = (100.0, 1600.0)
    microstrain: Span = (1e-4, 2.5e-3)
    w: Span = (2.5e-3, 1.3e-2)
    texture: Span = (0.4, 2.5)
    textured: float = 0.5
    displacement: float = 0.2
    background: Span = (0.1, 3.0)
    order: int = 4
    rise: Span = (0.0, 3.0)
    counts: Span = (1e3, 10**4.5)
    start: Span = (10.0, 25.0)
    end: Span = (60.0, 80.0)
    shortened: float = 0.5


def wider(one: Ranges, other: Ranges) -> Ranges:
    """Return the ranges of `one`, spans widened to hold those of `other` as well."""
    found: dict[str, Any] = {}
    for part in fields(Ranges):
        a, b = getattr(one, part.name), getattr(other, part.name)
        if isinstance(a, tuple):
            found[part.name] = (min(a[0], b[0]), max(a[1], b[1]))
        else:
            found[part.name] = max(a, b)
    return Ranges(**found)


def draw_state(crystal: Crystal, ranges: Ranges, rng: np.random.Generator) -> PhaseState:
    """Return a phase as a sample might hold it, of weight fraction 1."""
    names = free_cell_parameters(crystal)
    start = dict(zip(CELL_NAMES, crystal.cell, strict=True))
    moved = [
        start[n]
        * (1.0 + (ranges.strain if n in "abc" else 0.1 * ranges.strain) * rng.uniform(-1.0, 1.0))
        for n in names
    ]
    textured = rng.random() < ranges.textured
    return PhaseState(
        crystal,
        cell=expand_cell(crystal, moved),
        size=log_uniform(ranges.size, rng),
        microstrain=log_uniform(ranges.microstrain, rng),
        texture_r=log_uniform(ranges.texture, rng) if textured else 1.0,
        texture_axis=AXES[int(rng.integers(len(AXES)))],
    )


def draw_resolution(ranges: Ranges, rng: np.random.Generator) -> Resolution:
    """Return the width of an instrument."""
    return Resolution(w=log_uniform(ranges.w, rng))


def log_uniform(span: Span, rng: np.random.Generator) -> float:
    """Return a number whose logarithm is uniform between two positive ends."""
    return float(np.exp(rng.uniform(np.log(span[0]), np.log(span[1]))))


def displaced(
    patterns: FloatArray, two_theta: FloatArray, shifts: FloatArray
) -> NDArray[np.float64]:
    """Return patterns with peaks moved by shift · cosθ, by linear interpolation.

    Parameters
    ----------
    patterns : (n, n_points).
    two_theta : (n_points,) evenly spaced [deg].
    shifts : (n,) [deg].
    """
    step = two_theta[1] - two_theta[0]
    moved = shifts[:, None] * np.cos(np.radians(two_theta) / 2) / step
    at = np.clip(np.arange(len(two_theta)) - moved, 0, len(two_theta) - 1.001)
    low = at.astype(np.intp)
    part = at - low
    rows = np.arange(len(patterns))[:, None]
    return np.asarray((1.0 - part) * patterns[rows, low] + part * patterns[rows, low + 1])


def counted(bragg: FloatArray, ranges: Ranges, rng: np.random.Generator) -> tuple[FloatArray, ...]:
    """Return counts with background, and the scale of each pattern's Bragg signal in counts.

    Parameters
    ----------
    bragg : (n, n_points) noise-free Bragg signal, each with a positive mean.

    Returns
    -------
    counts : (n, n_points).
    expected : (n, n_points) before counting.
    scale : (n, 1) counts per unit of the Bragg signal.
    """
    n, n_points = bragg.shape
    x = np.linspace(-1.0, 1.0, n_points)
    coefficients = rng.normal(0.0, 0.25, (n, ranges.order + 1)) / np.arange(1, ranges.order + 2)
    coefficients[:, 0] = 1.0
    shape = np.maximum(chebyshev.chebval(x, coefficients.T), 0.05)
    decay = rng.uniform(3.0, 12.0, (n, 1))
    shape = shape + rng.uniform(ranges.rise[0], ranges.rise[1], (n, 1)) * np.exp(-decay * (x + 1.0))
    level = np.exp(rng.uniform(np.log(ranges.background[0]), np.log(ranges.background[1]), (n, 1)))
    whole = bragg + shape * level * bragg.mean(axis=1, keepdims=True)
    highest = np.exp(rng.uniform(np.log(ranges.counts[0]), np.log(ranges.counts[1]), (n, 1)))
    scale = highest / whole.max(axis=1, keepdims=True)
    expected = whole * scale
    return rng.poisson(expected).astype(np.float64), expected, scale


def shortened(
    counts: FloatArray, two_theta: FloatArray, ranges: Ranges, rng: np.random.Generator
) -> FloatArray:
    """Return patterns some of which were measured over less than the grid: NaN elsewhere.

    Parameters
    ----------
    counts : (n, n_points).
    two_theta : (n_points,) [deg].
    """
    n = len(counts)
    low, high = rng.uniform(*ranges.start, (n, 1)), rng.uniform(*ranges.end, (n, 1))
    whole = rng.random((n, 1)) >= ranges.shortened
    inside = whole | ((two_theta >= low) & (two_theta <= high))
    return np.where(inside, counts, np.nan)
