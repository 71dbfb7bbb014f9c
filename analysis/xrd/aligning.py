"""Aligning: scans of one sample that was mounted anew in between, brought to the same height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

FARTHEST = 0.15
"""Largest displacement between two mountings that is looked for [deg]."""

FINENESS = 0.005
"""Steps in which it is looked for [deg]."""

BLUR = 0.06
"""Width over which both scans are averaged before they are compared [deg]: noise between points
would favour half a step."""

SIGNIFICANT = 6.0
"""Fall of χ², in its standard deviation between scans of noise, below which a displacement is
chance and the scan stays where it is."""


def aligned(scans: Sequence[Measurement], times: Sequence[float]) -> list[Measurement]:
    """Return scans with angles as if the sample had never been taken out.

    The scan of the widest range is the reference. Every other one is displaced by δ cosθ, a sample
    that stands at another height, where the overlap of both says so beyond doubt.

    Parameters
    ----------
    times : counting time of each scan's points [s].
    """
    widest = int(np.argmax([float(m.x[-1] - m.x[0]) for m in scans]))
    reference = scans[widest], times[widest]
    return [
        scan if k == widest else _moved(scan, displacement(scan, time, *reference))
        for k, (scan, time) in enumerate(zip(scans, times, strict=True))
    ]


def displacement(
    scan: Measurement, time: float, reference: Measurement, reference_time: float
) -> float:
    """Return by how much a scan's peaks stand above the reference's at θ = 0 [deg].

    By least squares of the rates, in steps of `FINENESS`; 0 where χ² falls too little to be sure
    (`SIGNIFICANT`), or where the scans overlap by less than a degree.
    """
    inside = (scan.x > reference.x[0] + FARTHEST) & (scan.x < reference.x[-1] - FARTHEST)
    x = scan.x[inside]
    if len(x) < 10 or x[-1] - x[0] < 1.0:
        return 0.0
    rate, variance = _rate(scan, time)
    known, known_variance = _rate(reference, reference_time)
    tried = np.arange(-FARTHEST, FARTHEST + FINENESS / 2, FINENESS)
    cosine = np.cos(np.radians(x) / 2)
    fits = []
    for shift in tried:
        at = x - shift * cosine
        off = rate[inside] - np.interp(at, reference.x, known)
        noise = variance[inside] + np.interp(at, reference.x, known_variance)
        fits.append(float((off**2 / noise).sum()))
    # χ² of n points varies by √2n, and by more after the blur, when neighbours share their counts.
    shared = max(BLUR / float(np.median(np.diff(scan.x))), 1.0)
    chance = SIGNIFICANT * np.sqrt(2.0 * len(x) * shared)
    fall = fits[int(np.argmin(np.abs(tried)))] - min(fits)
    return float(tried[int(np.argmin(fits))]) if fall > chance else 0.0


def _rate(scan: Measurement, time: float) -> tuple[FloatArray, FloatArray]:
    """Return blurred counts per second of a point, and their variance."""
    width = max(round(BLUR / float(np.median(np.diff(scan.x)))), 1)
    counts = uniform_filter1d(scan.y, width, mode="nearest")
    variance = np.maximum(counts, 1.0 / width) / width
    return counts / time, variance / time**2


def _moved(scan: Measurement, shift: float) -> Measurement:
    if shift == 0.0:
        return scan
    return replace(scan, x=scan.x - shift * np.cos(np.radians(scan.x) / 2))
