"""Microabsorption: coarse grains of a strongly absorbing phase show too little of it.

Brindley (1945), Phil. Mag. 36, 347: a spherical grain of radius R in a powder of mean
absorption μ̄ diffracts τ = ⟨exp(−(μ − μ̄) ℓ)⟩ of what its volume should, ℓ being the path in the
grain. Scale factors divided by τ are proportional to mass.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analysis.physics.crystal import Crystal
from analysis.physics.reflections import linear_attenuation

FloatArray = NDArray[np.float64]

GRID = 24
"""Points along each axis of the quadrature over a sphere; τ is then good to 0.2 %."""

ITERATIONS = 6
"""Rounds of fractions → mean absorption → fractions; each gains a digit."""

CM_PER_UM = 1e-4


def brindley_factor(contrast: FloatArray) -> FloatArray:
    """Return τ for (μ − μ̄) R, at 2θ = 90°.

    Parameters
    ----------
    contrast : (n,) difference of linear absorption times radius, dimensionless.
    """
    paths = np.multiply.outer(contrast, _paths())
    return np.asarray(np.exp(-paths).mean(axis=-1), dtype=np.float64)


def corrected_weights(
    scales: FloatArray, crystals: Sequence[Crystal], *, diameter: float, wavelength: float
) -> FloatArray:
    """Return mass fractions corrected for microabsorption, (n_phases,).

    Parameters
    ----------
    scales : (n_phases,) scale factors of columns per unit mass, at least one positive.
    diameter : of the grains, all phases alike [µm]; 0 corrects nothing.
    wavelength : of the X-rays [Å].
    """
    weights = scales / scales.sum()
    if diameter == 0 or len(scales) == 1:
        return np.asarray(weights, dtype=np.float64)
    mu = np.array([linear_attenuation(c, wavelength=wavelength) for c in crystals])
    density = np.array([c.density for c in crystals])
    for _ in range(ITERATIONS):
        volumes = weights / density
        mean = float(volumes @ mu / volumes.sum())
        tau = brindley_factor((mu - mean) * diameter / 2 * CM_PER_UM)
        weights = scales / tau / np.sum(scales / tau)
    return np.asarray(weights, dtype=np.float64)


@lru_cache(maxsize=1)
def _paths() -> FloatArray:
    """Path lengths in a unit sphere of beams that enter along x and leave along y."""
    axis = (np.arange(GRID) + 0.5) / GRID * 2 - 1
    x, y, z = (values.ravel() for values in np.meshgrid(axis, axis, axis))
    inside = x**2 + y**2 + z**2 < 1
    x, y, z = x[inside], y[inside], z[inside]
    entering = x + np.sqrt(1 - y**2 - z**2)
    leaving = np.sqrt(1 - x**2 - z**2) - y
    return np.asarray(entering + leaving, dtype=np.float64)
