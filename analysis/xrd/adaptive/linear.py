"""A refined pattern as a linear model: what it tells of each phase's scale, and what more would.

Near its best fit a pattern is linear in the scales of its phases and in everything else that was
refined (background, cells, sizes), the nuisance. What is known of the scales, with the nuisance
unknown, is the Schur complement of the Fisher information; what a further scan would add is the
same with longer counting times. So no new pattern need be simulated to judge a scan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.adaptive.model_error import highest_nearby, shown_error
from analysis.xrd.background import background_basis
from analysis.xrd.fit import Fit
from analysis.xrd.layout import Layout
from analysis.xrd.projection import Problem
from analysis.xrd.splicing import Spliced

FloatArray = NDArray[np.float64]

LOCAL = 2
"""Order of the background's polynomial, free of the measured one, where nothing was measured."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """A pattern, linear in scales and nuisance, on a grid that may reach beyond what was measured.

    Attributes
    ----------
    two_theta : (n_points,) even grid [deg].
    exposure : (n_points,) counting time so far [s]; 0 where nothing was measured.
    rate : (n_points,) calculated counts per second of counting time.
    error : (n_points,) standard deviation of the rate that wrong profiles and intensities leave,
        however long is counted: a share of the highest Bragg rate nearby.
    columns : (n_points, n_phases) change of the rate per unit of each scale.
    nuisance : (n_points, n_nuisance) the same for everything else.
    prior : (n_nuisance,) inverse variances of the nuisance before the pattern; 0 unknown.
    pull : (n_nuisance,) from the fitted nuisance to the middle of its prior.
    owner : (n_nuisance,) index of the phase that brings each, -1 where none does.
    residual : (n_points,) observed minus calculated rate, 0 where nothing was measured.
    scales : (n_phases,) as fitted.
    per_scale : a pattern per unit mass over this is the rate per unit of its scale.
    inflation : by which residuals err beyond that, or together; at least 1.
    """

    two_theta: FloatArray
    exposure: FloatArray
    rate: FloatArray
    error: FloatArray
    columns: FloatArray
    nuisance: FloatArray
    prior: FloatArray
    pull: FloatArray
    owner: NDArray[np.intp]
    residual: FloatArray
    scales: FloatArray
    per_scale: float
    inflation: float

    def weights(self, exposure: FloatArray) -> FloatArray:
        """Return the inverse variance of the rate after some counting times, (n_points,).

        Counting noise, rate / time, and the square of `error`, which no time makes smaller; both
        times `inflation`.
        """
        time = np.maximum(exposure, 1e-300)
        variance = self.rate / time + self.error**2
        return np.where(exposure > 0, 1.0 / variance, 0.0) / self.inflation

    def gram(self, weights: FloatArray) -> FloatArray:
        """Return the Fisher information of scales, then nuisance, (n, n), without priors."""
        whole = np.column_stack([self.columns, self.nuisance])
        return np.asarray(whole.T @ (whole * weights[:, None]))

    def reduced(self, gram: FloatArray) -> FloatArray:
        """Return the information on the scales with the nuisance unknown, (n_phases, n_phases).

        Parameters
        ----------
        gram : (..., n, n) Fisher information as of `gram`.
        """
        k = self.columns.shape[1]
        inner = gram[..., k:, k:] + np.diag(self.prior + 1e-12 * self._unit(gram))
        across = gram[..., :k, k:]
        back = np.linalg.solve(inner, np.swapaxes(across, -1, -2))
        found = gram[..., :k, :k] - across @ back
        return np.asarray((found + np.swapaxes(found, -1, -2)) / 2)

    def statistic(self) -> tuple[FloatArray, FloatArray]:
        """Return what the pattern tells of the scales: information Λ, and Λ times their estimate.

        The estimate may be negative; the fit itself kept scales at 0 or above.
        """
        weights = self.weights(self.exposure)
        gram = self.gram(weights)
        information = self.reduced(gram)
        k = self.columns.shape[1]
        inner = gram[k:, k:] + np.diag(self.prior + 1e-12 * self._unit(gram))
        score = self.columns.T @ (weights * self.residual)
        rest = self.nuisance.T @ (weights * self.residual) + self.prior * self.pull
        score = score - gram[:k, k:] @ np.linalg.solve(inner, rest)
        return information, information @ self.scales + score

    def freedom(self) -> FloatArray:
        """Return the logarithm of what each phase pays for its own refined numbers, (n_phases,).

        Laplace's factor of cell, size and microstrain: ½ ln(det C / det P) − ½ pullᵀ P⁻¹ pull, C
        their covariance after the pattern and P before it. At most 0: a phase that explains a
        pattern only with an unlikely cell, exactly so, explains it badly.
        """
        gram = self.gram(self.weights(self.exposure))
        k = self.columns.shape[1]
        gram += np.diag(np.concatenate([np.zeros(k), self.prior]))
        gram += np.diag(1e-12 * np.maximum(np.diag(gram), 1e-6 * gram.diagonal().max()))
        # Scaled to ones on the diagonal: scales and cells differ by many orders of magnitude.
        size = np.sqrt(np.diag(gram))
        covariance = np.linalg.inv(gram / np.outer(size, size)) / np.outer(size, size)
        paid = np.zeros(k)
        for i in range(k):
            mine = np.flatnonzero(self.owner == i)
            after = np.linalg.slogdet(covariance[np.ix_(k + mine, k + mine)])[1]
            before = -np.log(self.prior[mine]).sum()
            pull = self.prior[mine] @ self.pull[mine] ** 2
            paid[i] = 0.5 * (min(float(after - before), 0.0) - float(pull))
        return paid

    def _unit(self, gram: FloatArray) -> FloatArray:
        """Return the size of each nuisance's information, so that a silent one can be inverted."""
        k = self.columns.shape[1]
        diagonal = np.diagonal(gram, axis1=-2, axis2=-1)[..., k:]
        largest = diagonal.reshape(-1, diagonal.shape[-1]).max(axis=0)
        return np.asarray(np.maximum(largest, 1e-6 * largest.max()))


