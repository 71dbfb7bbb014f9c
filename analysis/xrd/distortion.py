"""Is a cell distorted: one pattern fitted with a length of the cell free, and tied to another.

Near a transition to higher symmetry two lengths of a cell come together. The pattern says where
they still differ: the model with one length more is kept where its evidence is higher.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.physics.cell import CELL_NAMES
from analysis.xrd.fit import Fit, fit_pattern
from analysis.xrd.forward import PhaseState
from analysis.xrd.layout import Layout
from analysis.xrd.preprocess import FitRange

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tied(Layout):
    """A layout in which a length of a phase's cell equals another.

    Attributes
    ----------
    tied : (phase index, name of the length that goes, name of the length it equals).
    """

    tied: tuple[int, str, str] = (0, "c", "b")

    def __post_init__(self) -> None:
        phase, gone, _ = self.tied
        slots = [slot for slot in self._make_slots() if (slot.phase, slot.name) != (phase, gone)]
        object.__setattr__(self, "slots", tuple(slots))

    def phase(self, i: int, vector: FloatArray) -> PhaseState:
        """Return phase `i` as the vector describes it, the tied length set."""
        return self.free().phase(i, self.freed(vector))

    def free(self) -> Layout:
        """Return the layout without the tie."""
        return Layout(
            self.crystals, self.resolution, self.fix_resolution, self.texture, self.refine_b
        )

    def freed(self, vector: FloatArray) -> FloatArray:
        """Return the vector of the layout without the tie, that describes the same."""
        phase, gone, kept = self.tied
        start = dict(zip(CELL_NAMES, self.crystals[phase].cell, strict=True))
        value = vector[self.index(kept, phase=phase)] * start[kept] / start[gone]
        return np.insert(vector, self.free().index(gone, phase=phase), value)

    def bound(self, vector: FloatArray) -> FloatArray:
        """Return a vector of the layout without the tie, shortened to this one's."""
        phase, gone, _ = self.tied
        return np.delete(vector, self.free().index(gone, phase=phase))


@dataclass(frozen=True, slots=True)
class Distortion:
    """Both models of one pattern.

    Attributes
    ----------
    chi2_free, chi2_tied : weighted sums of squares.
    overdispersion : reduced χ² of the free model, at least 1: what counting does not explain.
    n_points : of the pattern.
    """

    chi2_free: float
    chi2_tied: float
    overdispersion: float
    n_points: int

    @property
    def log_evidence_ratio(self) -> float:
        """Natural logarithm of free over tied, −ΔBIC / 2 (Schwarz 1978, Ann. Statist. 6, 461).

        χ² is divided by the overdispersion, so that what no model explains does not count for one
        of them (quasi-likelihood; McCullagh 1983, Ann. Statist. 11, 59).
        """
        gain = (self.chi2_tied - self.chi2_free) / self.overdispersion
        return 0.5 * (gain - float(np.log(self.n_points)))


def distortion(data: FitRange, fit: Fit, *, tied: tuple[int, str, str]) -> Distortion:
    """Return how a fit compares with one of its lengths tied to another.

    Each model starts from the other's end too, and keeps the better of its two ends: neither is
    judged by an unlucky search.

    Parameters
    ----------
    data : the pattern.
    fit : of a plain `Layout`, all lengths free.
    tied : as in `Tied`.
    """
    problem = fit.problem
    free = problem.layout
    layout = Tied(
        free.crystals, free.resolution, free.fix_resolution, free.texture, free.refine_b, tied=tied
    )
    lower = _fit(data, layout, layout.bound(fit.vector), like=fit)
    again = _fit(data, free, layout.freed(lower.vector), like=fit)
    best = min(fit, again, key=_chi2)
    lower = min(lower, _fit(data, layout, layout.bound(again.vector), like=fit), key=_chi2)
    return Distortion(
        chi2_free=_chi2(best),
        chi2_tied=_chi2(lower),
        overdispersion=max(best.chi2_reduced, 1.0),
        n_points=len(data.counts),
    )


def _fit(data: FitRange, layout: Layout, start: FloatArray, *, like: Fit) -> Fit:
    return fit_pattern(
        data,
        layout=layout,
        radiation=like.problem.radiation,
        background_order=like.problem.basis.shape[1] - 2,  # Besides orders 1 …: 0 and 1/2θ.
        start=start,
    )


def _chi2(fit: Fit) -> float:
    return float(fit.residual @ fit.residual)
