"""Phases found without labels: several factorisations, merged, and what they agree on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import linear_sum_assignment

from analysis.learning.decomposition.merging import absorb_fragments, group_heights, merge_alike
from analysis.learning.decomposition.nmf import TINY, Factors, factorise
from analysis.learning.decomposition.shifts import logarithmic_axis, resample
from analysis.learning.decomposition.stretched import Alignment, Stretched, align, refine

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Merging:
    """How factors become phases; the numbers were chosen on simulated spreads.

    Attributes
    ----------
    n_starts : over-complete factorisations whose answers are compared.
    n_factors : of each; None for `factors_for` the number of curves, which is never exceeded by
        more than half of them.
    largest_shift : relative change of scale over a solid solution.
    power : of the intensities before patterns are compared; below 1 positions count for more than
        heights, which texture changes.
    unlikeness : one minus the cross-correlation, up to which factors are merged.
    least_dominance : share of a curve's highest peaks that a phase reaches somewhere.
    blur : width [in ln x] by which patterns are smoothed before they are compared.
    peak_width : shift [in ln x] up to which two factors in one curve may be one phase.
    """

    n_starts: int = 4
    n_factors: int | None = None
    largest_shift: float = 0.07
    power: float = 0.5
    unlikeness: float = 0.15
    least_dominance: float = 0.65
    blur: float = 0.002
    peak_width: float = 0.008


MOST_FACTORS = 24
"""Of a factorisation, and so the most phases that can be found."""


def factors_for(n_curves: int) -> int:
    """Return how many factors a set gets: more than phases, more for a larger set, 10 … 24."""
    return min(max(10, round(1.2 * math.sqrt(n_curves))), MOST_FACTORS, max(1, n_curves // 2))


@dataclass(frozen=True, slots=True, eq=False)
class Demixed:
    """Phases of a set of curves.

    Attributes
    ----------
    x : (n_points,) axis.
    factors : of the chosen factorisation.
    alignment : of the factors, `labels` gives the phase of each.
    stretched : the phases' patterns, weights and shifts, refined from there.
    fractions : (n_curves, n_phases) share in the sum of the phases' highest points, rows sum to 1.
    std : (n_curves, n_phases) spread of the fractions over factorisations and their refinement.
    presence : (n_curves, n_phases) share of these that see the phase in the curve.
    unexplained : (n_curves,) share of a curve's area that the phases do not explain.
    disagreement : (n_curves,) share of the answers that see another set of phases.
    numbers : phases that each factorisation found.
    """

    x: FloatArray
    factors: Factors
    alignment: Alignment
    stretched: Stretched
    fractions: FloatArray
    std: FloatArray
    presence: FloatArray
    unexplained: FloatArray
    disagreement: FloatArray
    numbers: tuple[int, ...]

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        return int(self.fractions.shape[1])

    def contributions(self) -> FloatArray:
        """Return each phase's part of each curve, (n_curves, n_phases, n_points), curve height 1.

        On `x`; beyond the logarithmic axis, by less than a point, its last value holds.
        """
        parts = self.stretched.parts()
        flat = resample(parts.reshape(-1, parts.shape[2]), self.stretched.axis, self.x)
        return flat.reshape(*parts.shape[:2], -1)


def demix(
    x: FloatArray,
    curves: FloatArray,
    *,
    rng: np.random.Generator,
    merging: Merging = Merging(),
    detection_limit: float = 0.05,
    most_phases: int | None = None,
    n_iterations: int = 150,
) -> Demixed:
    """Return the phases of a set of curves, their number found by agreement.

    Each of several over-complete factorisations is merged for itself. The number of phases is that
    of the factorisation that agrees best with the others (a medoid), as stability chooses in Brunet
    et al. (2004, doi:10.1073/pnas.0308531101). Reconstruction error cannot: with texture and moving
    peaks it falls with every factor that is added. From there one pattern a phase, its scale free
    in each curve, is refined.

    Parameters
    ----------
    x : (n_points,) increasing, above 0; a change of scale of it is a change of cell.
    curves : (n_curves, n_points), at least 0, none all 0.
    detection_limit : fraction from which a phase counts as present.
    most_phases : in one curve (Gibbs's phase rule), the others' fractions become 0; None for any
        number.
    n_iterations : of the refinement; 0 answers with the merged factors' mean patterns.
    """
    height = curves.max(axis=1, keepdims=True)
    if np.any(height <= 0):
        raise ValueError(f"curve {int(height.argmin())} is 0 everywhere; leave it out")
    scaled = curves / height
    n_factors = merging.n_factors or factors_for(len(curves))
    runs = [_one(x, scaled, n_factors, rng=rng, merging=merging) for _ in range(merging.n_starts)]
    merged = [phase_fractions(*run, most=most_phases) for run in runs]
    best = _medoid(merged)
    factors, labels = runs[best]
    alignment = align(x, factors, labels, largest_shift=merging.largest_shift)
    on_axis = resample(scaled, x, alignment.axis)
    stretched = refine(
        on_axis,
        alignment.start(factors.weights),
        most_phases=most_phases,
        n_iterations=n_iterations,
    )
    fractions = stretched_fractions(stretched)
    answers = [fractions, *(matched_columns(one, merged[best]) for one in merged)]
    present = np.stack(answers) >= detection_limit
    parts = stretched.parts()
    return Demixed(
        x=x,
        factors=factors,
        alignment=alignment,
        stretched=stretched,
        fractions=fractions,
        std=np.sqrt(((np.stack(answers[1:]) - fractions) ** 2).mean(axis=0)),
        presence=present.mean(axis=0),
        unexplained=unexplained_share(on_axis, parts.sum(axis=1)),
        disagreement=(present[1:] != present[0]).any(axis=2).mean(axis=0),
        numbers=tuple(answer.shape[1] for answer in merged),
    )


def stretched_fractions(found: Stretched) -> FloatArray:
    """Return each phase's share in the sum of the phases' heights, (n_curves, n_phases)."""
    return np.asarray(found.weights / (found.weights.sum(axis=1, keepdims=True) + TINY))


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


def unexplained_share(curves: FloatArray, calculated: FloatArray) -> FloatArray:
    """Return the share of each curve's area that is left, (n_curves,), at most 1."""
    left = np.abs(curves - calculated).sum(axis=1) / curves.sum(axis=1)
    return np.asarray(np.minimum(left, 1.0))


def _one(
    x: FloatArray, scaled: FloatArray, n: int, *, rng: np.random.Generator, merging: Merging
) -> tuple[Factors, NDArray[np.int64]]:
    n_factors = max(1, min(n, len(scaled) // 2))
    factors = factorise(scaled, n_factors, rng=rng)
    axis = logarithmic_axis(x)
    step = float(np.log(axis[1] / axis[0]))
    smooth = gaussian_filter1d(resample(factors.patterns, x, axis), merging.blur / step, axis=1)
    smooth = smooth**merging.power
    labels = merge_alike(
        smooth,
        factors.weights,
        largest_shift=max(int(merging.largest_shift / step), 1),
        unlikeness=merging.unlikeness,
        peak_width=int(merging.peak_width / step),
    )
    labels = absorb_fragments(factors, labels, least_dominance=merging.least_dominance)
    order = np.argsort(-phase_fractions(factors, labels).sum(axis=0))
    return factors, np.argsort(order)[labels].astype(np.int64)


def _medoid(fractions: Sequence[FloatArray]) -> int:
    """Return the answer whose fractions differ least from those of the others."""
    unlike = [sum(_unlike(one, other) for other in fractions) for one in fractions]
    return int(np.argmin(unlike))


def _unlike(one: FloatArray, other: FloatArray) -> float:
    """Return half the mean absolute difference of fractions; phases without a partner count."""
    matched = matched_columns(other, one)
    return float(np.abs(matched - one).sum() + (1 - matched.sum(axis=1)).sum()) / (2 * len(one))


def _cosines_between(left: FloatArray, right: FloatArray) -> FloatArray:
    norms = np.outer(np.linalg.norm(left, axis=0), np.linalg.norm(right, axis=0)) + TINY
    return np.asarray(left.T @ right / norms)
