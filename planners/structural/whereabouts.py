"""Where samples lie in a family's scores: those read, and those that nobody has made yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
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

ROUNDS = 2
"""How often courses are fitted again without the readings that contradict the others."""

SAME = 1e-9
"""Distance in the unit cube below which two points have the same settings."""


@dataclass(frozen=True, slots=True)
class Places:
    """Normal distributions of scores.

    Attributes
    ----------
    mean, variance : (n_points, n_scores).
    """

    mean: Array
    variance: Array


class Whereabouts:
    """The places of a family's scores over the settings.

    Each score follows the settings by a Gaussian process of its own with inferred roughness, the
    stated error on top. A reading is right, or wrong with the probability that it states (at least
    `LEAST_DOUBT`) and then like any other reading; Bayes' rule weighs the two by what the readings
    taken for right foretell of it, all scores together.

    Parameters
    ----------
    x : (n, n_columns) coordinates of the readings, in the order of the family's scores.
    groups : for each column the length scale that it uses.
    at_face_value : readings are right and exact, foretold scores exact; for comparison.

    Attributes
    ----------
    right : (n,) probability of each reading to be right, knowing the others.
    """

    def __init__(
        self, family: Family, x: Array, *, groups: npt.NDArray[np.int64], at_face_value: bool
    ) -> None:
        self.family, self._x, self._plain = family, x, at_face_value
        self._spread = np.maximum(family.scores.std(axis=0), 1e-6)
        taken = np.ones(len(x), dtype=np.bool_)
        self._courses = self._fitted(taken, groups)
        self.right = np.ones(len(x))
        if at_face_value:
            exact = np.zeros(family.scores.shape)
            self._read = Places(family.scores, exact)
            told = self._without_itself(self._covariances(), taken)
            self._foretold = Places(told.mean * self._spread, exact)
            return
        self._courses = self._fitted(self._usual(), groups)
        for _ in range(ROUNDS):
            before = taken
            taken, self.right, foretold = self._sorted()
            if np.array_equal(before, taken):
                break
            self._courses = self._fitted(taken, groups)
        self._read = self._believed(foretold)
        self._foretold = Places(foretold.mean * self._spread, foretold.variance * self._spread**2)

    def at(self, x: Array, *, unread: bool = False) -> Places:
        """Return the places of points (n_points, n_columns): as read where read, else foretold.

        Parameters
        ----------
        unread : tell of each reading what the others foretell, as if it had not been made yet.
        """
        known = self._foretold if unread else self._read
        told = [c.predict(x) for c in self._courses]
        mean = np.stack([m for m, _ in told], axis=1) * self._spread
        rough = np.array([c.parameters.noise for c in self._courses])
        variance = (np.stack([s**2 for _, s in told], axis=1) + rough) * self._spread**2
        if self._plain:
            variance = np.zeros(variance.shape)
        for i, j in zip(*np.nonzero(same_settings(x, self._x)), strict=True):
            mean[i], variance[i] = known.mean[j], known.variance[j]
        return Places(mean, variance)

    @property
    def read(self) -> Places:
        """The places of the readings themselves, as far as they are right."""
        return self._read

    def _fitted(self, taken: Mask, groups: npt.NDArray[np.int64]) -> list[GaussianProcess]:
        unknown = np.full(int(taken.sum()), np.nan)
        return [
            fit(self._x[taken], y[taken], unknown, s[taken] ** 2, groups=groups)
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
        return [self._covariance(c, e) for c, e in courses]

    def _sorted(self) -> tuple[Mask, Array, Places]:
        """Return which readings are taken for right, how likely each is, and what was foretold."""
        prior, covariances = self._prior(), self._covariances()
        taken = np.ones(len(prior), dtype=np.bool_)
        for _ in range(2 * len(taken)):
            foretold = self._without_itself(covariances, taken)
            score = prior + self._evidence(foretold)
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
        return taken, np.asarray(expit(score)), foretold

    def _covariance(self, course: GaussianProcess, errors: Array) -> Array:
        scales = course.parameters.lengths[course.groups]
        near = matern52(distances(self._x / scales, self._x / scales))
        noise = course.parameters.noise + errors**2 + 1e-6
        return np.asarray(course.parameters.signal * near + np.diag(noise))

    def _without_itself(self, covariances: Sequence[Array], taken: Mask) -> Places:
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
        return Places(mean, np.maximum(variance, 1e-6))

    def _evidence(self, foretold: Places) -> Array:
        """Return ln p(reading | right) - ln p(reading | wrong), all scores together, (n,)."""
        off = (self._standard - foretold.mean) ** 2 / foretold.variance
        k = off.shape[1]
        right = -0.5 * (HEAVY + k) * np.log1p(off.sum(axis=1) / HEAVY)
        right -= 0.5 * np.log(foretold.variance).sum(axis=1)
        wrong = -0.5 * (HEAVY + k) * np.log1p((self._standard**2).sum(axis=1) / HEAVY)
        return np.asarray(right - wrong)

    def _believed(self, foretold: Places) -> Places:
        """Return the places of the readings: a mixture of what was read and what was foretold."""
        right = self.right[:, None]
        elsewhere = foretold.mean * self._spread
        mean = right * self.family.scores + (1 - right) * elsewhere
        apart = right * (1 - right) * (self.family.scores - elsewhere) ** 2
        wide = (1 - right) * foretold.variance * self._spread**2
        return Places(mean, right * self.family.stds**2 + wide + apart)


def same_settings(a: Array, b: Array) -> Mask:
    """Return where two points have the same settings, shape (n_a, n_b)."""
    off = np.abs(a[:, None, :] - b[None, :, :]).max(axis=2)
    return np.asarray(off < SAME)
