"""A hidden utility, learnt from which of two samples somebody preferred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.special import log_ndtr, ndtr

from planners.bayesian.gaussian_process import distance, matern52
from planners.columns import Array
from planners.errors import PlanningError

Pairs = Sequence[tuple[int, int]]
"""Rows of coordinates: the better, then the worse one."""

LOG_LENGTH_STD = 1.0
LOG_SIGNAL_MEAN, LOG_SIGNAL_STD = float(np.log(9.0)), 1.0
"""Prior of the utility's variance: differences of three are told apart nearly always."""

MAX_NEWTON = 60
SETTLED = 1e-8
JITTER = 1e-8
HALVINGS = 12


@dataclass(frozen=True, slots=True)
class PreferenceModel:
    """A Gaussian process of utility, in units in which a person errs with deviation 1.

    Attributes
    ----------
    x : coordinates of the samples, shape (n, n_columns).
    scales : length scale of each column, shape (n_columns,).
    signal : prior variance of the utility.
    weights : so that the mean is ``k(·, x) @ weights``, shape (n,).
    root : what the comparisons take off the variance, ``(root k)ᵀ (root k)``, shape (n_pairs, n).
    """

    x: Array
    scales: Array
    signal: float
    weights: Array
    root: Array

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of the utility at coordinates, (n_points,) each."""
        cross = self._kernel(x, self.x)
        told = self.root @ cross.T
        variance = self.signal - (told**2).sum(axis=0)
        return cross @ self.weights, np.sqrt(np.maximum(variance, 0.0))

    def covariance(self, a: Array, b: Array) -> Array:
        """Return the posterior covariance between two sets of coordinates, shape (n_a, n_b)."""
        told_a = self.root @ self._kernel(self.x, a)
        told_b = self.root @ self._kernel(self.x, b)
        return np.asarray(self._kernel(a, b) - told_a.T @ told_b)

    def best_of_two(self, a: Array, b: Array) -> Array:
        """Return the expected utility of the better one of each pair, shape (n_a, n_b).

        ``E max(f(a), f(b))`` of two correlated normal variables (Clark 1961,
        doi:10.1287/opre.9.2.145). The pair of its maximum is the best one to ask about, and holds
        the best sample known once answered (EUBO; Lin, Astudillo, Frazier & Bakshy 2022,
        arXiv:2203.11382).
        """
        mean_a, std_a = self.predict(a)
        mean_b, std_b = self.predict(b)
        square = std_a[:, None] ** 2 + std_b[None, :] ** 2 - 2.0 * self.covariance(a, b)
        apart = np.sqrt(np.maximum(square, 1e-18))
        z = (mean_a[:, None] - mean_b[None, :]) / apart
        density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
        return np.asarray(mean_b[None, :] + apart * (z * ndtr(z) + density))

    def _kernel(self, a: Array, b: Array) -> Array:
        return np.asarray(self.signal * matern52(distance(a / self.scales, b / self.scales)))


def fit_preferences(x: Array, pairs: Pairs, *, groups: npt.NDArray[np.int64]) -> PreferenceModel:
    """Return the process of utility that comparisons tell of.

    Parameters
    ----------
    x : coordinates of the samples in the unit cube, shape (n, n_columns).
    pairs : the better and the worse row of each comparison; contradictions are allowed.
    groups : for each column the length scale it uses, shape (n_columns,).

    Raises
    ------
    PlanningError
        There is no comparison, or no finite posterior.

    Notes
    -----
    Chu & Ghahramani 2005, doi:10.1145/1102351.1102369: a sample is preferred with probability
    ``Φ(f(better) - f(worse))``; the posterior is approximated by a normal one at its mode
    (Laplace), found by Newton steps. Length scales and variance maximise the approximate evidence
    times log-normal priors, the lengths' around ``0.5 sqrt(d)`` for d names.
    """
    if not len(pairs):
        raise PlanningError(
            "no sample was compared with another; a utility is learnt from at least one comparison"
        )
    n_groups = int(groups.max()) + 1
    centre = np.append(np.full(n_groups, np.log(0.5) + 0.5 * np.log(n_groups)), LOG_SIGNAL_MEAN)
    width = np.append(np.full(n_groups, LOG_LENGTH_STD), LOG_SIGNAL_STD)
    differences = np.zeros((len(pairs), len(x)))
    for row, (better, worse) in enumerate(pairs):
        differences[row, better] += 1.0
        differences[row, worse] -= 1.0

    def loss(theta: Array) -> float:
        covariance = _prior(x, np.exp(theta[:-1])[groups], float(np.exp(theta[-1])))
        mode = _mode(covariance, differences)
        z = (theta - centre) / width
        return float(0.5 * z @ z - mode.evidence)

    bounds = [(np.log(0.03), np.log(30.0))] * n_groups + [(np.log(0.1), np.log(100.0))]
    found = minimize(loss, centre, method="L-BFGS-B", bounds=bounds, options={"maxiter": 30})
    if not np.isfinite(found.fun):
        raise PlanningError(
            f"the utility behind {len(pairs)} comparisons has no finite posterior; look for "
            "samples whose settings are no finite numbers"
        )
    scales = np.exp(found.x[:-1])[groups]
    signal = float(np.exp(found.x[-1]))
    mode = _mode(_prior(x, scales, signal), differences)
    return PreferenceModel(x=x, scales=scales, signal=signal, weights=mode.weights, root=mode.root)


@dataclass(frozen=True, slots=True)
class _Mode:
    weights: Array
    root: Array
    evidence: float


def _prior(x: Array, scales: Array, signal: float) -> Array:
    covariance = signal * matern52(distance(x / scales, x / scales))
    return np.asarray(covariance + JITTER * signal * np.eye(len(x)))


def _mode(covariance: Array, differences: Array) -> _Mode:
    """Return the Laplace approximation at the mode of the posterior of the utilities.

    In the form of Rasmussen & Williams 2006, algorithm 3.1, for a likelihood of differences: the
    matrix that is inverted has a row a comparison and is never ill-conditioned.
    """
    weights = np.zeros(len(covariance))
    value = _log_posterior(covariance, differences, weights)
    for _ in range(MAX_NEWTON):
        slope, curvature = _likelihood_slopes(differences @ (covariance @ weights))
        half = np.sqrt(curvature)[:, None] * differences
        inner = cho_factor(np.eye(len(half)) + half @ covariance @ half.T, lower=True)
        pull = half.T @ (half @ (covariance @ weights)) + differences.T @ slope
        step = pull - half.T @ cho_solve(inner, half @ (covariance @ pull)) - weights
        size = 1.0
        trial = _log_posterior(covariance, differences, weights + step)
        while trial < value and size > 0.5**HALVINGS:
            size *= 0.5
            trial = _log_posterior(covariance, differences, weights + size * step)
        weights, gained, value = weights + size * step, trial - value, trial
        if gained < SETTLED:
            break
    _, curvature = _likelihood_slopes(differences @ (covariance @ weights))
    half = np.sqrt(curvature)[:, None] * differences
    factor = np.linalg.cholesky(np.eye(len(half)) + half @ covariance @ half.T)
    return _Mode(
        weights=weights,
        root=np.asarray(solve_triangular(factor, half, lower=True)),
        evidence=float(value - np.log(np.diag(factor)).sum()),
    )


def _log_posterior(covariance: Array, differences: Array, weights: Array) -> float:
    utilities = covariance @ weights
    return float(log_ndtr(differences @ utilities).sum() - 0.5 * weights @ utilities)


def _likelihood_slopes(margins: Array) -> tuple[Array, Array]:
    """Return first and minus second derivative of ``ln Φ`` at the margins of comparisons."""
    slope = np.exp(-0.5 * margins**2 - 0.5 * np.log(2.0 * np.pi) - log_ndtr(margins))
    return slope, np.maximum(slope * (margins + slope), 1e-12)
