"""A Gaussian process for small tables, fitted in milliseconds.

Below some hundred observations the cost of a fit is the overhead of an automatic-differentiation
framework, not the algebra. So the hyperparameters are found here, with gradients by hand, and
given to BoTorch afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

from planners.encoding import Array
from planners.errors import PlanningError

SQRT5 = float(np.sqrt(5.0))
JITTER = 1e-6
"""Variance added to every observation, in units of the standardised outcome."""

LOG_LENGTH_SHARED_STD, LOG_LENGTH_OWN_STD = 0.8, 0.5
"""Spread of all logarithmic length scales together, and of each around what they share."""

LOG_SIGNAL_STD = 1.0
LOG_NOISE_MEAN, LOG_NOISE_STD = -4.0, 1.5
MEAN_STD = 0.5
MAX_ITERATIONS = 100
RELATIVE_TOLERANCE = 1e-6
"""Fall of the negative log posterior at which the search ends; its size is some tens, so that
no hyperparameter moves by a visible part of its own doubt afterwards."""


class SurrogateFailed(PlanningError):
    """No surrogate could be fitted to the observations."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a fit found, for outcomes of zero mean and unit variance on the unit cube.

    Attributes
    ----------
    lengths : length scale of each group of columns, shape (n_groups,).
    signal : variance of the process.
    noise : variance of the measurement where it was not stated.
    mean : constant mean.
    """

    lengths: Array
    signal: float
    noise: float
    mean: float


@dataclass(frozen=True, slots=True)
class GaussianProcess:
    """An exact GP with an ARD Matérn-5/2 kernel and its own noise for each observation.

    Attributes
    ----------
    x : training coordinates, shape (n, n_columns).
    y : standardised outcomes, shape (n,).
    variances : noise variance of each outcome, inferred parts filled in, shape (n,).
    groups : for each column the length scale it uses, shape (n_columns,).
    """

    x: Array
    y: Array
    variances: Array
    groups: npt.NDArray[np.int64]
    parameters: Hyperparameters
    factor: Array
    weights: Array

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of the noise-free value, shape (n_points,) each."""
        cross = self._covariance(x, self.x)
        mean = self.parameters.mean + cross @ self.weights
        half = solve_triangular(self.factor, cross.T, lower=True)
        variance = self.parameters.signal - (half**2).sum(axis=0)
        return mean, np.sqrt(np.maximum(variance, 0.0))

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Return the joint mean, (n_points,), and covariance, (n_points, n_points), at points."""
        cross = self._covariance(x, self.x)
        half = solve_triangular(self.factor, cross.T, lower=True)
        return self.parameters.mean + cross @ self.weights, self._covariance(x, x) - half.T @ half

    def believing(self, x: Array) -> GaussianProcess:
        """Return the process once points under way have come out as predicted.

        The mean stays as it is and the variance falls: what is known of a result that is not
        known yet (the hallucinated observations of Desautels et al. 2014, JMLR 15:4053).

        Parameters
        ----------
        x : coordinates of the points under way, shape (n_pending, n_columns).
        """
        if not len(x):
            return self
        mean, covariance = self.joint(x)
        noise = np.full(len(x), float(np.median(self.variances)))
        cross = solve_triangular(self.factor, self._covariance(x, self.x).T, lower=True).T
        corner = np.linalg.cholesky(covariance + np.diag(noise + JITTER))
        n, p = len(self.x), len(x)
        return replace(
            self,
            x=np.concatenate([self.x, x]),
            y=np.concatenate([self.y, mean]),
            variances=np.concatenate([self.variances, noise]),
            factor=np.block([[self.factor, np.zeros((n, p))], [cross, corner]]),
            weights=np.concatenate([self.weights, np.zeros(p)]),
        )

    def leave_one_out(self) -> tuple[Array, Array]:
        """Return mean and std of each outcome, noise included, told from all the others.

        Closed form with the hyperparameters as they are (Rasmussen & Williams 2006, section
        5.4.2). Shape (n,) each.
        """
        inverse = cho_solve((self.factor, True), np.eye(len(self.y)))
        variance = 1.0 / np.diag(inverse)
        return self.y - self.weights * variance, np.sqrt(variance)

    def covariances(self, x: Array) -> Array:
        """Return the covariance of points with the known outcomes, (n_points, n)."""
        return self._covariance(x, self.x)

    def _covariance(self, a: Array, b: Array) -> Array:
        scales = self.parameters.lengths[self.groups]
        return np.asarray(self.parameters.signal * matern52(distance(a / scales, b / scales)))


def fit(
    x: Array, y: Array, known: Array, extra: Array, *, groups: npt.NDArray[np.int64]
) -> GaussianProcess:
    """Return the GP at the maximum of its posterior over hyperparameters.

    Parameters
    ----------
    x : coordinates in the unit cube, shape (n, n_columns).
    y : outcomes of about zero mean and unit variance, shape (n,).
    known : stated noise variances, NaN where unknown; those share one inferred variance. (n,)
    extra : variance added on top of either, shape (n,).
    groups : for each column the length scale it uses; groups that no column uses are not fitted.

    Notes
    -----
    Priors are log-normal: length scales around ``sqrt(d)`` for d names (the scaling of Hvarfner
    2024, arXiv:2402.02229), varying together more than each on its own, so that a few experiments
    teach a common length before they teach relevance; signal variance around 1, noise variance
    around exp(-4); the mean is normal around 0. L-BFGS-B starts at the prior, and at half the
    prior's length scales where that fails: a second start is worth no more experiments, and
    doubles the cost.

    Raises
    ------
    SurrogateFailed
        The optimiser found no finite posterior.
    """
    problem = _Problem(x, y, known, extra, groups)
    for shift in (0.0, -0.7):
        found = minimize(
            problem.loss,
            problem.start(shift),
            jac=True,
            method="L-BFGS-B",
            bounds=problem.bounds,
            options={"maxiter": MAX_ITERATIONS, "ftol": RELATIVE_TOLERANCE},
        )
        if np.isfinite(found.fun):
            return problem.finish(found.x)
    raise SurrogateFailed(
        f"the Gaussian process of {len(y)} observations has no finite posterior; "
        "look for values of wildly different size"
    )


def matern52(r: Array) -> Array:
    """Return the Matérn-5/2 correlation at scaled distances r."""
    return np.asarray((1.0 + SQRT5 * r + (5.0 / 3.0) * r**2) * np.exp(-SQRT5 * r))


def distance(a: Array, b: Array) -> Array:
    """Return the Euclidean distances between rows, shape (n_a, n_b)."""
    square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(square, 0.0)))


class _Problem:
    """Negative log posterior and its gradient; theta = ln lengths, ln signal, mean, ln noise."""

    def __init__(
        self, x: Array, y: Array, known: Array, extra: Array, groups: npt.NDArray[np.int64]
    ) -> None:
        self.x, self.y, self.groups = x, y, groups
        self.unknown = np.isnan(known)
        self.fixed = np.where(self.unknown, 0.0, known) + extra + JITTER
        self.n_groups = int(groups.max()) + 1
        apart = (x[:, None, :] - x[None, :, :]) ** 2
        self.square = np.stack([apart[:, :, groups == g].sum(axis=2) for g in range(self.n_groups)])
        self.length_mean = 0.5 * np.log(self.n_groups)
        self.length_precision = np.linalg.inv(
            LOG_LENGTH_OWN_STD**2 * np.eye(self.n_groups) + LOG_LENGTH_SHARED_STD**2
        )
        self.bounds = (
            [(np.log(0.01), np.log(100.0))] * self.n_groups
            + [(np.log(1e-3), np.log(1e3)), (-3.0, 3.0)]
            + ([(np.log(1e-6), np.log(10.0))] if self.unknown.any() else [])
        )

    def start(self, shift: float) -> Array:
        """Return the prior's centre with the length scales shifted (in ln)."""
        noise = [LOG_NOISE_MEAN] if self.unknown.any() else []
        return np.array([self.length_mean + shift] * self.n_groups + [0.0, 0.0, *noise])

    def loss(self, theta: Array) -> tuple[float, Array]:
        """Return the negative log posterior and its gradient."""
        lengths, signal, mean, noise = self._unpack(theta)
        scaled = self.square / (lengths**2)[:, None, None]
        r = np.sqrt(scaled.sum(axis=0))
        decay = np.exp(-SQRT5 * r)
        k = signal * (1.0 + SQRT5 * r + (5.0 / 3.0) * r**2) * decay
        a = k + np.diag(self.fixed + noise * self.unknown)
        try:
            factor = cho_factor(a, lower=True)
        except LinAlgError:
            return np.inf, np.zeros_like(theta)
        alpha = cho_solve(factor, self.y - mean)
        w = cho_solve(factor, np.eye(len(self.y))) - np.outer(alpha, alpha)
        value = 0.5 * (self.y - mean) @ alpha + np.log(np.diag(factor[0])).sum()
        slope = (5.0 / 3.0) * signal * (1.0 + SQRT5 * r) * decay
        gradient = np.zeros_like(theta)
        g = self.n_groups
        gradient[:g] = 0.5 * np.tensordot(scaled, w * slope, axes=2)
        gradient[g] = 0.5 * (w * k).sum()
        gradient[g + 1] = -alpha.sum()
        if self.unknown.any():
            gradient[g + 2] = 0.5 * noise * np.diag(w)[self.unknown].sum()
        prior, prior_gradient = self._prior(theta)
        return float(value + prior), gradient + prior_gradient

    def finish(self, theta: Array) -> GaussianProcess:
        """Return the process at theta."""
        lengths, signal, mean, noise = self._unpack(theta)
        variances = self.fixed + noise * self.unknown
        scales = lengths[self.groups]
        k = signal * matern52(distance(self.x / scales, self.x / scales))
        factor, _ = cho_factor(k + np.diag(variances), lower=True)
        weights = cho_solve((factor, True), self.y - mean)
        return GaussianProcess(
            x=self.x,
            y=self.y,
            variances=variances,
            groups=self.groups,
            parameters=Hyperparameters(lengths, signal, noise, mean),
            factor=np.tril(factor),
            weights=weights,
        )

    def _unpack(self, theta: Array) -> tuple[Array, float, float, float]:
        g = self.n_groups
        noise = float(np.exp(theta[g + 2])) if self.unknown.any() else 0.0
        return np.exp(theta[:g]), float(np.exp(theta[g])), float(theta[g + 1]), noise

    def _prior(self, theta: Array) -> tuple[float, Array]:
        g = self.n_groups
        away = theta[:g] - self.length_mean
        pull = self.length_precision @ away
        centre = np.array([0.0, 0.0, LOG_NOISE_MEAN])[: len(theta) - g]
        width = np.array([LOG_SIGNAL_STD, MEAN_STD, LOG_NOISE_STD])[: len(theta) - g]
        z = (theta[g:] - centre) / width
        return float(0.5 * (away @ pull + z @ z)), np.concatenate([pull, z / width])
