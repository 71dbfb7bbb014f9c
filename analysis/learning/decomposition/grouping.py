"""Grouping: the phases that one factorisation, its factors merged, makes of curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import linear_sum_assignment

from analysis.learning.decomposition.merging import absorb_fragments, group_heights, merge_alike
from analysis.learning.decomposition.nmf import TINY, Factors
from analysis.learning.decomposition.shifts import logarithmic_axis, resample

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Merging:
    """In which ways factors are made into phases; which way is best is chosen anew for each set.

    Attributes
    ----------
    n_starts : over-complete factorisations of each number of factors.
    n_factors : numbers of factors, half as many again whenever phases come near the largest; at
        most half the number of curves.
    unlikeness : one minus the cross-correlation, up to which factors are merged.
    least_dominance : share of a curve's highest peaks that a phase reaches somewhere.
    largest_shift : relative change of scale over a solid solution.
    blur : width [in ln x] by which patterns are smoothed before they are compared.
    peak_width : shift [in ln x] up to which two factors in one curve may be one phase.
    """

    n_starts: int = 3
    n_factors: tuple[int, ...] = (10, 16)
    unlikeness: tuple[float, ...] = (0.04, 0.07, 0.10, 0.15, 0.25)
    least_dominance: tuple[float, ...] = (0.5, 0.65, 0.75)
    largest_shift: float = 0.06
    blur: float = 0.002
    peak_width: float = 0.008


STANDARD = Merging()
"""The ways that are tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """A factorisation whose factors are given to phases.

    Attributes
    ----------
    factors : of the curves.
    labels : (n_factors,) phase of each factor; the most abundant phase is 0.
    fractions : (n_curves, n_phases) share in the sum of the phases' highest points.
    """

    factors: Factors
    labels: NDArray[np.int64]
    fractions: FloatArray

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        return int(self.fractions.shape[1])


def groupings(
    x: FloatArray,
    factors: Factors,
    *,
    merging: Merging,
    most_phases: int | None = None,
) -> list[Grouping]:
    """Return the phases of a factorisation, once for each way of merging.

    Parameters
    ----------
    x : (n_points,) axis of the patterns, above 0.
    most_phases : that a curve keeps, the largest; None for all.
    """
    axis = logarithmic_axis(x)
    step = float(np.log(axis[1] / axis[0]))
    smooth = gaussian_filter1d(resample(factors.patterns, x, axis), merging.blur / step, axis=1)
    merged = [
        merge_alike(
            smooth,
            factors.weights,
            largest_shift=max(int(merging.largest_shift / step), 1),
            unlikeness=unlikeness,
            peak_width=int(merging.peak_width / step),
        )
        for unlikeness in merging.unlikeness
    ]
    return [
        _ordered(factors, absorb_fragments(factors, labels, least_dominance=least), most_phases)
        for labels in merged
        for least in merging.least_dominance
    ]


def _ordered(factors: Factors, labels: NDArray[np.int64], most_phases: int | None) -> Grouping:
    """Return a grouping whose most abundant phase is 0."""
    order = np.argsort(-phase_fractions(factors, labels).sum(axis=0))
    labels = np.argsort(order)[labels].astype(np.int64)
    return Grouping(factors, labels, phase_fractions(factors, labels, most=most_phases))


def most_agreed(groupings: Sequence[Grouping], *, most: int) -> list[Grouping]:
    """Return the groupings that differ least from all, each once, the most agreed first.

    Agreement as in Brunet et al. (2004, doi:10.1073/pnas.0308531101): what is found again and again
    is more probably there.

    Parameters
    ----------
    most : groupings that are returned.
    """
    kinds: dict[tuple[int, bytes], list[Grouping]] = {}
    for g in groupings:
        kinds.setdefault((id(g.factors), g.labels.tobytes()), []).append(g)
    some = [same[0] for same in kinds.values()]
    counts = np.array([len(same) for same in kinds.values()])
    unlike = np.array([[_unlike(a.fractions, b.fractions) for b in some] for a in some])
    order = np.argsort((unlike + unlike.T) @ counts, kind="stable")
    return [some[i] for i in order[:most]]


def phase_fractions(
    factors: Factors, labels: NDArray[np.int64], *, most: int | None = None
) -> FloatArray:
    """Return each phase's share in the sum of the phases' highest points, (n_curves, n_phases).

    Parameters
    ----------
    most : phases that a curve keeps, the largest; None for all.
    """
    heights = group_heights(factors, labels)
    if most is not None and most < heights.shape[1]:
        least = np.sort(heights, axis=1)[:, -most, None]
        heights = np.where(heights >= least, heights, 0.0)
    return np.asarray(heights / (heights.sum(axis=1, keepdims=True) + TINY))


def matched_columns(columns: FloatArray, like: FloatArray) -> FloatArray:
    """Return columns in the order of those of `like` that they match one to one, else 0.

    Matched by the highest sum of cosines (Hungarian algorithm); same shape as `like`.
    """
    rows, targets = linear_sum_assignment(-_cosines_between(columns, like))
    found = np.zeros_like(like)
    found[:, targets] = columns[:, rows]
    return found


def _unlike(one: FloatArray, other: FloatArray) -> float:
    """Return half the mean absolute difference of fractions; phases without a partner count."""
    matched = matched_columns(other, one)
    return float(np.abs(matched - one).sum() + (1 - matched.sum(axis=1)).sum()) / (2 * len(one))


def _cosines_between(left: FloatArray, right: FloatArray) -> FloatArray:
    norms = np.outer(np.linalg.norm(left, axis=0), np.linalg.norm(right, axis=0)) + TINY
    return np.asarray(left.T @ right / norms)