def linear_model(fit: Fit, spliced: Spliced, *, reach: tuple[float, float]) -> LinearModel:
    """Return a fit of a spliced pattern as a linear model over the angles that can be measured.

    Beyond what was measured the background is taken to go on as it ended, give or take a
    polynomial of its own.

    Parameters
    ----------
    reach : lowest and highest angle [deg] that the instrument can measure; a reach within the
        measured range changes nothing.
    """
    grid, place = _grid(spliced, reach)
    seen = np.zeros(len(grid), dtype=np.bool_)
    seen[place] = spliced.measured
    time = np.zeros(len(grid))
    time[place] = spliced.exposure
    background = np.interp(grid, fit.problem.two_theta, fit.background)
    wide = _extended(fit, grid, background)
    columns = wide.solve(fit.vector).columns / spliced.reference
    bragg = columns @ fit.scales
    rate = np.maximum(bragg + background / spliced.reference, 0.1 / spliced.reference)
    observed = np.zeros(len(grid))
    observed[seen] = fit.counts / spliced.reference
    slopes = wide.slopes(fit.vector) * wide.sigma[:, None] / spliced.reference
    basis = _backgrounds(grid, seen, fit)
    layout = fit.problem.layout
    means = np.array([slot.prior[0] for slot in layout.slots])
    model = LinearModel(
        two_theta=grid,
        exposure=time,
        rate=rate,
        error=highest_nearby(bragg, step=spliced.step),
        columns=columns,
        nuisance=np.column_stack([basis, slopes]),
        prior=np.concatenate([np.zeros(basis.shape[1]), fit.problem.prior_information]),
        pull=np.concatenate([np.zeros(basis.shape[1]), means - fit.vector]),
        owner=np.concatenate([np.full(basis.shape[1], -1), _owners(layout)]),
        residual=np.where(seen, observed - bragg - background / spliced.reference, 0.0),
        scales=fit.scales,
        per_scale=spliced.reference,
        inflation=1.0,
    )
    seen = time > 0
    share, inflation = shown_error(
        model.residual[seen], noise=rate[seen] / time[seen], nearby=model.error[seen]
    )
    return replace(model, error=share * model.error, inflation=inflation)


def _grid(spliced: Spliced, reach: tuple[float, float]) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return the spliced grid extended to `reach`, and where its cells are in that."""
    step, low, high = spliced.step, spliced.two_theta[0], spliced.two_theta[-1]
    below = _cells(low - reach[0], step)
    above = _cells(reach[1] - high, step)
    n = len(spliced.two_theta)
    grid = low + step * np.arange(-below, n + above)
    return np.asarray(grid), np.arange(below, below + n)


def _owners(layout: Layout) -> NDArray[np.intp]:
    phases = [-1 if slot.phase is None else slot.phase for slot in layout.slots]
    return np.array(phases, dtype=np.intp)


def _cells(width: float, step: float) -> int:
    """Return how many cells fit; none if they are too few for a background of their own."""
    n = int(max(width, 0.0) / step + 1e-6)
    return n if n > 10 * LOCAL else 0


def _extended(fit: Fit, grid: FloatArray, background: FloatArray) -> Problem:
    """Return the fit's problem on another grid, posed so that its scales solve it."""
    problem = fit.problem
    own = Problem(
        grid,
        np.ones_like(grid),
        np.ones_like(grid),
        basis=np.ones((len(grid), 1)),
        layout=problem.layout,
        radiation=problem.radiation,
        anomalous=problem.anomalous,
    )
    columns = np.column_stack([own.column(i, fit.vector) for i in range(len(fit.scales))])
    return Problem(
        grid,
        columns @ fit.scales + background,
        np.sqrt(np.maximum(columns @ fit.scales + background, 1.0)),
        basis=background[:, None],
        layout=problem.layout,
        radiation=problem.radiation,
        anomalous=problem.anomalous,
    )


def _backgrounds(grid: FloatArray, seen: NDArray[np.bool_], fit: Fit) -> FloatArray:
    """Return the background columns: the fit's between its ends, a polynomial of its own beyond."""
    measured = fit.problem.two_theta
    order = fit.problem.basis.shape[1] - 2
    parts = []
    inside = (grid >= measured[0]) & (grid <= measured[-1])
    block = np.zeros((len(grid), order + 2))
    block[inside] = background_basis(grid[inside], order=order)
    parts.append(block)
    for beyond in (grid < measured[0], grid > measured[-1]):
        if np.any(beyond & ~seen):
            local = np.zeros((len(grid), LOCAL + 1))
            local[beyond] = background_basis(grid[beyond], order=LOCAL, air_scatter=False)
            parts.append(local)
    return np.column_stack(parts)
