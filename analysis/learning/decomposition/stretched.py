"""Stretched factorisation: one pattern a phase, its scale free in every curve.

A curve is the sum over phases of weight × pattern, and each phase's axis may be stretched by its
own factor in each curve, as thermal expansion or alloying stretches a lattice: the model of Gu et
al. (2024, doi:10.1038/s41524-024-01377-5). On an axis of ln x a stretch is a shift. Not modelled:
intensities of a phase that change between curves (texture), and axes that stretch unevenly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.learning.decomposition.nmf import FLOOR, TINY, Factors
from analysis.learning.decomposition.shifts import (
    best_shifts,
    logarithmic_axis,
    resample,
    shifted,
    shifted_back,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FAINT = 1e-3
"""Share of a curve's largest weight below which a phase leaves it, unless said otherwise."""

SEEN = 0.1
"""Points of a pattern seen with less than this share of the largest weight are left empty: at the
ends of the range, where only curves of one stretch reach, nothing can be said."""

BASELINE = 1e-4
"""Added to calculated curves of height 1, so that noise between peaks is nobody's."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretched:
    """Curves as sums of weighted, stretched patterns.

    Attributes
    ----------
    axis : (n_points,) evenly spaced in ln x.
    patterns : (n_phases, n_points) on `axis`, highest point 1.
    shifts : (n_curves, n_phases) [points of `axis`], to higher x.
    weights : (n_curves, n_phases), at least 0; the height of a phase in a curve.
    """

    axis: FloatArray
    patterns: FloatArray
    shifts: FloatArray
    weights: FloatArray

    @property
    def step(self) -> float:
        """Distance of two points in ln x."""
        return float(np.log(self.axis[1] / self.axis[0]))

    @property
    def fractions(self) -> FloatArray:
        """Share of each phase in the sum of the phases' heights, (n_curves, n_phases)."""
        return np.asarray(self.weights / (self.weights.sum(axis=1, keepdims=True) + TINY))

    def coarser(self, every: int) -> Stretched:
        """Return the same on every so manyth point of the axis."""
        return Stretched(
            self.axis[::every], self.patterns[:, ::every], self.shifts / every, self.weights
        )

    def parts(self) -> FloatArray:
        """Return each phase's part of each curve on `axis`, (n_curves, n_phases, n_points)."""
        copies = [shifted(p, s)[0] for p, s in zip(self.patterns, self.shifts.T, strict=True)]
        return np.asarray(np.stack(copies, axis=1) * self.weights[:, :, None])


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Factors grouped to phases, and how far each stands from its phase's pattern.

    Attributes
    ----------
    axis : (n_points,) evenly spaced in ln x.
    labels : (n_factors,) phase of each factor.
    offsets : (n_factors,) [points of `axis`].
    patterns : (n_phases, n_points): mean of a phase's factors, offsets taken back.
    """

    axis: FloatArray
    labels: IntArray
    offsets: FloatArray
    patterns: FloatArray

    def start(self, weights: FloatArray) -> Stretched:
        """Return weights and mean offsets of the phases where factors weigh this much.

        Parameters
        ----------
        weights : (n_curves, n_factors).
        """
        heights, shifts = [], []
        for k in range(len(self.patterns)):
            mine = weights[:, self.labels == k] + FLOOR
            heights.append(mine.sum(axis=1))
            shifts.append(mine @ self.offsets[self.labels == k] / heights[-1])
        return Stretched(self.axis, self.patterns, np.stack(shifts, 1), np.stack(heights, 1))


def align(x: FloatArray, factors: Factors, labels: IntArray, *, largest_shift: float) -> Alignment:
    """Return grouped factors laid on one another.

    Parameters
    ----------
    x : (n_points,) axis of the factors, above 0.
    labels : (n_factors,) 0 … n_phases − 1.
    largest_shift : between two factors of a phase, in ln x.
    """
    axis = logarithmic_axis(x)
    step = float(np.log(axis[1] / axis[0]))
    curves = resample(factors.patterns, x, axis)
    _, between = best_shifts(curves, largest=max(int(largest_shift / step), 1))
    total = factors.weights.sum(axis=0)
    offsets = np.zeros(len(labels))
    patterns = []
    for k in range(int(labels.max()) + 1):
        group = np.flatnonzero(labels == k)
        first = group[total[group].argmax()]
        offsets[group] = between[first, group]
        laid = shifted_back(curves[group], offsets[group])
        pattern = total[group] @ laid
        patterns.append(pattern / pattern.max())
    return Alignment(axis, labels, offsets, np.array(patterns))


def unexplained_share(curves: FloatArray, calculated: FloatArray) -> FloatArray:
    """Return the share of each curve's area that is left, (n_curves,), at most 1."""
    left = np.abs(curves - calculated).sum(axis=1) / curves.sum(axis=1)
    return np.asarray(np.minimum(left, 1.0))


