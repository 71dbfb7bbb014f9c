"""Phases found without labels: several factorisations, merged, and what they agree on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.learning.decomposition.grouping import (
    STANDARD,
    Grouping,
    Merging,
    group,
    matched_columns,
    medoid,
)
from analysis.learning.decomposition.nmf import Factors, factorise
from analysis.learning.decomposition.shifts import resample
from analysis.learning.decomposition.stretched import (
    Alignment,
    Stretched,
    align,
    refine,
    unexplained_share,
)

FloatArray = NDArray[np.float64]

MOST_FACTORS = 24
"""Of a factorisation, and so the most phases that can be found."""


CROWDED = 0.8
"""Phases a factor, from which more factors are tried: then their number may be what limits."""

WIDENING, LEAST_STD = 1.5, 0.003
"""Of the spread over factorisations. Chosen on seven simulated spreads, three of them with a wrong
number of phases, so that two stds hold 95 % of the true fractions; two plain ones held 78 %."""


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
    std : (n_curves, n_phases) spread of the fractions over factorisations and their refinement,
        widened.
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
    merging: Merging = STANDARD,
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
    merged = _merged(x, scaled, rng=rng, merging=merging, most_phases=most_phases)
    chosen = medoid(merged)
    alignment = align(x, chosen.factors, chosen.labels, largest_shift=merging.largest_shift)
    on_axis = resample(scaled, x, alignment.axis)
    stretched = refine(
        on_axis,
        alignment.start(chosen.factors.weights),
        most_phases=most_phases,
        n_iterations=n_iterations,
    )
    fractions = stretched.fractions
    answers = [matched_columns(g.fractions, chosen.fractions) for g in merged]
    present = np.stack([fractions, *answers]) >= detection_limit
    return Demixed(
        x=x,
        factors=chosen.factors,
        alignment=alignment,
        stretched=stretched,
        fractions=fractions,
        std=np.hypot(
            WIDENING * np.sqrt(((np.stack(answers) - fractions) ** 2).mean(axis=0)), LEAST_STD
        ),
        presence=present.mean(axis=0),
        unexplained=unexplained_share(on_axis, stretched.parts().sum(axis=1)),
        disagreement=(present[1:] != present[0]).any(axis=2).mean(axis=0),
        numbers=tuple(g.n_phases for g in merged),
    )


def _merged(
    x: FloatArray,
    curves: FloatArray,
    *,
    rng: np.random.Generator,
    merging: Merging,
    most_phases: int | None,
) -> list[Grouping]:
    """Return merged factorisations with enough factors that their number does not limit."""
    most = max(1, min(MOST_FACTORS, len(curves) // 2))
    n_factors = min(merging.n_factors, most)
    while True:
        runs = [factorise(curves, n_factors, rng=rng) for _ in range(merging.n_starts)]
        merged = [group(x, run, merging=merging, most_phases=most_phases) for run in runs]
        if n_factors == most or medoid(merged).n_phases < CROWDED * n_factors:
            return merged
        n_factors = min(n_factors + n_factors // 2, most)
