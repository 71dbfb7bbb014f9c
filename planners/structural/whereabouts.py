"""Where samples lie in a family's scores, told from readings that may be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.special import expit

from planners.bayesian.gaussian_process import GaussianProcess, fit, matern52
from planners.bayesian.gaussian_process import distance as distances
from planners.columns import Array
from planners.structural.families import Family

Mask = npt.NDArray[np.bool_]

LEAST_DOUBT = 0.05
"""Probability of being wrong that every reading has: no agent says less and is believed."""

HEAVY = 4.0
"""Degrees of freedom of what right readings differ by from smooth courses: borders are steps."""

TRIMMED = 0.2
"""Share of the readings that courses are first fitted without."""
LEAST_RIGHT = 1e-3
"""Probability to be right below which a reading tells nothing more."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """Means and standard deviations, (n, n_scores) each, in standardised scores."""

    mean: Array
    variance: Array


@dataclass(frozen=True, slots=True)
class Gap:
    """The normal distribution of the difference between two samples' scores.

    Attributes
    ----------
    square : squared difference of the means, (n_a, n_b, n_scores).
    wide : variance of the difference, of the same shape; 0 between a sample and itself.
    """

    square: Array
    wide: Array


class Whereabouts:
    """The courses of a family's scores over the settings.

    Each score follows the settings by a Gaussian process of its own; the error of a reading is the
    stated one, a roughness inferred from all, and what a reading of probability r to be right adds:
    (1 - r) / r of the scores' variance, the noise with the same best linear estimate (as in
    `planners.bayesian.surrogate.fit_quantity`). So doubt widens continuously.

    A reading is right, or wrong with the probability that it states (at least `LEAST_DOUBT`) and
    then like any other reading; Bayes' rule weighs the two by what the readings taken for right
    foretell of it, all scores together.

    Parameters
    ----------
    x : (n_samples, n_columns) coordinates of all samples, the family's readings being of some.
    groups : for each column the length scale that it uses.
    at_face_value : no reading is doubted and what is foretold is taken as exact; for comparison.

    Attributes
    ----------
    right : (n_readings,) probability of each reading to be right, knowing the others.
    """

    def __init__(
        self, family: Family, x: Array, *, groups: npt.NDArray[np.int64], at_face_value: bool
    ) -> None:
        self.family, self._x, self._plain = family, x[family.read], at_face_value
        self._spread = np.maximum(family.scores.std(axis=0), 1e-6)
        taken = np.ones(len(self._x), dtype=np.bool_)
        self.right = np.ones(len(self._x))
        self._courses = self._fitted(taken, groups)
        if at_face_value:
            return
        self._courses = self._fitted(self._usual(), groups)
        self.right = self._judged()
        self._courses = self._fitted(taken, groups)

    def at(self, x: Array) -> tuple[Array, Array]:
        """Return means and variances of the scores at points, (n_points, n_scores) each."""
        told = [c.predict(x) for c in self._courses]
        mean = np.stack([m for m, _ in told], axis=1) * self._spread
        variance = np.stack([s**2 for _, s in told], axis=1) * self._spread**2
        return mean, 0 * variance if self._plain else variance

    def between(self, a: Array, b: Array) -> Gap:
        """Return how far the scores at points `a` lie from those at points `b`."""
        (mean_a, var_a), (mean_b, var_b) = self.at(a), self.at(b)
        square = (mean_a[:, None, :] - mean_b[None, :, :]) ** 2
        if self._plain:
            return Gap(square, np.zeros(square.shape))
        wide = var_a[:, None, :] + var_b[None, :, :] - 2 * self._shared(a, b)
        return Gap(square, np.maximum(wide, 0.0))

    def unread(self, x: Array) -> Gap:
        """Return how far each sample lies from all, had its own reading not been made.

        Parameters
        ----------
        x : (n_samples, n_columns) coordinates of all samples, as when it was made.

        Notes
        -----
        Leaving one observation out of a Gaussian process changes its mean by ``-c (z - m) / (R -
        c)`` and its covariance with others by the factor ``R / (R - c)``, with c its variance and R
        that of its error (Rasmussen & Williams 2006, section 5.4.2). The others stay as they are.
        """
        mean, variance = self.at(x)
        alone, own = mean.copy(), variance.copy()
        shared = self._shared(x, x)
        rows = np.flatnonzero(self.family.read)
        error = np.stack([c.variances for c in self._courses], axis=1) * self._spread**2
        latent = np.diagonal(shared[rows][:, rows], axis1=0, axis2=1).T
        factor = error / np.maximum(error - latent, 1e-9 * error)
        off = self.family.scores - mean[rows]
        alone[rows] = mean[rows] - (factor - 1) * off
        own[rows] = latent * factor
        shared[rows] *= factor[:, None, :]
        square = (alone[:, None, :] - mean[None, :, :]) ** 2
        if self._plain:
            return Gap(square, np.zeros(square.shape))
        wide = own[:, None, :] + variance[None, :, :] - 2 * shared
        return Gap(square, np.maximum(wide, 0.0))

    def _shared(self, a: Array, b: Array) -> Array:
        """Return the posterior covariance of the scores at two sets of points, (n_a, n_b, k)."""
        shared = np.stack([_covariance(c, a, b) for c in self._courses], axis=2)
        return np.asarray(shared * self._spread**2)

    def _fitted(self, taken: Mask, groups: npt.NDArray[np.int64]) -> list[GaussianProcess]:
        unknown = np.full(int(taken.sum()), np.nan)
        right = np.maximum(self.right, LEAST_RIGHT)
        doubt = (1 - right) / right
        return [
            fit(self._x[taken], y[taken], unknown, (s**2 + doubt)[taken], groups=groups)
            for y, s in zip(self._standard.T, self._errors.T, strict=True)
        ]

    @property
    def _standard(self) -> Array:
        return np.asarray(self.family.scores / self._spread)

    @property
    def _errors(self) -> Array:
        return np.asarray(self.family.stds / self._spread)

    def _usual(self) -> Mask:
        """Return the readings without the `TRIMMED` share that fits the courses worst.

        A wrong reading makes courses rough, so that nothing contradicts them any more.
        """
        taken = np.ones(len(self.right), dtype=np.bool_)
        off = self._evidence(self._without_itself(self._covariances(), taken))
        taken[np.argsort(off + self._prior())[: int(TRIMMED * len(taken))]] = False
        return taken

    def _prior(self) -> Array:
        doubt = np.clip(self.family.p_wrong, LEAST_DOUBT, 1 - 1e-6)
        return np.asarray(np.log1p(-doubt) - np.log(doubt))

    def _covariances(self) -> list[Array]:
        courses = zip(self._courses, self._errors.T, strict=True)
        return [self._with_errors(c, e) for c, e in courses]

    def _judged(self) -> Array:
        """Return how likely each reading is right, by those taken for right one by one."""
        prior, covariances = self._prior(), self._covariances()
        taken = np.ones(len(prior), dtype=np.bool_)
        for _ in range(2 * len(taken)):
            score = prior + self._evidence(self._without_itself(covariances, taken))
            worst = int(np.argmin(np.where(taken, score, np.inf)))
            joining = np.where(taken, -np.inf, score)
            if score[worst] < 0 and 2 * taken.sum() > len(taken):
                taken = taken.copy()
                taken[worst] = False
            elif joining.max() > 0:
                taken = taken.copy()
                taken[int(np.argmax(joining))] = True
            else:
                break
        return np.asarray(expit(score))

    def _with_errors(self, course: GaussianProcess, errors: Array) -> Array:
        scales = course.parameters.lengths[course.groups]
        near = matern52(distances(self._x / scales, self._x / scales))
        noise = course.parameters.noise + errors**2 + 1e-6
        return np.asarray(course.parameters.signal * near + np.diag(noise))

    def _without_itself(self, covariances: Sequence[Array], taken: Mask) -> Foretold:
        """Return what the taken readings foretell of each, itself left out, standardised."""
        mean, variance = np.zeros(self._standard.shape), np.zeros(self._standard.shape)
        for k, (course, full) in enumerate(zip(self._courses, covariances, strict=True)):
            y = self._standard[:, k] - course.parameters.mean
            inverse = np.linalg.inv(full[np.ix_(taken, taken)])
            spared = 1 / np.diag(inverse)
            mean[taken, k] = y[taken] - (inverse @ y[taken]) * spared
            variance[taken, k] = spared
            across = full[np.ix_(~taken, taken)]
            mean[~taken, k] = across @ inverse @ y[taken]
            left = np.einsum("ij,jk,ik->i", across, inverse, across)
            variance[~taken, k] = np.diag(full)[~taken] - left
            mean[:, k] += course.parameters.mean
        return Foretold(mean, np.maximum(variance, 1e-6))

    def _evidence(self, foretold: Foretold) -> Array:
        """Return ln p(reading | right) - ln p(reading | wrong), all scores together, (n,)."""
        off = (self._standard - foretold.mean) ** 2 / foretold.variance
        k = off.shape[1]
        right = -0.5 * (HEAVY + k) * np.log1p(off.sum(axis=1) / HEAVY)
        right -= 0.5 * np.log(foretold.variance).sum(axis=1)
        wrong = -0.5 * (HEAVY + k) * np.log1p((self._standard**2).sum(axis=1) / HEAVY)
        return np.asarray(right - wrong)


def _covariance(course: GaussianProcess, a: Array, b: Array) -> Array:
    """Return the posterior covariance of a process between two sets of points, (n_a, n_b)."""
    scales = course.parameters.lengths[course.groups]

    def prior(p: Array, q: Array) -> Array:
        return np.asarray(course.parameters.signal * matern52(distances(p / scales, q / scales)))

    half_a = solve_triangular(course.factor, prior(a, course.x).T, lower=True)
    half_b = solve_triangular(course.factor, prior(b, course.x).T, lower=True)
    return np.asarray(prior(a, b) - half_a.T @ half_b)