def refine(
    curves: FloatArray,
    start: Stretched,
    *,
    most_phases: int | None = None,
    hold_patterns: bool = False,
    n_iterations: int = 150,
    faint: float = FAINT,
) -> Stretched:
    """Return the stretched factorisation that a start leads to.

    Weights and patterns follow the multiplicative updates for the Kullback–Leibler divergence (Lee
    & Seung 2001), with shifted patterns in place of the patterns; shifts take damped Gauss–Newton
    steps of at most one point. Patterns and shifts take turns.

    Parameters
    ----------
    curves : (n_curves, n_points) on the axis of `start`, highest points near 1.
    most_phases : in one curve (Gibbs's phase rule), from a third of the turns on; None for any.
    hold_patterns : True fits weights and shifts only, for new curves.
    n_iterations : turns.
    faint : share of a curve's largest weight below which a phase leaves the curve.
    """
    found = start
    for turn in range(n_iterations):
        ruled = most_phases if turn >= n_iterations // 3 else None
        present = _present(found.weights, ruled, faint=faint)
        found = replace(found, weights=np.where(present, found.weights, 0.0))
        copies = [_copy(found, present, k) for k in range(len(found.patterns))]
        found = _weighed(curves, found, copies)
        if hold_patterns or turn % 2 == 0:
            found = _moved(curves, found, copies)
        else:
            found = _reshaped(curves, found, copies)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Copies:
    """A phase's shifted patterns and slopes in the curves, `rows`, that hold it."""

    rows: IntArray
    values: FloatArray
    slopes: FloatArray


def _present(weights: FloatArray, most: int | None, *, faint: float) -> NDArray[np.bool_]:
    present = weights > faint * weights.max(axis=1, keepdims=True)
    if most is not None and most < weights.shape[1]:
        present &= weights >= np.sort(weights, axis=1)[:, -most, None]
    return np.asarray(present)


def _copy(found: Stretched, present: NDArray[np.bool_], k: int) -> _Copies:
    rows = np.flatnonzero(present[:, k])
    return _Copies(rows, *shifted(found.patterns[k], found.shifts[rows, k]))


def _calculated(found: Stretched, copies: list[_Copies], n_points: int) -> FloatArray:
    total = np.full((len(found.weights), n_points), BASELINE)
    for k, copy in enumerate(copies):
        total[copy.rows] += found.weights[copy.rows, k, None] * copy.values
    return total


def _weighed(curves: FloatArray, found: Stretched, copies: list[_Copies]) -> Stretched:
    ratio = curves / _calculated(found, copies, curves.shape[1])
    weights = found.weights.copy()
    for k, copy in enumerate(copies):
        gain = (copy.values * ratio[copy.rows]).sum(axis=1)
        weights[copy.rows, k] *= gain / (copy.values.sum(axis=1) + FLOOR)
    return replace(found, weights=weights)


def _moved(curves: FloatArray, found: Stretched, copies: list[_Copies]) -> Stretched:
    calculated = _calculated(found, copies, curves.shape[1])
    left, variance = curves - calculated, calculated + 0.01
    shifts = found.shifts.copy()
    for k, copy in enumerate(copies):
        slopes = found.weights[copy.rows, k, None] * copy.slopes
        weighted = slopes / variance[copy.rows]
        gradient = (left[copy.rows] * weighted).sum(axis=1)
        # Damped: overlapping peaks share the residual, faint phases hardly move.
        step = gradient / (1.5 * (slopes * weighted).sum(axis=1) + 0.02)
        shifts[copy.rows, k] += np.clip(step, -1.0, 1.0)
    return replace(found, shifts=shifts)


def _reshaped(curves: FloatArray, found: Stretched, copies: list[_Copies]) -> Stretched:
    ratio = curves / _calculated(found, copies, curves.shape[1])
    patterns, weights = found.patterns.copy(), found.weights.copy()
    for k, copy in enumerate(copies):
        if not copy.rows.size:
            continue
        weight, shift = weights[copy.rows, k], found.shifts[copy.rows, k]
        gain = weight @ shifted_back(ratio[copy.rows], shift)
        seen = weight @ shifted_back(np.ones_like(ratio[copy.rows]), shift)
        known = seen >= SEEN * seen.max()
        changed = np.where(known, np.maximum(patterns[k] * gain / (seen + FLOOR), FLOOR), FLOOR)
        patterns[k] = changed / changed.max()
        weights[:, k] *= changed.max()
    return replace(found, patterns=patterns, weights=weights)
