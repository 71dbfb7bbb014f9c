"""How much of an outcome follows structure: hyperparameters of the additive process."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import minimize

from planners.bayesian.gaussian_process import (
    JITTER,
    LOG_LENGTH_OWN_STD,
    LOG_LENGTH_SHARED_STD,
    LOG_NOISE_MEAN,
    LOG_NOISE_STD,
    LOG_SIGNAL_STD,
    MAX_ITERATIONS,
    MEAN_STD,
    RELATIVE_TOLERANCE,
    SQRT5,
    SurrogateFailed,
)
from planners.columns import Array
from planners.structural.additive import AdditiveProcess, Weights
from planners.structural.whereabouts import Gap, Whereabouts

LOG_SHARE_MEAN, LOG_SHARE_STD = float(np.log(0.5)), 1.0
"""Prior of the logarithmic variance that follows each family of readings."""

LOG_REACH_MEAN, LOG_REACH_STD = 0.0, 0.5
"""Prior of the logarithmic length scale in scores, whose largest has a standard deviation of 1."""


def fit_additive(
    x: Array,
    y: Array,
    known: Array,
    extra: Array,
    *,
    groups: npt.NDArray[np.int64],
    families: Sequence[Whereabouts],
) -> AdditiveProcess:
    """Return the process at the maximum of its posterior over hyperparameters.

    Parameters
    ----------
    x, y, known, extra, groups : as of `planners.bayesian.gaussian_process.fit`.
    families : at least one.

    Notes
    -----
    Priors of what a process over settings has are those of that fit; an irrelevant family is
    switched off by the evidence, which prefers to spend the variance elsewhere.

    Raises
    ------
    SurrogateFailed
        The optimiser found no finite posterior.
    """
    problem = _Problem(x, y, known, extra, groups, [f.between(x, x) for f in families])
    found = minimize(
        problem.loss,
        problem.start(),
        jac=True,
        method="L-BFGS-B",
        bounds=problem.bounds,
        options={"maxiter": MAX_ITERATIONS, "ftol": RELATIVE_TOLERANCE},
    )
    if not np.isfinite(found.fun):
        raise SurrogateFailed(
            f"the process of {len(y)} observations and their structure has no finite posterior; "
            "look for values of wildly different size"
        )
    parameters, variances, factor, weights = problem.finish(found.x)
    return AdditiveProcess(x, y, variances, groups, tuple(families), parameters, factor, weights)


class _Problem:
    """Negative log posterior and its gradient.

    theta = ln lengths, ln signal, mean, ln structure of each family, ln reach of each, ln noise.
    """

    def __init__(
        self,
        x: Array,
        y: Array,
        known: Array,
        extra: Array,
        groups: npt.NDArray[np.int64],
        gaps: Sequence[Gap],
    ) -> None:
        self.y = y
        self.unknown = np.isnan(known)
        self.fixed = np.where(self.unknown, 0.0, known) + extra + JITTER
        self.g, self.f = int(groups.max()) + 1, len(gaps)
        off = (x[:, None, :] - x[None, :, :]) ** 2
        self.square = np.stack([off[:, :, groups == g].sum(axis=2) for g in range(self.g)])
        self.gaps = gaps
        centre, width = self._priors()
        self.centre, self.width = centre, width
        self.precision = np.diag(1.0 / width**2)
        self.precision[: self.g, : self.g] = np.linalg.inv(
            LOG_LENGTH_OWN_STD**2 * np.eye(self.g) + LOG_LENGTH_SHARED_STD**2
        )
        self.bounds = (
            [(np.log(0.01), np.log(100.0))] * self.g
            + [(np.log(1e-3), np.log(1e3)), (-3.0, 3.0)]
            + [(np.log(1e-4), np.log(1e2))] * self.f
            + [(np.log(0.05), np.log(20.0))] * self.f
            + [(np.log(1e-6), np.log(10.0))] * bool(self.unknown.any())
        )

    def start(self) -> Array:
        """Return the prior's centre."""
        return self.centre.copy()

    def loss(self, theta: Array) -> tuple[float, Array]:
        """Return the negative log posterior and its gradient."""
        w = self._weights(theta)
        by_settings, slope, scaled = self._settings_kernel(w)
        parts = [self._family_kernel(w, i) for i in range(self.f)]
        a = by_settings + sum(k for k, _ in parts) + self._noise(w)
        try:
            factor = cho_factor(a, lower=True)
        except LinAlgError:
            return np.inf, np.zeros_like(theta)
        alpha = cho_solve(factor, self.y - w.mean)
        pull = cho_solve(factor, np.eye(len(self.y))) - np.outer(alpha, alpha)
        value = 0.5 * (self.y - w.mean) @ alpha + np.log(np.diag(factor[0])).sum()
        gradient = np.zeros_like(theta)
        g, f = self.g, self.f
        gradient[:g] = 0.5 * np.tensordot(scaled, pull * slope, axes=2)
        gradient[g] = 0.5 * (pull * by_settings).sum()
        gradient[g + 1] = -alpha.sum()
        for i, (k, by_reach) in enumerate(parts):
            gradient[g + 2 + i] = 0.5 * (pull * k).sum()
            gradient[g + 2 + f + i] = 0.5 * (pull * by_reach).sum()
        if self.unknown.any():
            gradient[-1] = 0.5 * w.noise * np.diag(pull)[self.unknown].sum()
        off = theta - self.centre
        return float(value + 0.5 * off @ self.precision @ off), gradient + self.precision @ off

    def finish(self, theta: Array) -> tuple[Weights, Array, Array, Array]:
        """Return hyperparameters, noise variances, Cholesky factor and weights at theta."""
        w = self._weights(theta)
        parts = sum(self._family_kernel(w, i)[0] for i in range(self.f))
        noise = self._noise(w)
        factor, _ = cho_factor(self._settings_kernel(w)[0] + parts + noise, lower=True)
        weights = cho_solve((factor, True), self.y - w.mean)
        return w, np.diag(noise).copy(), np.tril(factor), weights

    def _settings_kernel(self, w: Weights) -> tuple[Array, Array, Array]:
        """Return the kernel of the settings, its slope and the scaled squares."""
        scaled = self.square / (w.lengths**2)[:, None, None]
        r = np.sqrt(scaled.sum(axis=0))
        decay = np.exp(-SQRT5 * r)
        k = w.signal * (1.0 + SQRT5 * r + (5.0 / 3.0) * r**2) * decay
        return k, (5.0 / 3.0) * w.signal * (1.0 + SQRT5 * r) * decay, scaled

    def _family_kernel(self, w: Weights, i: int) -> tuple[Array, Array]:
        """Return the kernel of a family and its derivative by the logarithm of its reach."""
        gap, reach = self.gaps[i], w.reaches[i] ** 2
        total = reach + gap.wide
        log = 0.5 * np.log(reach / total) - 0.5 * gap.square / total
        k = w.structure[i] * np.exp(log.sum(axis=2))
        rise = (1.0 - reach / total + gap.square * reach / total**2).sum(axis=2)
        return k, k * rise

    def _noise(self, w: Weights) -> Array:
        return np.diag(self.fixed + w.noise * self.unknown)

    def _weights(self, theta: Array) -> Weights:
        g, f = self.g, self.f
        noise = float(np.exp(theta[-1])) if self.unknown.any() else 0.0
        return Weights(
            lengths=np.exp(theta[:g]),
            signal=float(np.exp(theta[g])),
            structure=np.exp(theta[g + 2 : g + 2 + f]),
            reaches=np.exp(theta[g + 2 + f : g + 2 + 2 * f]),
            noise=noise,
            mean=float(theta[g + 1]),
        )

    def _priors(self) -> tuple[Array, Array]:
        """Return means and standard deviations of theta; those of the lengths are replaced."""
        told = [(0.5 * np.log(self.g), 1.0)] * self.g + [(0.0, LOG_SIGNAL_STD), (0.0, MEAN_STD)]
        told += [(LOG_SHARE_MEAN, LOG_SHARE_STD)] * self.f
        told += [(LOG_REACH_MEAN, LOG_REACH_STD)] * self.f
        told += [(LOG_NOISE_MEAN, LOG_NOISE_STD)] * bool(self.unknown.any())
        centre, width = np.array(told, dtype=np.float64).T
        return centre, width
