"""Phases found without labels: several factorisations, merged in several ways, the best chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.learning.decomposition.choosing import Candidate, candidates
from analysis.learning.decomposition.doubts import doubts
from analysis.learning.decomposition.grouping import STANDARD, Merging, groupings, most_agreed
from analysis.learning.decomposition.nmf import Factors, factorise
from analysis.learning.decomposition.shifts import resample
from analysis.learning.decomposition.smoothness import without_islands
from analysis.learning.decomposition.stretched import (
    Alignment,
    Stretched,
    refine,
    unexplained_share,
)

FloatArray = NDArray[np.float64]

MOST_FACTORS = 24
"""Of a factorisation, and so the most phases that can be found."""


CROWDED = 0.8
"""Phases a factor, from which more factors are tried: then their number may be what limits."""

MOST_CANDIDATES = 14
"""Groupings that are refined and compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Demixed:
    """Phases of a set of curves.

    Attributes
    ----------
    x : (n_points,) axis.
    factors : of the chosen grouping.
    alignment : of the factors, `labels` gives the phase of each.
    stretched : the phases' patterns, weights and shifts, refined from there.
    fractions : (n_curves, n_phases) share in the sum of the phases' highest points, rows sum to 1.
    std : (n_curves, n_phases) of the fractions, see `doubts`.
    presence : (n_curves, n_phases) probability that the phase is in the curve.
    unexplained : (n_curves,) share of a curve's area that the phases do not explain.
    p_wrong : (n_curves,) probability that another set of phases is there.
    numbers : phases of each candidate, the chosen one first.
    """

    x: FloatArray
    factors: Factors
    alignment: Alignment
    stretched: Stretched
    fractions: FloatArray
    std: FloatArray
    presence: FloatArray
    unexplained: FloatArray
    p_wrong: FloatArray
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
    merging: Merging = STANDARD,
    detection_limit: float = 0.05,
    most_phases: int | None = None,
    n_iterations: int = 100,
    composition: FloatArray | None = None,
) -> Demixed:
    """Return the phases of a set of curves, their number found.

    Several over-complete factorisations are merged in several ways. Of the groupings on which most
    agree, each is refined roughly: one pattern a phase, its scale free in each curve. The one that
    explains the curves best with the fewest phases in each (`choosing`) is refined to the end.

    Parameters
    ----------
    x : (n_points,) increasing, above 0; a change of scale of it is a change of cell.
    curves : (n_curves, n_points), at least 0, none all 0.
    detection_limit : fraction from which a phase counts as present.
    most_phases : in one curve (Gibbs's phase rule), the others' fractions become 0; None for any
        number.
    n_iterations : of the refinement; 0 answers with the merged factors' mean patterns.
    composition : (n_curves, n_components) of the samples; where given, a little of a phase that
        none of the nearest samples holds is dropped. None if unknown.
    """
    height = curves.max(axis=1, keepdims=True)
    if np.any(height <= 0):
        raise ValueError(f"curve {int(height.argmin())} is 0 everywhere; leave it out")
    scaled = curves / height
    ranked = _ranked(
        x,
        scaled,
        rng=rng,
        merging=merging,
        detection_limit=detection_limit,
        most_phases=most_phases,
    )
    chosen = ranked[0]
    on_axis = resample(scaled, x, chosen.alignment.axis)
    stretched = refine(
        on_axis,
        chosen.alignment.start(chosen.grouping.factors.weights),
        most_phases=most_phases,
        n_iterations=n_iterations,
    )
    if composition is not None:
        weights = without_islands(stretched.weights, composition)
        stretched = replace(stretched, weights=weights)
    unexplained = unexplained_share(on_axis, stretched.parts().sum(axis=1))
    doubt = doubts(
        stretched.fractions,
        [c.stretched.fractions for c in ranked],
        costs=[c.cost for c in ranked],
        unexplained=unexplained,
        detection_limit=detection_limit,
    )
    return Demixed(
        x=x,
        factors=chosen.grouping.factors,
        alignment=chosen.alignment,
        stretched=stretched,
        fractions=stretched.fractions,
        std=doubt.std,
        presence=doubt.presence,
        unexplained=unexplained,
        p_wrong=doubt.p_wrong,
        numbers=tuple(c.grouping.n_phases for c in ranked),
    )


def _ranked(
    x: FloatArray,
    curves: FloatArray,
    *,
    rng: np.random.Generator,
    merging: Merging,
    detection_limit: float,
    most_phases: int | None,
) -> list[Candidate]:
    """Return candidates, best first, of enough factors that their number does not limit."""
    most = max(1, min(MOST_FACTORS, len(curves) // 2))
    numbers = sorted({min(n, most) for n in merging.n_factors})
    while True:
        runs = [factorise(curves, n, rng=rng) for n in numbers for _ in range(merging.n_starts)]
        merged = [
            one
            for run in runs
            for one in groupings(x, run, merging=merging, most_phases=most_phases)
        ]
        ranked = candidates(
            x,
            curves,
            most_agreed(merged, most=MOST_CANDIDATES),
            largest_shift=merging.largest_shift,
            detection_limit=detection_limit,
            most_phases=most_phases,
        )
        if numbers[-1] == most or ranked[0].grouping.n_phases < CROWDED * numbers[-1]:
            return ranked
        numbers = sorted({min(n + n // 2, most) for n in numbers})
