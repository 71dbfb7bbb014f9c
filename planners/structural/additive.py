"""A Gaussian process over settings and uncertain structure: the sum of one kernel for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, solve_triangular

from planners.bayesian.gaussian_process import JITTER, distance, matern52
from planners.columns import Array
from planners.structural.whereabouts import Gap, Whereabouts


@dataclass(frozen=True, slots=True)
class Weights:
    """What a fit found, for outcomes of about zero mean and unit variance.

    Attributes
    ----------
    lengths : (n_groups,) length scales of the settings, on the unit cube.
    signal : variance that follows settings alone.
    structure : (n_families,) variance that follows each family of readings.
    reaches : (n_families,) length scale in each family's scores.
    noise : variance of the measurement where it was not stated.
    mean : constant mean.
    """

    lengths: Array
    signal: float
    structure: Array
    reaches: Array
    noise: float
    mean: float

    @property
    def shares(self) -> Array:
        """Share of the variance that follows each family, (n_families,)."""
        return np.asarray(self.structure / (self.signal + self.structure.sum()))


@dataclass(frozen=True, slots=True)
class AdditiveProcess:
    """An exact Gaussian process: a Matérn-5/2 of the settings plus an expected RBF a family.

    Attributes
    ----------
    x, y : (n, n_columns) coordinates and (n,) standardised outcomes.
    variances : (n,) noise variance of each outcome.
    groups : (n_columns,) length scale that each column uses.
    families : where samples lie in each family's scores.
    factor, weights : Cholesky factor of the covariance, and its inverse times the outcomes.
    """

    x: Array
    y: Array
    variances: Array
    groups: npt.NDArray[np.int64]
    families: tuple[Whereabouts, ...]
    parameters: Weights
    factor: Array
    weights: Array

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of the noise-free value, shape (n_points,) each."""
        cross = self._between(x, self.x)
        half = solve_triangular(self.factor, cross.T, lower=True)
        variance = self._variance - (half**2).sum(axis=0)
        return self.parameters.mean + cross @ self.weights, np.sqrt(np.maximum(variance, 0.0))

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Return the joint mean, (n_points,), and covariance, (n_points, n_points), at points."""
        cross = self._between(x, self.x)
        half = solve_triangular(self.factor, cross.T, lower=True)
        mean = self.parameters.mean + cross @ self.weights
        return mean, self._between(x, x) - half.T @ half

    def believing(self, x: Array) -> AdditiveProcess:
        """Return the process once points under way have come out as predicted."""
        if not len(x):
            return self
        mean, covariance = self.joint(x)
        noise = np.full(len(x), float(np.median(self.variances)))
        across = solve_triangular(self.factor, self._between(x, self.x).T, lower=True).T
        corner = np.linalg.cholesky(covariance + np.diag(noise + JITTER))
        n, p = len(self.x), len(x)
        return replace(
            self,
            x=np.concatenate([self.x, x]),
            y=np.concatenate([self.y, mean]),
            variances=np.concatenate([self.variances, noise]),
            factor=np.block([[self.factor, np.zeros((n, p))], [across, corner]]),
            weights=np.concatenate([self.weights, np.zeros(p)]),
        )

    def leave_one_out(self) -> tuple[Array, Array]:
        """Return mean and std of each outcome, noise included, told from all the others. (n,) each.

        Neither the outcome nor the structure of a sample is known to what tells of it: that is how
        samples are foretold that nobody has made yet. The hyperparameters stay as they are.
        """
        cross = self._total(self.x, self.x, [f.unread(self.x) for f in self.families])
        inverse = cho_solve((self.factor, True), np.eye(len(self.y)))
        np.fill_diagonal(cross, 0.0)
        # The inverse without row and column i is that of all, less what i has in common with them.
        own = np.diag(inverse)
        towards = cross @ inverse
        shared = np.diag(towards)
        mean = cross @ self.weights - shared * self.weights / own
        told = np.einsum("ij,ij->i", towards, cross) - shared**2 / own
        variance = np.maximum(self._variance - told, 1e-9) + self.variances
        return self.parameters.mean + mean, np.sqrt(variance)

    @property
    def _variance(self) -> float:
        return float(self.parameters.signal + self.parameters.structure.sum())

    def _between(self, a: Array, b: Array) -> Array:
        return self._total(a, b, [f.between(a, b) for f in self.families])

    def _total(self, a: Array, b: Array, gaps: Sequence[Gap]) -> Array:
        w = self.parameters
        scales = w.lengths[self.groups]
        total = w.signal * matern52(distance(a / scales, b / scales))
        for gap, share, reach in zip(gaps, w.structure, w.reaches, strict=True):
            total = total + share * expected_rbf(gap, float(reach))
        return np.asarray(total)


def expected_rbf(gap: Gap, reach: float) -> Array:
    """Return the expected nearness of samples whose scores are normal variables, (n_a, n_b).

    ``Π_d [l²/(l² + v)]^½ exp(-m² / 2 (l² + v))`` with m and v mean and variance of the scores'
    difference and l the length scale: the closed form of a squared-exponential kernel at Gaussian
    inputs (Girard 2004, Approximate methods for propagation of uncertainty with Gaussian process
    models, thesis, University of Glasgow, section 3.4). Here the inputs of two samples are told by
    one process, so that neighbours are alike although nobody knows where they lie.
    """
    total = reach**2 + gap.wide
    log = 0.5 * np.log(reach**2 / total) - 0.5 * gap.square / total
    return np.asarray(np.exp(log.sum(axis=2)))
