"""Simulated mixtures without end: variants of each phase, mixed and measured on the fly.

Variants (strain, size, texture, width) are drawn once and cost most; mixing, displacement,
background and counting cost next to nothing, so that no pattern comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.physics.crystal import Crystal
from analysis.xrd.artefacts import (
    Ranges,
    counted,
    displaced,
    draw_resolution,
    draw_state,
    shortened,
)
from analysis.xrd.forward import column
from analysis.xrd.radiation import Radiation

FloatArray = NDArray[np.float64]

SEEN = 6.0
"""Signal over noise, summed over the pattern in quadrature, from which a phase can be told."""

LEAST_FRACTION = 0.04
"""Smallest weight fraction that is mixed in."""

Progress = Callable[[int, int], None]
"""Told how many of how many are done."""


@dataclass(frozen=True, slots=True, eq=False)
class Variants:
    """Patterns of single phases per unit mass, many of each.

    Attributes
    ----------
    two_theta : (n_points,) evenly spaced [deg].
    columns : (n_phases, n_variants, n_points).
    """

    two_theta: FloatArray
    columns: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Mixtures:
    """A batch of simulated patterns and what they are made of.

    Attributes
    ----------
    counts : (n, n_points), NaN where a pattern was not measured.
    fractions : (n, n_phases) weight fractions, each row sums to 1.
    visible : (n, n_phases) whether a phase is in the sample and stands out of the noise.
    """

    counts: FloatArray
    fractions: FloatArray
    visible: NDArray[np.bool_]


def draw_variants(
    crystals: Sequence[Crystal],
    two_theta: FloatArray,
    *,
    radiation: Radiation,
    n: int,
    ranges: Ranges,
    rng: np.random.Generator,
    told: Progress | None = None,
) -> Variants:
    """Return `n` variants of each phase.

    Parameters
    ----------
    two_theta : (n_points,) evenly spaced [deg].
    told : hears of the progress, phase by phase.
    """
    columns = np.empty((len(crystals), n, len(two_theta)), dtype=np.float32)
    for i, crystal in enumerate(crystals):
        for k in range(n):
            columns[i, k] = column(
                two_theta,
                draw_state(crystal, ranges, rng),
                radiation=radiation,
                resolution=draw_resolution(ranges, rng),
            )
        if told is not None:
            told(i + 1, len(crystals))
    return Variants(two_theta, columns)


def mix(
    variants: Variants,
    n: int,
    *,
    most_phases: int,
    ranges: Ranges,
    rng: np.random.Generator,
) -> Mixtures:
    """Return `n` simulated patterns of 1 … `most_phases` phases.

    Fractions are uniform on the simplex above `LEAST_FRACTION`. A phase is visible if what it adds
    to the pattern exceeds `SEEN` times the counting noise, in quadrature over measured points.
    """
    n_phases, n_variants, _ = variants.columns.shape
    most = min(most_phases, n_phases)
    fractions = np.zeros((n, n_phases))
    bragg = np.zeros((n, len(variants.two_theta)))
    parts: list[tuple[NDArray[np.intp], FloatArray]] = []
    for i, held in enumerate(rng.integers(1, most + 1, n)):
        phases = rng.permutation(n_phases)[:held]
        share = LEAST_FRACTION + (1 - held * LEAST_FRACTION) * rng.dirichlet(np.ones(held))
        chosen = variants.columns[phases, rng.integers(n_variants, size=held)]
        part = share[:, None] * chosen.astype(np.float64)
        fractions[i, phases] = share
        bragg[i] = part.sum(axis=0)
        parts.append((phases, part))
    shifts = rng.uniform(-ranges.displacement, ranges.displacement, n)
    counts, expected, scale = counted(displaced(bragg, variants.two_theta, shifts), ranges, rng)
    counts = shortened(counts, variants.two_theta, ranges, rng)
    inside = np.isfinite(counts)
    visible = np.zeros((n, n_phases), dtype=np.bool_)
    for i, (phases, part) in enumerate(parts):
        signal = part * scale[i]
        square = (signal**2 / np.maximum(expected[i], 1.0))[:, inside[i]].sum(axis=1)
        visible[i, phases] = np.sqrt(square) > SEEN
    return Mixtures(counts, fractions, visible)
