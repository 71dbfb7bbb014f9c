"""What an experiment and its reduction add to F(Q): counting noise and slow errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Faults:
    """How bad a measurement is.

    Attributes
    ----------
    noise : standard deviation of S(Q) at every Q; F(Q) has Q times it.
    slow_factor : relative error of F(Q) that changes slowly with Q: normalisation, efficiency.
    slow_offset : error of S(Q) that changes slowly with Q: background, Compton scattering.
    """

    noise: float
    slow_factor: float
    slow_offset: float


def draw_faults(rng: np.random.Generator) -> Faults:
    """Return faults as synchrotron and laboratory data may have them, log-uniform by judgement."""
    low, high = np.log([[5e-4, 1e-2], [0.01, 0.2], [0.002, 0.05]]).T
    noise, factor, offset = np.exp(rng.uniform(low, high))
    return Faults(float(noise), float(factor), float(offset))


def measured_f_q(
    f_q: FloatArray, q: FloatArray, faults: Faults, *, rng: np.random.Generator
) -> FloatArray:
    """Return F(Q) [1/Å] as it might have been measured, (n_q,).

    Parameters
    ----------
    f_q : (n_q,) without any error.
    q : (n_q,) momentum transfer [1/Å], increasing.
    """
    factor = 1 + faults.slow_factor * _slow(q, rng=rng)
    offset = faults.slow_offset * _slow(q, rng=rng) + faults.noise * rng.normal(size=q.size)
    return f_q * factor + q * offset


def _slow(q: FloatArray, *, rng: np.random.Generator) -> FloatArray:
    """Return a smooth curve of about unit size through six random knots."""
    knots = np.linspace(q[0], q[-1], 6)
    return np.asarray(CubicSpline(knots, rng.normal(size=knots.size))(q))
