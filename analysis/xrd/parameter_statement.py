"""What readings say: numbers with units of a laboratory, and deviations that were calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.learning.conformal import Factors
from analysis.xrd.reading import Reading
from analysis.xrd.world import Number, World

FloatArray = NDArray[np.float64]

EDGES = (10.0, 30.0, 100.0)
"""Scales of a phase, in their standard deviations, between which intervals are calibrated apart."""

MISFITS = (1.3, 2.0, 5.0)
"""Inflations of the variance between which intervals are calibrated apart: where a pattern shows
that the model is not quite right, errors are larger than it says."""

DETECTABLE = 3.0
"""Scale of a phase, in its standard deviation, from which its cell and size are stated."""

KINDS = ("fraction", "length", "angle", "size", "displacement")


FactorsOfKinds = Mapping[str, tuple[Factors, ...]]
"""Kind → factors by the signal, for each group of misfit."""


@dataclass(frozen=True, slots=True, eq=False)
class Statements:
    """What many readings say, weight fractions first, then the world's numbers.

    Attributes
    ----------
    values : (n, m).
    covariance : (n, m, m), calibrated.
    signal : (n, m) scale of the phase that a number belongs to, in its standard deviations.
    told : (n, m) whether a number is stated: its phase is seen.
    """

    values: FloatArray
    covariance: FloatArray
    signal: FloatArray
    told: NDArray[np.bool_]

    @property
    def std(self) -> FloatArray:
        """(n, m) standard deviations."""
        return np.sqrt(np.maximum(np.diagonal(self.covariance, axis1=1, axis2=2), 0.0))


def misfit_of(reading: Reading) -> NDArray[np.intp]:
    """Return which group of misfit each reading belongs to, 0 … len(MISFITS)."""
    return np.searchsorted(MISFITS, reading.inflation, side="right")


def kind_of(number: Number) -> str:
    """Return which of `KINDS` a number is."""
    if number.name in ("size", "displacement"):
        return number.name
    return "length" if number.name in "abc" else "angle"


def kinds_of(world: World) -> tuple[str, ...]:
    """Return the kinds of all that is stated, fractions first."""
    return ("fraction",) * len(world.crystals) + tuple(kind_of(n) for n in world.numbers)


def phases_of(world: World) -> tuple[int | None, ...]:
    """Return which phase each stated number belongs to, None for the instrument."""
    return (*range(len(world.crystals)), *(n.phase for n in world.numbers))


def state(reading: Reading, world: World, factors: FactorsOfKinds) -> Statements:
    """Return what readings say.

    Parameters
    ----------
    factors : by how much deviations are multiplied; 1 for a kind that is missing.
    """
    values = np.concatenate([reading.fractions, world.physical(reading.z)], axis=1)
    slopes = np.concatenate([np.ones_like(reading.fractions), world.slopes(reading.z)], axis=1)
    best = reading.signal.max(axis=1)
    signal = np.stack(
        [best if i is None else reading.signal[:, i] for i in phases_of(world)], axis=1
    )
    multiple, misfit = np.ones_like(values), misfit_of(reading)
    for k, kind in enumerate(kinds_of(world)):
        if kind in factors:
            of_misfits = np.stack([f.of(signal[:, k]) for f in factors[kind]])
            multiple[:, k] = of_misfits[misfit, np.arange(len(misfit))]
    scale = slopes * multiple
    told = signal > DETECTABLE
    told[:, : len(world.crystals)] = True
    return Statements(
        values=values,
        covariance=reading.covariance * scale[:, :, None] * scale[:, None, :],
        signal=signal,
        told=told,
    )
