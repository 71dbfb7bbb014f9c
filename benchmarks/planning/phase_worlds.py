"""Simulated libraries of thin films: phase regions, a pattern each, and a property to be found.

Invented peaks, regions and properties; nothing is taken from a recorded library, so that what is
chosen here can be judged there. A world is drawn from its seed alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from instruments.measurement import Measurement

Array = npt.NDArray[np.float64]
Kind = Literal["step", "smooth"]

TWO_THETA = np.arange(30.0, 60.0, 0.04)
N_SAMPLES = 200
N_PHASES = 6
N_PEAKS = 5
WAVELENGTH = 1.5405929

SHARPNESS = 0.04
"""Composition over which one phase gives way to the next: a two-phase field."""

HILL, N_HILLS = 0.15, 3
"""Width of a hill of the property in composition, and how many a ``smooth`` property has."""

STRETCH = 0.015
"""Relative shift of a phase's peaks over the whole range of composition."""

TEXTURE = 0.3
"""Relative standard deviation of a peak's height from sample to sample."""

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Library:
    """A finite library.

    Attributes
    ----------
    composition : (n_samples, 3), rows sum to 1.
    patterns : (n_samples, n_points) counts.
    value : (n_samples,) of the property, to be maximised.
    """

    two_theta: Array
    composition: Array
    patterns: Array
    value: Array


def library(kind: Kind, seed: int) -> Library:
    """Return a library whose property follows its phases (``step``), or composition alone."""
    rng = np.random.default_rng([seed, 17])
    composition = rng.dirichlet([1.0, 1.0, 1.0], N_SAMPLES)
    shares = _shares(composition, rng)
    patterns = rng.poisson(_patterns(composition, shares, rng)).astype(np.float64)
    if kind == "smooth":
        value = np.sum([_hill(composition, rng) for _ in range(N_HILLS)], axis=0)
    else:
        levels = rng.permutation(np.linspace(0.0, 1.5, N_PHASES))
        hills = np.stack([_hill(composition, rng) for _ in range(N_PHASES)], axis=1)
        value = (shares * (levels + 0.5 * hills)).sum(axis=1)
    value = value + 0.03 * value.std() * rng.standard_normal(N_SAMPLES)
    return Library(TWO_THETA, composition, patterns, value)


def main_phases(seed: int) -> npt.NDArray[np.int64]:
    """Return the phase of the largest share in each sample of the library of a seed, (n_samples,).

    The library of either kind has the same compositions and shares.
    """
    rng = np.random.default_rng([seed, 17])
    composition = rng.dirichlet([1.0, 1.0, 1.0], N_SAMPLES)
    return np.asarray(_shares(composition, rng).argmax(axis=1))


def measured(library: Library, row: int) -> Measurement:
    """Return the pattern of one sample as a measurement."""
    return Measurement(
        id=f"film-{row}/xrd/0",
        sample_id=f"film-{row}",
        technique="xrd",
        x=library.two_theta,
        y=library.patterns[row],
        sigma=None,
        x_name="two_theta",
        x_unit="deg",
        y_name="intensity",
        y_unit="counts",
        instrument="recorded",
        simulated=True,
        started=START,
        finished=START,
        settings={"wavelength": WAVELENGTH},
    )


def _shares(composition: Array, rng: np.random.Generator) -> Array:
    """Return phase fractions: regions with bent borders and narrow two-phase fields."""
    centres = rng.dirichlet([1.0, 1.0, 1.0], N_PHASES)
    apart = np.linalg.norm(composition[:, None, :] - centres, axis=2)
    for k in range(N_PHASES):
        phase, direction = rng.uniform(0, 2 * np.pi), rng.standard_normal(3)
        apart[:, k] += 0.08 * np.sin(6.0 * composition @ direction + phase)
    near = np.exp(-(apart - apart.min(axis=1, keepdims=True)) / SHARPNESS)
    return np.asarray(near / near.sum(axis=1, keepdims=True))


def _patterns(composition: Array, shares: Array, rng: np.random.Generator) -> Array:
    """Return noise-free counts: shifting peaks, texture, a sloping background."""
    total = 12.0 + 6.0 * np.exp(-(TWO_THETA - TWO_THETA[0]) / 15.0)
    found = np.tile(total, (len(composition), 1))
    for k in range(shares.shape[1]):
        places = rng.uniform(TWO_THETA[0] + 1, TWO_THETA[-1] - 1, N_PEAKS)
        heights, width = rng.lognormal(4.5, 0.8, N_PEAKS), rng.uniform(0.15, 0.4)
        stretch = 1 + STRETCH * (composition @ rng.standard_normal(3))
        for place, height in zip(places, heights, strict=True):
            texture = np.exp(TEXTURE * rng.standard_normal(len(composition)))
            off = (TWO_THETA[None, :] - (place * stretch)[:, None]) / width
            found += (shares[:, k] * height * texture)[:, None] * np.exp(-0.5 * off**2)
    return found


def _hill(composition: Array, rng: np.random.Generator) -> Array:
    top = rng.dirichlet([1.0, 1.0, 1.0])
    return np.asarray(np.exp(-0.5 * ((composition - top) ** 2).sum(axis=1) / HILL**2))
