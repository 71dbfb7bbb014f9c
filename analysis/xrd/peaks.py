"""Peaks of a powder pattern: positions of the strongest line, with their uncertainty, and areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import find_peaks as local_maxima
from scipy.signal import savgol_filter

from analysis.xrd.radiation import Radiation

FloatArray = NDArray[np.float64]

BACKGROUND_WINDOW = 3.0
"""Width [deg] of the rolling minimum: wider than a peak, narrower than a hump of glass."""

SMOOTHING_WINDOW = 0.12
"""Width [deg] of the Savitzky-Golay filter, about the narrowest laboratory peak."""

THRESHOLD = 5.0
"""Least height of a peak in standard deviations of the smoothed pattern's noise."""

LEAST_HEIGHT = 0.005
"""Least height of a peak as a share of the highest."""


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Peaks in order of angle.

    Attributes
    ----------
    two_theta : (n_peaks,) centroid of the part above half height [deg].
    std : (n_peaks,) of `two_theta`, from counting alone [deg].
    area : (n_peaks,) sum above background within the half-height part [counts · deg].
    height : (n_peaks,) above background [counts].
    significance : (n_peaks,) height in standard deviations of the smoothed pattern's noise.
    """

    two_theta: FloatArray
    std: FloatArray
    area: FloatArray
    height: FloatArray
    significance: FloatArray

    def __len__(self) -> int:
        return len(self.two_theta)


def find_peaks(two_theta: FloatArray, counts: FloatArray, *, radiation: Radiation) -> Peaks:
    """Return the peaks that stand out of noise and background.

    A second line of the radiation is stripped first. Overlapping peaks without a saddle count as
    one. Noise is taken from the pattern itself, so that scaled counts are treated alike.

    Parameters
    ----------
    two_theta, counts : (n_points,) pattern on an even grid [deg], [counts].
    """
    step = float(np.median(np.diff(two_theta)))
    background = _background(counts, _odd(BACKGROUND_WINDOW / step))
    stripped = strip_second_line(two_theta, counts - background, radiation=radiation)
    noise = _noise(counts)
    window = max(_odd(SMOOTHING_WINDOW / step), 5)
    smooth = savgol_filter(stripped, window, 2)
    calm = noise * 1.5 / np.sqrt(window)
    least = np.maximum(THRESHOLD * calm, LEAST_HEIGHT * smooth.max())
    tops, found = local_maxima(smooth, height=least, prominence=least, width=1, rel_height=0.5)
    rows = [
        _describe(two_theta, smooth, noise, left, right, step)
        for left, right in zip(found["left_ips"], found["right_ips"], strict=True)
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    order = np.argsort(table[:, 0])
    position, std, area = table[order].T
    height = np.asarray(smooth[tops][order])
    return Peaks(position, std, area, height, height / calm[tops][order])


def strip_second_line(
    two_theta: FloatArray, counts: FloatArray, *, radiation: Radiation
) -> FloatArray:
    """Return a background-free pattern as the strongest line alone would give it, (n_points,).

    Rachinger (1948), doi:10.1088/0950-7671/25/7/125: I₁(s) = I(s) − r I₁(s λ₁/λ₂) with s = sin θ,
    written as its geometric series in r. Radiation of one line, or more than two, is left as it is.
    """
    if len(radiation.lines) != 2:
        return counts.copy()
    (strong, weight), (weak, weight_2) = sorted(radiation.lines, key=lambda line: -line[1])
    ratio = weight_2 / weight
    sine = np.sin(np.radians(two_theta / 2))
    stripped = np.zeros_like(counts)
    for k in range(12):  # r = 1/2: what is left out is 2⁻¹² of the pattern
        angle = 2 * np.degrees(np.arcsin(np.clip(sine * (strong / weak) ** k, -1, 1)))
        stripped += (-ratio) ** k * np.interp(angle, two_theta, counts, left=0.0)
    return stripped


def _describe(
    two_theta: FloatArray,
    height: FloatArray,
    noise: FloatArray,
    left: float,
    right: float,
    step: float,
) -> tuple[float, float, float]:
    part = slice(int(left), int(np.ceil(right)) + 1)
    x, weight, sigma = two_theta[part], np.maximum(height[part], 0.0), noise[part]
    total = float(weight.sum())
    position = float(weight @ x / total)
    std = float(np.sqrt(((x - position) ** 2 * sigma**2).sum()) / total)
    return position, max(std, 0.02 * step), total * step


def _background(counts: FloatArray, window: int) -> FloatArray:
    calm = uniform_filter1d(counts, 5, mode="nearest")
    lowest = minimum_filter1d(calm, window, mode="nearest")
    return np.asarray(uniform_filter1d(lowest, window, mode="nearest"))


def _noise(counts: FloatArray) -> FloatArray:
    """Return the noise of each point: its level from third differences, its rise as √counts."""
    third = np.abs(np.diff(counts, 3))
    level = float(np.median(third)) / (0.6745 * np.sqrt(20.0))
    floor = max(level, 1e-9 * float(counts.max()))
    typical = max(float(np.median(counts)), 1e-9 * float(counts.max()))
    return np.asarray(floor * np.sqrt(np.maximum(counts / typical, 1.0)))


def _odd(points: float) -> int:
    return 2 * max(int(points / 2), 1) + 1
