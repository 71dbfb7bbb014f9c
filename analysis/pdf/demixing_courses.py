"""What a factorised series says: fractions with std, stretches, and where they change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.learning.decomposition.curve_fit import parts_of
from analysis.learning.decomposition.series import Series
from analysis.pdf.demixing import SeriesCurves
from analysis.pdf.transitions import Courses, Transition, change_probabilities, places

FloatArray = NDArray[np.float64]

SEEN = 0.1
"""Fraction from which a phase's stretch is stated."""

LEAST_NOISE = {"fraction": 0.02, "stretch": 5e-4}
"""Of courses: what a factorisation leaves open. Chosen on 36 simulated series: one of the 12 that
have no transition shows one, and all 36 changes of the others are found."""

MODEL_STD = 0.006
"""Added in squares to the std of fractions. With it 80 % of the errors were below one std and 95 %
below two on 10 simulated mixtures with effects that nothing here models (cells that expand
unevenly, scales that scatter), pure phases in sight; on 12 without them it is far too large."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A series, read; rows in the order of its variable.

    Attributes
    ----------
    series : factorised, phases in the order of their total weight, known ones first.
    fractions, fraction_std : (n_curves, n_phases).
    stretches : (n_curves, n_phases) of lengths, over their weighted mean in the series.
    seen : (n_curves, n_phases) whether the stretch is to be believed.
    calculated : (n_curves, n_points).
    unexplained : (n_curves,) norm of what is left over that of the curve.
    gaps : (n_curves − 1,) probability of a change between two curves.
    transitions : the probable ones.
    """

    series: Series
    fractions: FloatArray
    fraction_std: FloatArray
    stretches: FloatArray
    seen: NDArray[np.bool_]
    calculated: FloatArray
    unexplained: FloatArray
    gaps: FloatArray
    transitions: tuple[Transition, ...]

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        return int(self.fractions.shape[1])

    def parts(self, i: int) -> FloatArray:
        """Return each phase's part of a curve, (n_phases, n_points), widening left out."""
        return parts_of(self.series.model, self.series.fits[i])


def read(data: SeriesCurves, series: Series, *, n_known: int = 0) -> Reading:
    """Return what a factorised series says.

    Parameters
    ----------
    n_known : phases at the front that keep their place.
    """
    series = series.reordered(_order(series, n_known))
    fractions = series.fractions
    stretches = lengths(series, over_r=data.x_name == "r")
    left = (data.curves - series.calculated)[:, data.model.observed]
    norm = np.linalg.norm(data.curves[:, data.model.observed], axis=1)
    gaps = change_probabilities(data.variable, courses(fractions, series.stretches))
    return Reading(
        series=series,
        fractions=fractions,
        fraction_std=_fraction_std(series, left, data.oversampling),
        stretches=stretches,
        seen=fractions >= SEEN,
        calculated=series.calculated,
        unexplained=np.linalg.norm(left, axis=1) / norm,
        gaps=gaps,
        transitions=tuple(places(data.variable, gaps)),
    )


def courses(fractions: FloatArray, stretches: FloatArray) -> Courses:
    """Return the numbers whose changes are sought: fractions but one, and stretches.

    The less there is of a phase, the less is known of its stretch.

    Parameters
    ----------
    fractions, stretches : (n_curves, n_phases).
    """
    n_curves, n_phases = fractions.shape
    scarcity = 1 / np.maximum(fractions, 1e-3)
    return Courses(
        values=np.column_stack([fractions[:, 1:], stretches]),
        noise=np.column_stack([np.ones((n_curves, n_phases - 1)), scarcity]),
        least_noise=np.repeat(
            [LEAST_NOISE["fraction"], LEAST_NOISE["stretch"]], [n_phases - 1, n_phases]
        ),
    )


def lengths(series: Series, *, over_r: bool) -> FloatArray:
    """Return the stretches of lengths over their mean in the series, (n_curves, n_phases)."""
    weights = series.weights + 1e-12
    mean = (weights * series.stretches).sum(axis=0) / weights.sum(axis=0)
    centred = series.stretches - mean
    return np.asarray(np.exp(centred if over_r else -centred))


def _order(series: Series, n_known: int) -> NDArray[np.int64]:
    total = series.weights.sum(axis=0)
    rest = n_known + np.argsort(-total[n_known:], kind="stable")
    return np.append(np.arange(n_known), rest).astype(int)


def _fraction_std(series: Series, left: FloatArray, oversampling: float) -> FloatArray:
    variance = (left**2).mean(axis=1, keepdims=True) * oversampling
    weights = np.array([fit.weight_variance for fit in series.fits]) * variance
    total = series.weights.sum(axis=1, keepdims=True)
    fractions = series.fractions
    # Of w / Σw, errors of the weights taken as independent.
    own = (1 - fractions) ** 2 * weights
    others = fractions**2 * (weights.sum(axis=1, keepdims=True) - weights)
    return np.asarray(np.hypot(np.sqrt(own + others) / np.maximum(total, 1e-12), MODEL_STD))
