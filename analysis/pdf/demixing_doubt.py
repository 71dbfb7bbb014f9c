"""How likely a demixed curve's fractions are wrong, from the whole series it belongs to.

Wrong means another number of phases than there are, or a fraction off by more than `TOLERANCE`.
Three things warn of it: more is left than neighbouring curves differ by, so a phase may be missing;
a phase is pure in hardly any curve, so its pattern may be a mixture; two patterns are alike, so
they may be one phase, or one constant mixture, cold and warm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import Logistic
from analysis.learning.decomposition.corners import between_neighbours
from analysis.pdf.demixing import SeriesCurves
from analysis.pdf.demixing_courses import Reading

FloatArray = NDArray[np.float64]

TOLERANCE = 0.05
"""Error of a fraction from which it is wrong."""

FEATURES = ("ln misfit over noise", "ln pure curves", "ln unlikeness")
"""What doubt is told by, in this order."""

PURE = 0.97
"""Fraction from which a curve counts as pure."""

LEARNT = Logistic(
    mean=(0.140, 1.638, -1.021),
    scale=(0.753, 0.892, 1.483),
    slopes=(0.633, -0.376, -1.544),
    offset=0.188,
)
"""From the curves of 42 simulated series (`benchmarks/pdf_doubt_of_series.py --learn`). In as many
of them no curve is pure as have pure ends: a constant end of a series looks alike in both."""

_LEAST_NOISE = 1e-6
_LEAST_UNLIKE = 1e-3
_LARGEST_SHIFT = 0.04
"""In ln x: how far patterns are moved to be compared."""


def features(data: SeriesCurves, reading: Reading) -> FloatArray:
    """Return the numbers that the doubt of each curve is told by, (n_curves, 3)."""
    noise = between_neighbours(data.curves[:, data.model.observed])
    over = np.log(np.maximum(reading.unexplained**2, _LEAST_NOISE) / max(noise, _LEAST_NOISE))
    pure = (reading.fractions > PURE).sum(axis=0).min()
    series = [np.log1p(pure), np.log(unlikeness(data, reading.series.model.patterns))]
    return np.column_stack([over, np.tile(series, (len(over), 1))])


def unlikeness(data: SeriesCurves, patterns: FloatArray) -> float:
    """Return one less the largest correlation of two patterns at any small stretch; 1 for one.

    Parameters
    ----------
    patterns : (n_phases, n_points).
    """
    axis = data.model.axis
    step = float(np.log(axis[1] / axis[0]))
    reach = int(_LARGEST_SHIFT / step)
    largest = 0.0
    for i in range(len(patterns)):
        for j in range(i):
            spectrum = np.fft.rfft(patterns[i]) * np.conj(np.fft.rfft(patterns[j]))
            product = np.fft.irfft(spectrum, n=patterns.shape[1])
            near = np.concatenate([product[: reach + 1], product[-reach:]])
            norm = float(np.linalg.norm(patterns[i]) * np.linalg.norm(patterns[j]))
            largest = max(largest, float(near.max()) / max(norm, 1e-12))
    return max(1.0 - largest, _LEAST_UNLIKE)


def doubts(data: SeriesCurves, reading: Reading) -> FloatArray:
    """Return the probability that each curve's fractions are wrong, (n_curves,)."""
    return LEARNT.probability(features(data, reading))
