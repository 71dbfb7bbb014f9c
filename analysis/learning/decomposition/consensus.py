"""Phases found without labels: several factorisations, merged, and what they agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import linear_sum_assignment

from analysis.learning.decomposition.merging import absorb_fragments, group_heights, merge_alike
from analysis.learning.decomposition.nmf import TINY, Factors, factorise
from analysis.learning.decomposition.shifts import logarithmic_axis, resample

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Merging:
    """How factors become phases; the numbers were chosen on simulated spreads.

    Attributes
    ----------
    n_factors : of each over-complete factorisation; several, so that their answers can be compared.
        At most half the number of curves is used.
    largest_shift : relative change of scale over a solid solution.
    unlikeness : one minus the cross-correlation, up to which factors are merged.
    least_dominance : share of a curve's highest peaks that a phase reaches somewhere.
    blur : width [in ln x] by which patterns are smoothed before they are compared.
    peak_width : shift [in ln x] up to which two factors in one curve may be one phase.
    """

    n_factors: tuple[int, ...] = (10, 10, 10, 10)
    largest_shift: float = 0.06
    unlikeness: float = 0.10
    least_dominance: float = 0.65
    blur: float = 0.002
    peak_width: float = 0.008


@dataclass(frozen=True, slots=True, eq=False)
class Demixed:
    """Phases of a set of curves.

    Attributes
    ----------
    x : (n_points,) axis.
    factors : of the chosen factorisation.
    labels : (n_factors,) phase of each factor.
    fractions : (n_curves, n_phases) share in the sum of the phases' highest points, rows sum to 1.
    std : (n_curves, n_phases) spread of the fractions over the factorisations.
    presence : (n_curves, n_phases) share of the factorisations that see the phase in the curve.
    unexplained : (n_curves,) share of a curve's area that the phases do not explain.
    disagreement : (n_curves,) share of the factorisations that see another set of phases.
    numbers : phases that each factorisation found.
    """

    x: FloatArray
    factors: Factors
    labels: NDArray[np.int64]
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

    def contributions(self, weights: FloatArray | None = None) -> FloatArray:
        """Return each phase's part of each curve, (n_curves, n_phases, n_points), curve height 1.

        Parameters
        ----------
        weights : (n_curves, n_factors), those of the demixed curves if None.
        """
        used = self.factors.weights if weights is None else weights
        groups = [self.labels == g for g in range(self.n_phases)]
        return np.stack([used[:, g] @ self.factors.patterns[g] for g in groups], axis=1)


def demix(
    x: FloatArray,
    curves: FloatArray,
    *,
    rng: np.random.Generator,
    merging: Merging = Merging(),
    detection_limit: float = 0.05,
    most_phases: int | None = None,
) -> Demixed:
    """Return the phases of a set of curves, their number found by agreement.

    Each of several over-complete factorisations is merged for itself. The number of phases and the
    answer are those of the factorisation that agrees best with the others (a medoid), as stability
    chooses in Brunet et al. (2004, doi:10.1073/pnas.0308531101). Reconstruction error cannot: with
    texture and moving peaks it falls with every factor that is added.

    Parameters
    ----------
    x : (n_points,) increasing, above 0; a change of scale of it is a change of cell.
    curves : (n_curves, n_points), at least 0, none all 0.
    detection_limit : fraction from which a phase counts as present.
    most_phases : in one curve (Gibbs's phase rule), the others' fractions become 0; None for any
        number.
    """
    height = curves.max(axis=1, keepdims=True)
    if np.any(height <= 0):
        raise ValueError(f"curve {int(height.argmin())} is 0 everywhere; leave it out")
    scaled = curves / height
    runs = [_one(x, scaled, n, rng=rng, merging=merging) for n in merging.n_factors]
    answers = [phase_fractions(*run, most=most_phases) for run in runs]
    best = _medoid(answers)
    (factors, labels), fractions = runs[best], answers[best]
    matched = np.stack([matched_columns(answer, fractions) for answer in answers])
    present = matched >= detection_limit
    return Demixed(
        x=x,
        factors=factors,
        labels=labels,
        fractions=fractions,
        std=np.sqrt(((matched - fractions) ** 2).mean(axis=0)),
        presence=present.mean(axis=0),
        unexplained=_unexplained(scaled, factors.weights @ factors.patterns),
        disagreement=(present != (fractions >= detection_limit)).any(axis=2).mean(axis=0),
        numbers=tuple(answer.shape[1] for answer in answers),
    )


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


def explain(
    demixed: Demixed, curve: FloatArray, *, n_iterations: int = 500
) -> tuple[FloatArray, float]:
    """Return the known phases' fractions in a new curve, (n_phases,), and what is left of it.

    The Kullback–Leibler updates of `factorise` with patterns held; what is left is a share of the
    curve's area.

    Parameters
    ----------
    curve : (n_points,) on the axis of `demixed`, at least 0.
    """
    scaled = curve / curve.max()
    patterns = demixed.factors.patterns
    weights = np.full(len(patterns), scaled.sum() / patterns.sum())
    for _ in range(n_iterations):
        ratio = scaled / (weights @ patterns + TINY)
        weights = weights * (patterns @ ratio) / (patterns.sum(axis=1) + TINY)
    left = _unexplained(scaled[None], (weights @ patterns)[None])
    return phase_fractions(Factors(weights[None], patterns), demixed.labels)[0], float(left[0])


def calls_for_demixing(demixed: Demixed, left: float, *, factor: float = 2.0) -> bool:
    """Return whether a new curve is so badly explained that the set should be demixed anew.

    Parameters
    ----------
    left : unexplained share of the new curve, from `explain`.
    factor : how many times worse than 95 % of the demixed curves it may be.
    """
    return left > factor * float(np.quantile(demixed.unexplained, 0.95))


def _unexplained(curves: FloatArray, calculated: FloatArray) -> FloatArray:
    left = np.abs(curves - calculated).sum(axis=1) / curves.sum(axis=1)
    return np.asarray(np.minimum(left, 1.0), dtype=np.float64)


def _one(
    x: FloatArray, scaled: FloatArray, n: int, *, rng: np.random.Generator, merging: Merging
) -> tuple[Factors, NDArray[np.int64]]:
    n_factors = max(1, min(n, len(scaled) // 2))
    factors = factorise(scaled, n_factors, rng=rng)
    axis = logarithmic_axis(x)
    step = float(np.log(axis[1] / axis[0]))
    smooth = gaussian_filter1d(resample(factors.patterns, x, axis), merging.blur / step, axis=1)
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
