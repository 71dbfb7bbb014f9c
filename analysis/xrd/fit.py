"""Full-profile fit of known phases: starting values, refinement and figures of merit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares

from analysis.xrd.background import background_basis
from analysis.xrd.layout import Layout
from analysis.xrd.preprocess import FitRange
from analysis.xrd.projection import Problem
from analysis.xrd.radiation import Radiation

FloatArray = NDArray[np.float64]

DISPLACEMENTS = (-0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15)
"""Starting displacements [deg] that are tried."""

SIZES = (1500.0, 250.0, 80.0)
"""Starting sizes [Å] that are tried, all phases alike."""

MAX_EVALUATIONS = 40
"""Evaluations of the residual after which a refinement stops."""

TOLERANCE = 1e-5
"""Relative change of the sum of squares at which a refinement has converged."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A refined pattern.

    Attributes
    ----------
    problem : what was fitted.
    vector : (n,) refined profile parameters in the order of the layout.
    scales : (n_phases,) scale factors; proportional to mass.
    calculated, background : (n_points,) in counts.
    converged : whether the search ended by its tolerance.
    """

    problem: Problem
    vector: FloatArray
    scales: FloatArray
    counts: FloatArray
    calculated: FloatArray
    background: FloatArray
    converged: bool

    @property
    def weights(self) -> FloatArray:
        """(n_phases,) mass fractions."""
        return np.asarray(self.scales / self.scales.sum(), dtype=np.float64)

    @property
    def residual(self) -> FloatArray:
        """(n_points,) observed minus calculated over sigma."""
        return np.asarray((self.counts - self.calculated) / self.problem.sigma, dtype=np.float64)

    @property
    def n_parameters(self) -> int:
        """Number of refined numbers, scales and background included."""
        n_scales = int(np.count_nonzero(self.scales))
        return len(self.vector) + n_scales + int(self.problem.basis.shape[1])

    @property
    def chi2_reduced(self) -> float:
        """Weighted sum of squares over degrees of freedom."""
        freedom = max(len(self.counts) - self.n_parameters, 1)
        return float(self.residual @ self.residual / freedom)


def fit_pattern(
    data: FitRange,
    *,
    layout: Layout,
    radiation: Radiation,
    background_order: int,
    anomalous: bool = True,
    start: FloatArray | None = None,
) -> Fit:
    """Return the refined pattern of known phases.

    Starting values of displacement and size are the best of a small grid; then everything is
    refined together by a trust-region search in the profile parameters (see `projection`).

    Parameters
    ----------
    data : the pattern.
    background_order : order of the Chebyshev background, to which 1/2θ is added.
    anomalous : False leaves out f′ and f″, to see what they do.
    start : (n,) vector to start from instead of the grid, such as a neighbour's result.
    """
    problem = Problem(
        data.two_theta,
        data.counts,
        data.sigma,
        basis=background_basis(data.two_theta, order=background_order),
        layout=layout,
        radiation=radiation,
        anomalous=anomalous,
    )
    found = least_squares(
        problem.residual,
        best_start(problem) if start is None else _inside(start, layout),
        jac=problem.jacobian,
        bounds=layout.bounds,
        method="trf",
        x_scale="jac",
        ftol=TOLERANCE,
        xtol=1e-6,
        gtol=1e-8,
        max_nfev=MAX_EVALUATIONS,
    )
    solution = problem.solve(found.x)
    background = problem.background(found.x)
    return Fit(
        problem=problem,
        vector=found.x,
        scales=solution.scales,
        counts=data.counts,
        calculated=background + solution.columns @ solution.scales,
        background=background,
        converged=bool(found.status > 0),
    )


def _inside(vector: FloatArray, layout: Layout) -> FloatArray:
    """Return a vector a little within the bounds, where the search can move both ways."""
    low, high = layout.bounds
    margin = 1e-3 * (high - low)
    return np.asarray(np.clip(vector, low + margin, high - margin), dtype=np.float64)


def best_start(problem: Problem) -> FloatArray:
    """Return the starting vector with the smallest residual on a grid of displacement and size.

    Columns are drawn once for each size and moved by interpolation: it need only be told which
    start is best.
    """
    x = problem.two_theta
    cosine = np.cos(np.radians(x / 2))
    sizes = [i for i, slot in enumerate(problem.layout.slots) if slot.name == "size"]
    best: tuple[float, FloatArray] | None = None
    for size in SIZES:
        vector = problem.layout.start
        vector[sizes] = np.log(size)
        drawn = CubicSpline(x, problem.columns(vector))
        for displacement in DISPLACEMENTS:
            moved = vector.copy()
            moved[0] = displacement
            columns = drawn(np.clip(x - displacement * cosine, x[0], x[-1]))
            total = problem.cost(moved, columns)
            if best is None or total < best[0]:
                best = total, moved
    assert best is not None
    return best[1]
