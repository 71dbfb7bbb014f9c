"""Many patterns with the same angles, gathered onto the grid of a world at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from analysis.errors import BadPattern
from analysis.xrd.preprocess import SMOOTHING, check_measurement
from analysis.xrd.rebin import Rebinning, extra_variance
from analysis.xrd.world import World
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

COARSEST = 1.5
"""Widest step of a measurement over the grid's: wider ones miss narrow peaks."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Patterns on a grid.

    Attributes
    ----------
    counts, sigma : (n, n_grid) mean counts of each channel and their standard deviation.
    extra_w : what wider channels add to Caglioti's w [deg²].
    """

    counts: FloatArray
    sigma: FloatArray
    extra_w: float


def gather(measurements: Sequence[Measurement], world: World) -> Gathered:
    """Return measurements that passed `check_usable`, all with the same angles, on a world's grid.

    Where there is no sigma, `y` is taken as counts. Variances are averaged over five points, as in
    `preprocess.prepare`.
    """
    first = measurements[0]
    rebinning = Rebinning(first.x, world.grid)
    counts = np.stack([m.y for m in measurements])
    variance = np.stack(
        [np.maximum(m.y, 1.0) if m.sigma is None else m.sigma**2 for m in measurements]
    )
    smooth = uniform_filter1d(rebinning.variance(variance), SMOOTHING, axis=1, mode="nearest")
    floor = 1e-6 * smooth.max(axis=1, keepdims=True)
    return Gathered(
        rebinning.mean(counts),
        np.sqrt(np.maximum(smooth, np.where(floor > 0, floor, 1.0))),
        extra_variance(first.x, world.grid),
    )


def check_usable(measurement: Measurement, world: World) -> None:
    """Raise BadPattern with a sentence if a measurement cannot be brought to the world's grid.

    It must be a powder pattern of the world's radiation, fine enough, and cover the grid.
    """
    check_measurement(measurement, radiation=world.radiation)
    x, (low, high) = measurement.x, world.two_theta
    if x[0] > low + world.step or x[-1] < high - world.step:
        raise BadPattern(
            f"{measurement.id} runs from {x[0]:g} to {x[-1]:g}°, but the networks look from "
            f"{low:g} to {high:g}°; measure that range, or train with the two_theta that it has"
        )
    widest = float(np.diff(x).max())
    if widest > COARSEST * world.step:
        raise BadPattern(
            f"{measurement.id} has steps of up to {widest:.3g}°, too coarse for peaks of "
            f"{world.narrowest:.3g}°; measure in steps of {world.step:.2g}° or less, or train for "
            "smaller crystallites"
        )
