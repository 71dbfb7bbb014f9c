"""A Gaussian process over settings and uncertain structure: the sum of one kernel for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, solve_triangular

from planners.bayesian.gaussian_process import JITTER, distance, matern52
from planners.columns import Array
from planners.structural.whereabouts import Places, Whereabouts, same_settings


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
    places : one a family, of the n samples themselves.
    factor, weights : Cholesky factor of the covariance, and its inverse times the outcomes.
    """

    x: Array
    y: Array
    variances: Array
    groups: npt.NDArray[np.int64]
    families: tuple[Whereabouts, ...]
    places: tuple[Places, ...]
    parameters: Weights
    factor: Array
    weights: Array

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of the noise-free value, shape (n_points,) each."""
        cross = self._between(x, self._at(x), self.x, self.places)
        half = solve_triangular(self.factor, cross.T, lower=True)
        variance = self._variance - (half**2).sum(axis=0)
        return self.parameters.mean + cross @ self.weights, np.sqrt(np.maximum(variance, 0.0))

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Return the joint mean, (n_points,), and covariance, (n_points, n_points), at points."""
        at = self._at(x)
        cross = self._between(x, at, self.x, self.places)
        half = solve_triangular(self.factor, cross.T, lower=True)
        mean = self.parameters.mean + cross @ self.weights
        return mean, self._between(x, at, x, at) - half.T @ half

    def believing(self, x: Array) -> AdditiveProcess:
        """Return the process once points under way have come out as predicted."""
        if not len(x):
            return self
        at = self._at(x)
        mean, covariance = self.joint(x)
        noise = np.full(len(x), float(np.median(self.variances)))
        cross = self._between(x, at, self.x, self.places)
        across = solve_triangular(self.factor, cross.T, lower=True).T
        corner = np.linalg.cholesky(covariance + np.diag(noise + JITTER))
        n, p = len(self.x), len(x)
        return replace(
            self,
            x=np.concatenate([self.x, x]),
            y=np.concatenate([self.y, mean]),
            variances=np.concatenate([self.variances, noise]),
            places=tuple(_joined(a, b) for a, b in zip(self.places, at, strict=True)),
            factor=np.block([[self.factor, np.zeros((n, p))], [across, corner]]),
            weights=np.concatenate([self.weights, np.zeros(p)]),
        )

    def leave_one_out(self) -> tuple[Array, Array]:
        """Return mean and std of each outcome, noise included, told from all the others. (n,) each.

        Neither the outcome nor the structure of a sample is known to what tells of it: that is how
        samples are foretold that nobody has made yet. The hyperparameters stay as they are.
        """
        at = tuple(f.at(self.x, unread=True) for f in self.families)
        cross = self._between(self.x, at, self.x, self.places)
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

    def _at(self, x: Array) -> tuple[Places, ...]:
        return tuple(f.at(x) for f in self.families)

    def _between(self, a: Array, at_a: Sequence[Places], b: Array, at_b: Sequence[Places]) -> Array:
        scales = self.parameters.lengths[self.groups]
        total = self.parameters.signal * matern52(distance(a / scales, b / scales))
        same = same_settings(a, b)
        for i, (here, there) in enumerate(zip(at_a, at_b, strict=True)):
            near = expected_rbf(here, there, self.parameters.reaches[i])
            total = total + self.parameters.structure[i] * np.where(same, 1.0, near)
        return np.asarray(total)


def expected_rbf(a: Places, b: Places, reach: float) -> Array:
    """Return the expected nearness of two samples whose scores are normal variables, (n_a, n_b).

    ``Π_d [l²/(l² + v)]^½ exp(-(m_a - m_b)² / 2 (l² + v))`` with v the sum of both variances and l
    the length scale: the closed form of a squared-exponential kernel at Gaussian inputs (Girard
    2004, Approximate methods for propagation of uncertainty with Gaussian process models, thesis,
    University of Glasgow, section 3.4). It holds between two samples; of a sample with itself the
    value is 1.
    """
    square, wide = apart(a, b)
    total = reach**2 + wide
    log = 0.5 * np.log(reach**2 / total) - 0.5 * square / total
    return np.asarray(np.exp(log.sum(axis=2)))


def apart(a: Places, b: Places) -> tuple[Array, Array]:
    """Return squared distances of means and sums of variances, (n_a, n_b, n_scores) each."""
    square = (a.mean[:, None, :] - b.mean[None, :, :]) ** 2
    return square, a.variance[:, None, :] + b.variance[None, :, :]


def _joined(a: Places, b: Places) -> Places:
    return Places(np.concatenate([a.mean, b.mean]), np.concatenate([a.variance, b.variance]))
