"""The refinement disposes: which of the proposed phases a pattern needs, with the evidence.

A proposed phase is kept while a full-profile fit of all of them needs it. What the fit says of a
phase, and what the networks said, become one probability by a logistic function that was fitted to
simulated mixtures with other artefacts than the networks' (`analysis.xrd.training.decisions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from analysis.physics.crystal import Crystal
from analysis.xrd.fit import Fit, fit_pattern
from analysis.xrd.layout import Axis, Layout
from analysis.xrd.misfit import Misfit, assess
from analysis.xrd.preprocess import FitRange
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import Radiation
from analysis.xrd.texturing import background_free, carried, textured

FloatArray = NDArray[np.float64]

BACKGROUND_ORDER = 8
LEAST_SHARE = 0.002
"""Share of the Bragg area below which a phase is dropped from the fit."""

LEAST_GAIN = 9.0
"""Fall of the sum of squares, per correlated misfit, below which a phase is dropped."""

ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a fit says of one phase.

    Attributes
    ----------
    gain : fall of the weighted sum of squares that the phase brings, the others' scales
        readjusted, over the reduced sum of squares times the residuals' correlation length.
    share : of the Bragg area.
    misfit : share of the phase's integrated intensity that is off.
    strain : largest relative change of a cell length.
    texture : ln of March's r, 0 if none was refined.
    """

    gain: float
    share: float
    misfit: float
    strain: float
    texture: float

    @property
    def is_needed(self) -> bool:
        """Whether the phase explains more than next to nothing."""
        return self.share > LEAST_SHARE and self.gain > LEAST_GAIN


@dataclass(frozen=True, slots=True, eq=False)
class Disposed:
    """What is left of the proposed phases.

    Attributes
    ----------
    kept : indices of the phases in the fit.
    evidence : index → evidence of every proposed phase, as it was when last in a fit.
    fit, misfit : of the phases kept; None without one.
    """

    kept: tuple[int, ...]
    evidence: dict[int, Evidence]
    fit: Fit | None
    misfit: Misfit | None


def dispose(
    data: FitRange,
    crystals: Sequence[Crystal],
    proposed: Sequence[int],
    *,
    radiation: Radiation,
    resolution: Resolution,
    texture: Mapping[str, Axis],
) -> Disposed:
    """Return which proposed phases a pattern needs.

    All are fitted together, with the textures that the fit asks for; those that explain next to
    nothing go, the rest is fitted again, until none goes.

    Parameters
    ----------
    crystals : all candidates.
    proposed : indices of those that may be there.
    texture : phase → axis along which its March–Dollase texture is refined in any case.
    """
    kept = tuple(proposed)
    evidence: dict[int, Evidence] = {}
    disposed = Disposed(kept, evidence, None, None)
    fit: Fit | None = None
    for _ in range(ROUNDS):
        if not kept:
            return Disposed((), evidence, None, None)
        chosen = [crystals[i] for i in kept]
        fit = _fitted(data, chosen, radiation, resolution, texture, before=fit)
        misfit = assess(fit)
        told = evidence_of(fit, misfit)
        evidence.update(zip(kept, told, strict=True))
        disposed = Disposed(kept, evidence, fit, misfit)
        needed = tuple(i for i, e in zip(kept, told, strict=True) if e.is_needed)
        if needed == kept:
            break
        kept = needed
    return disposed


def settle(
    data: FitRange,
    crystals: Sequence[Crystal],
    disposed: Disposed,
    named: Sequence[int],
    *,
    radiation: Radiation,
    resolution: Resolution,
    texture: Mapping[str, Axis],
) -> Disposed:
    """Return the same evidence with a fit of the named phases alone.

    A phase that was kept on little evidence and is not named must not keep its share of the mass.

    Parameters
    ----------
    named : indices of the phases that are there, at least one.
    """
    wanted = tuple(int(i) for i in named)
    if wanted == disposed.kept:
        return disposed
    fit = _fitted(
        data, [crystals[i] for i in wanted], radiation, resolution, texture, before=disposed.fit
    )
    return Disposed(wanted, disposed.evidence, fit, assess(fit))


def _fitted(
    data: FitRange,
    crystals: Sequence[Crystal],
    radiation: Radiation,
    resolution: Resolution,
    texture: Mapping[str, Axis],
    *,
    before: Fit | None,
) -> Fit:
    """Return a fit of some phases, textured where that explains much.

    Parameters
    ----------
    before : a fit of these phases among others, to start from.
    """
    wanted = {c.name: texture[c.name] for c in crystals if c.name in texture}
    kept = {} if before is None else dict(before.problem.layout.texture)
    layout = Layout(
        tuple(crystals),
        resolution,
        texture=wanted | {c.name: kept[c.name] for c in crystals if c.name in kept},
    )

    def refined(layout: Layout, start: FloatArray | None) -> Fit:
        return fit_pattern(
            data,
            layout=layout,
            radiation=radiation,
            background_order=BACKGROUND_ORDER,
            start=start,
        )

    start = None if before is None else carried(before, layout)
    return textured(refined(layout, start), refined)


def evidence_of(fit: Fit, misfit: Misfit) -> list[Evidence]:
    """Return what a fit says of each of its phases."""
    problem = fit.problem
    solution = problem.solve(fit.vector)
    bare = background_free(problem)
    weighted = bare(solution.columns)
    target = bare(fit.counts[:, None])[:, 0]
    square = float(solution.residual @ solution.residual)
    unit = max(misfit.chi2_reduced, 1.0) * misfit.correlation
    areas = (solution.columns * fit.scales).sum(axis=0)
    total = max(float(areas.sum()), 1e-300)
    norms = np.maximum(np.linalg.norm(weighted, axis=0), 1e-300)
    span, triangle = np.linalg.qr(weighted / norms)
    seen = span.T @ target
    rest = float(target @ target - seen @ seen)
    refined = {
        (slot.phase, slot.name): float(number)
        for slot, number in zip(problem.layout.slots, fit.vector, strict=True)
    }
    found = []
    for i in range(len(areas)):
        others = np.delete(triangle, i, axis=1)
        left = nnls(others, seen)[1] ** 2 if others.shape[1] else float(seen @ seen)
        gain = max(rest + left - square, 0.0) / unit
        found.append(
            Evidence(
                gain,
                float(areas[i]) / total,
                float(misfit.phase_misfit[i]),
                strain=max(abs(refined[i, name] - 1.0) for name in "abc" if (i, name) in refined),
                texture=refined.get((i, "texture"), 0.0),
            )
        )
    return found
