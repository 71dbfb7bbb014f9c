"""Choosing among groupings: which set of phases explains the curves with few phases in each.

The misfit alone cannot choose, for with texture and moving peaks it falls with every phase that is
added. But a phase too many, a fragment or a copy, is found in the same curves as the phase it
belongs to, so that curves seem to hold more phases; two phases taken for one leave a misfit. The
sum of both has its minimum near the truth. No truth is needed to compute it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.learning.decomposition.grouping import Grouping
from analysis.learning.decomposition.shifts import resample
from analysis.learning.decomposition.stretched import (
    Alignment,
    Stretched,
    align,
    refine,
    unexplained_share,
)

FloatArray = NDArray[np.float64]

PRICE = 1.1
"""Of one more phase in every curve, in units of ln of the unexplained share. Chosen on 24 spreads
of `analysis.xrd.demixing_worlds`; any number from 0.9 to 1.5 does within 0.02 as
well there."""

ROUGH_TURNS, ROUGH_POINTS, ROUGH_FAINT = 40, 700, 0.01
"""Of the refinement that candidates are compared by; about so many points of a curve are used."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A grouping, roughly refined.

    Attributes
    ----------
    grouping, alignment : of the factors.
    stretched : on a coarse axis.
    cost : ln of the mean unexplained share + price × mean number of phases in a curve.
    """

    grouping: Grouping
    alignment: Alignment
    stretched: Stretched
    cost: float


def candidates(
    x: FloatArray,
    curves: FloatArray,
    groupings: Sequence[Grouping],
    *,
    largest_shift: float,
    detection_limit: float,
    most_phases: int | None = None,
) -> list[Candidate]:
    """Return the groupings, roughly refined, the cheapest first.

    Parameters
    ----------
    x : (n_points,) axis of the curves, above 0.
    curves : (n_curves, n_points), highest points 1.
    largest_shift : between two factors of a phase, in ln x.
    detection_limit : fraction from which a phase counts as present.
    most_phases : in one curve; None for any number.
    """
    found = []
    for one in groupings:
        alignment = align(x, one.factors, one.labels, largest_shift=largest_shift)
        every = max(round(len(alignment.axis) / ROUGH_POINTS), 1)
        on_axis = resample(curves, x, alignment.axis)[:, ::every]
        start = alignment.start(one.factors.weights).coarser(every)
        rough = refine(
            on_axis, start, most_phases=most_phases, n_iterations=ROUGH_TURNS, faint=ROUGH_FAINT
        )
        cost = _cost(on_axis, rough, detection_limit=detection_limit)
        found.append(Candidate(one, alignment, rough, cost))
    return sorted(found, key=lambda candidate: candidate.cost)


def _cost(curves: FloatArray, found: Stretched, *, detection_limit: float) -> float:
    left = unexplained_share(curves, found.parts().sum(axis=1)).mean()
    crowd = (found.fractions >= detection_limit).sum(axis=1).mean()
    return float(np.log(left + 1e-6) + PRICE * crowd)
