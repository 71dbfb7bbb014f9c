"""Variable projection: a fit in the nonlinear parameters alone.

For given profile parameters the phase scales (not negative) and the background coefficients are
the solution of a linear least-squares problem, so only the profile parameters are searched.
Golub & Pereyra (1973), doi:10.1137/0710036; the Jacobian is Kaufman's (1975),
doi:10.1007/BF01932995. A column's derivatives are those of its peaks' profiles, written down, times
finite differences of the peak list, which is far shorter than the pattern.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from analysis.xrd.drawing import Peaks, draw, draw_changes
from analysis.xrd.forward import peaks
from analysis.xrd.layout import Layout
from analysis.xrd.radiation import Radiation

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The linear part at one vector of profile parameters.

    Attributes
    ----------
    columns : (n_points, n_phases) patterns per unit mass.
    scales : (n_phases,) scale factors, at least 0.
    residual : (n_points,) weighted residual, observed minus calculated over sigma.
    """

    columns: FloatArray
    scales: FloatArray
    residual: FloatArray


class Problem:
    """A pattern to be fitted by some phases over a background.

    Parameters
    ----------
    two_theta, counts, sigma : (n_points,) the pattern.
    basis : (n_points, n_background) background columns.
    layout : what is refined.
    anomalous : whether structure factors have f′ and f″.
    """

    def __init__(
        self,
        two_theta: FloatArray,
        counts: FloatArray,
        sigma: FloatArray,
        *,
        basis: FloatArray,
        layout: Layout,
        radiation: Radiation,
        anomalous: bool = True,
    ) -> None:
        self.two_theta = two_theta
        self.sigma = sigma
        self.basis = basis
        self.layout = layout
        self.radiation = radiation
        self.anomalous = anomalous
        self._weighted = counts / sigma
        self._background, _ = np.linalg.qr(basis / sigma[:, None])
        self._target = self._without_background(self._weighted)
        self._memory: tuple[bytes, Solution] | None = None
        self._prior_mean = np.array([slot.prior[0] for slot in layout.slots])
        self._prior_std = np.array([slot.prior[1] for slot in layout.slots])

    def column(self, i: int, vector: FloatArray) -> FloatArray:
        """Return phase `i`'s pattern per unit mass, (n_points,)."""
        return draw(self.two_theta, self._peaks(i, vector))

    def columns(self, vector: FloatArray) -> FloatArray:
        """Return every phase's pattern per unit mass, (n_points, n_phases)."""
        n_phases = len(self.layout.crystals)
        return np.column_stack([self.column(i, vector) for i in range(n_phases)])

    def cost(self, vector: FloatArray, columns: FloatArray) -> float:
        """Return the sum of squares of `residual`, were the patterns at a vector those given.

        Parameters
        ----------
        columns : (n_points, n_phases) patterns per unit mass.
        """
        residual, prior = self._solve_columns(columns).residual, self._prior(vector)
        return float(residual @ residual + prior @ prior)

    def solve(self, vector: FloatArray) -> Solution:
        """Return scales and residual at a vector; the last answer is remembered."""
        key = vector.tobytes()
        if self._memory is None or self._memory[0] != key:
            self._memory = key, self._solve_columns(self.columns(vector))
        return self._memory[1]

    def residual(self, vector: FloatArray) -> FloatArray:
        """Return weighted residuals followed by those of the priors."""
        return np.concatenate([self.solve(vector).residual, self._prior(vector)])

    def jacobian(self, vector: FloatArray) -> FloatArray:
        """Return the derivative of `residual`, (n_points + n_priors, n_parameters)."""
        slopes = self.slopes(vector)
        active = self.solve(vector).scales > 0
        columns = self._without_background(self.solve(vector).columns / self.sigma[:, None])
        span, _ = np.linalg.qr(columns[:, active])
        projected = self._without_background(slopes)
        projected -= span @ (span.T @ projected)
        return np.vstack([-projected, np.diag(1 / self._prior_std)])

    def slopes(self, vector: FloatArray) -> FloatArray:
        """Return the weighted derivative of the calculated pattern at fixed scales, (n, p)."""
        scales = self.solve(vector).scales
        out = np.zeros((len(vector), len(self.two_theta)))
        for i in map(int, np.flatnonzero(scales > 0)):
            moving = [k for k, s in enumerate(self.layout.slots) if s.phase in (None, i)]
            listed = self._peaks(i, vector)
            changes = [self._change(i, k, vector, listed) for k in moving]
            out[moving] += scales[i] * draw_changes(self.two_theta, listed, changes)
        return np.asarray(out.T / self.sigma[:, None], dtype=np.float64)

    def _peaks(self, i: int, vector: FloatArray) -> Peaks:
        layout = self.layout
        return peaks(
            self.two_theta,
            layout.phase(i, vector),
            radiation=self.radiation,
            resolution=layout.instrument(vector),
            displacement=layout.displacement(vector),
            anomalous=self.anomalous,
        )

    def _change(self, i: int, k: int, vector: FloatArray, listed: Peaks) -> Peaks:
        """Return the derivative of phase `i`'s peaks with number `k`."""
        slot = self.layout.slots[k]
        step = slot.step if vector[k] + slot.step <= slot.high else -slot.step
        moved = vector.copy()
        moved[k] += step
        return self._peaks(i, moved).slope_from(listed, step=step)

    def information(self, vector: FloatArray) -> FloatArray:
        """Return JᵀJ of all refined numbers, (n, n); its inverse is their covariance.

        The order is phases (all of them), background columns, then the layout's slots. Priors
        are not in it: see `prior_information`.
        """
        columns = self.solve(vector).columns
        weighted = np.column_stack([columns, self.basis]) / self.sigma[:, None]
        jacobian = np.column_stack([weighted, self.slopes(vector)])
        return np.asarray(jacobian.T @ jacobian, dtype=np.float64)

    @property
    def prior_information(self) -> FloatArray:
        """(n_slots,) inverse variances of the slots' priors."""
        return np.asarray(1 / self._prior_std**2, dtype=np.float64)

    def background(self, vector: FloatArray) -> FloatArray:
        """Return the fitted background, (n_points,)."""
        solution = self.solve(vector)
        rest = self._weighted - solution.columns @ solution.scales / self.sigma
        smooth = self._background @ (self._background.T @ rest)
        return np.asarray(smooth * self.sigma, dtype=np.float64)

    def _solve_columns(self, columns: FloatArray) -> Solution:
        projected = self._without_background(columns / self.sigma[:, None])
        norms = np.linalg.norm(projected, axis=0)
        norms[norms == 0] = 1.0
        span, triangle = np.linalg.qr(projected / norms)
        scaled, _ = nnls(triangle, span.T @ self._target)
        scales = scaled / norms
        return Solution(columns, scales, self._target - projected @ scales)

    def _without_background(self, weighted: FloatArray) -> FloatArray:
        smooth = self._background @ (self._background.T @ weighted)
        return np.asarray(weighted - smooth, dtype=np.float64)

    def _prior(self, vector: FloatArray) -> FloatArray:
        return np.asarray((vector - self._prior_mean) / self._prior_std, dtype=np.float64)
