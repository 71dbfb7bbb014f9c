"""Texturing: which phases of a fit lie flat, and along which axis, told from the fit itself.

A pressed powder is seldom random: plates lie flat, needles lie down. Where nobody said along which
axis, this file looks: near a refined fit each phase's pattern is replaced by its textured ones, and
what each would bring is the fall of the sum of squares with all scales readjusted. The best, if it
brings enough, is to be refined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from analysis.physics.crystal import Crystal
from analysis.physics.reflections import reflections
from analysis.xrd.fit import Fit
from analysis.xrd.forward import PhaseState, column, march_dollase
from analysis.xrd.layout import Axis, Layout
from analysis.xrd.misfit import Misfit, assess
from analysis.xrd.projection import Problem

FloatArray = NDArray[np.float64]

AXES: tuple[Axis, ...] = (
    (0, 0, 1),
    (1, 0, 0),
    (0, 1, 0),
    (1, 1, 0),
    (1, 0, 1),
    (0, 1, 1),
    (1, 1, 1),
)
"""Axes that are looked at; habits are seldom bounded by planes of higher indices."""

TRIED = (0.5, 0.75, 1.4, 2.2)
"""March's r of the textured patterns."""

LEAST_FALL = 12.0
"""Fall of the sum of squares, per correlated misfit, from which a texture is refined."""

LEAST_SHARE = 0.02
"""Share of the Bragg area below which a phase's texture cannot be told."""

COARSE = 2.0
"""Spacing [Å] down to which reflections tell whether two axes are alike by symmetry."""


def find_textures(
    fit: Fit, misfit: Misfit, *, known: Mapping[str, Axis]
) -> dict[str, tuple[Axis, float]]:
    """Return phase → (axis, March's r) of the phases whose texture should be refined.

    Phases are taken one after the other, the one that brings most first, each along one axis; those
    `known` to be textured are not looked at.

    Parameters
    ----------
    known : phase → axis that is refined already.
    """
    problem = fit.problem
    layout = problem.layout
    columns = problem.solve(fit.vector).columns
    areas = columns.sum(axis=0) * fit.scales
    looked = [
        i
        for i, c in enumerate(layout.crystals)
        if c.name not in known and areas[i] > LEAST_SHARE * areas.sum()
    ]
    bare = background_free(problem)
    tried = {
        i: [(axis, r, bare(drawn[:, None])[:, 0]) for axis, r, drawn in _textured(fit, i)]
        for i in looked
    }
    table = bare(columns)
    target = bare(fit.counts[:, None])[:, 0]
    unit = max(misfit.chi2_reduced, 1.0) * misfit.correlation
    found: dict[str, tuple[Axis, float]] = {}
    rest = _rest(table, target)
    while any(tried.values()):
        best = min(
            (
                (_rest(_with(table, i, shape), target), i, axis, r, shape)
                for i, shapes in tried.items()
                for axis, r, shape in shapes
            ),
            key=lambda option: option[0],
        )
        if rest - best[0] < LEAST_FALL * unit:
            break
        rest, i, axis, r, shape = best
        table = _with(table, i, shape)
        found[layout.crystals[i].name] = axis, r
        del tried[i]
    return found


def textured(fit: Fit, refine: Callable[[Layout, FloatArray | None], Fit]) -> Fit:
    """Return a fit refined with the textures that it asks for, or itself if it asks for none.

    Parameters
    ----------
    refine : fits the same pattern with a layout, from a vector of it.
    """
    layout = fit.problem.layout
    found = find_textures(fit, assess(fit), known=layout.texture)
    if not found:
        return fit
    axes = {name: axis for name, (axis, _) in found.items()}
    wanted = replace(layout, texture={**layout.texture, **axes})
    start = carried(fit, wanted)
    for i, crystal in enumerate(layout.crystals):
        if crystal.name in found:
            start[wanted.index("texture", phase=i)] = np.log(found[crystal.name][1])
    return refine(wanted, start)


def textures_of(fit: Fit) -> dict[str, tuple[Axis, float]]:
    """Return phase → (axis, March's r) of the textures that were refined."""
    layout = fit.problem.layout
    found = {}
    for i, crystal in enumerate(layout.crystals):
        if crystal.name in layout.texture:
            ln_r = fit.vector[layout.index("texture", phase=i)]
            found[crystal.name] = layout.texture[crystal.name], float(np.exp(ln_r))
    return found


def carried(fit: Fit, layout: Layout) -> FloatArray:
    """Return a vector, (n,), of a layout with what a fit of these phases or more found of it."""
    old = fit.problem.layout
    known = {
        (None if s.phase is None else old.crystals[s.phase].name, s.name): v
        for s, v in zip(old.slots, fit.vector, strict=True)
    }
    names = [None if s.phase is None else layout.crystals[s.phase].name for s in layout.slots]
    return np.array(
        [known.get((n, s.name), s.start) for n, s in zip(names, layout.slots, strict=True)]
    )


def axes_of(crystal: Crystal) -> list[Axis]:
    """Return the axes of `AXES` that differ for a crystal's symmetry."""
    listed = reflections(crystal, d_min=min(COARSE, max(crystal.cell[:3]) / 3), wavelength=1.54)
    kept: list[tuple[Axis, FloatArray]] = []
    for axis in AXES:
        factor = march_dollase(listed, cell=crystal.cell, axis=axis, r=0.5)
        if not any(np.allclose(factor, other, rtol=1e-6) for _, other in kept):
            kept.append((axis, factor))
    return [axis for axis, _ in kept]


def _textured(fit: Fit, i: int) -> Iterable[tuple[Axis, float, FloatArray]]:
    """Yield axis, r and pattern of phase `i` with each texture."""
    problem = fit.problem
    layout = problem.layout
    state: PhaseState = layout.phase(i, fit.vector)
    for axis in axes_of(layout.crystals[i]):
        for r in TRIED:
            drawn = column(
                problem.two_theta,
                replace(state, texture_r=r, texture_axis=axis),
                radiation=problem.radiation,
                resolution=layout.instrument(fit.vector),
                displacement=layout.displacement(fit.vector),
                anomalous=problem.anomalous,
            )
            yield axis, r, drawn


def background_free(problem: Problem) -> Callable[[FloatArray], FloatArray]:
    """Return what divides columns, (n_points, n), by sigma and takes the background out of them."""
    background, _ = np.linalg.qr(problem.basis / problem.sigma[:, None])

    def bare(columns: FloatArray) -> FloatArray:
        weighted = columns / problem.sigma[:, None]
        return np.asarray(weighted - background @ (background.T @ weighted))

    return bare


def _with(table: FloatArray, i: int, shape: FloatArray) -> FloatArray:
    changed = table.copy()
    changed[:, i] = shape
    return changed


def _rest(table: FloatArray, target: FloatArray) -> float:
    """Return the smallest sum of squares with scales of at least 0."""
    norms = np.maximum(np.linalg.norm(table, axis=0), 1e-300)
    span, triangle = np.linalg.qr(table / norms)
    seen = span.T @ target
    return float(target @ target - seen @ seen + nnls(triangle, seen)[1] ** 2)
