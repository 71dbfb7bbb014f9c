"""How a number of a structure follows the settings, learnt from readings that may be wrong.

Nobody says which setting moves it, or how: every choice among the settings, smooth or bent, is a
model of its own, weighed by how well it foretold the readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from planners.columns import Array
from planners.structural.axes import Axis, choices
from planners.structural.kernels import Model, Parts, kernel, models_of, variances

NUGGET = 1e-7
FREEDOM = 2.0
KEPT = 8

WRONG_SPREAD = 2.0
"""Standard deviation of a reading that is wrong altogether, about the middle of the others."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Several models' means and standard deviations of one number, and the models' weights.

    Attributes
    ----------
    mean, std : (n_models, n_points).
    weight : (n_models,), summing to 1.
    """

    mean: Array
    std: Array
    weight: Array

    def drawn(self, which: Array, normal: Array) -> Array:
        """Return draws (n_draws, n_points): a model each, then its normal.

        Parameters
        ----------
        which : (n_draws,) uniform numbers that choose the models.
        normal : (n_draws,) standard normal numbers, the same for every point.
        """
        edges = np.cumsum(self.weight)
        model = np.minimum(np.searchsorted(edges, which), len(edges) - 1)
        return np.asarray(self.mean[model] + normal[:, None] * self.std[model])

    def moments(self) -> tuple[Array, Array]:
        """Return mean and standard deviation over all models, (n_points,) each."""
        mean = self.weight @ self.mean
        square = self.weight @ (self.std**2 + self.mean**2)
        return np.asarray(mean), np.asarray(np.sqrt(np.maximum(square - mean**2, 0.0)))


@dataclass(frozen=True, slots=True)
class _Fit:
    """A model with the readings that it takes for right.

    Attributes
    ----------
    taken : (n,) readings that are taken for right.
    inverse : inverse of their covariance.
    square : their squared length under it.
    score : logarithm of evidence and priors.
    right : (n,) probability of each reading to be right, knowing the others.
    """

    model: Model
    taken: npt.NDArray[np.bool_]
    inverse: Array
    square: float
    score: float
    right: Array

    @property
    def amplitude(self) -> float:
        """What the model's variances are multiplied by."""
        return (FREEDOM + self.square) / (FREEDOM + int(self.taken.sum()))


class NumberModel:
    """A number that follows some of the settings: lines, bends and steps between labels.

    Gaussian processes with a free amplitude (inverse gamma, hence Student's t), weighed by their
    evidence; Rasmussen & Williams (2006), Gaussian Processes for Machine Learning. The error of a
    reading is a mixture: its own, or where it is wrong altogether a wide one (Kuss 2006, Gaussian
    Process Models for Robust Regression, ch. 5). Each model takes readings for right or wrong one
    by one, by what the others foretell of them, as long as that makes all of them likelier.

    Parameters
    ----------
    x : (n, n_columns) coordinates in the unit cube.
    y : (n,) readings.
    noise : (n,) their standard deviations.
    p_wrong : (n,) probabilities that they are wrong altogether.
    spread : what the number varies by before anything is known.

    Attributes
    ----------
    right : (n,) probability of each reading to be right, knowing the others.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        x: Array,
        y: Array,
        noise: Array,
        *,
        p_wrong: Array,
        spread: float,
    ) -> None:
        self._axes, self._x, self._spread = axes, x, spread
        self._parts = Parts.between(axes, x, x)
        doubt = np.clip(p_wrong, 1e-12, 1 - 1e-6)
        self._log_odds = np.log1p(-doubt) - np.log(doubt)
        self._log_right = np.log1p(-doubt)
        self._centre = float(np.average(y, weights=1 - doubt))
        self._y = (y - self._centre) / spread
        self._noise = np.maximum(noise / spread, 1e-6)
        self._log_wide = _log_normal(self._y, np.full(len(y), WRONG_SPREAD**2))
        models = [m for c in choices(len(axes)) for m in models_of(c)]
        fits = sorted((self._fit(m) for m in models), key=lambda f: -f.score)[:KEPT]
        weight = np.exp(np.array([f.score - fits[0].score for f in fits]))
        self._fits, self.weight = fits, weight / weight.sum()
        self.right = np.asarray(self.weight @ np.stack([f.right for f in fits]))

    def forecast(self, x: Array) -> Forecast:
        """Return what each of the likeliest models says at coordinates (n, n_columns)."""
        parts = Parts.between(self._axes, x, self._x)
        found = [self._predict(x, parts, fit) for fit in self._fits]
        mean = self._centre + self._spread * np.stack([f[0] for f in found])
        return Forecast(mean, self._spread * np.stack([f[1] for f in found]), self.weight)

    def relevance(self) -> dict[str, float]:
        """Return for each axis the probability that it moves the number."""
        found = {axis.name: 0.0 for axis in self._axes}
        for fit, weight in zip(self._fits, self.weight, strict=True):
            for i in fit.model.chosen:
                found[self._axes[i].name] += float(weight)
        return found

    def _fit(self, model: Model) -> _Fit:
        """Return the model with the readings sorted into right and wrong."""
        noise = self._noise**2 + model.rough**2 + NUGGET
        own = kernel(self._axes, self._parts, model) + np.diag(noise)
        taken = self._log_odds > 0
        taken[int(np.argmax(self._log_odds))] = True
        for _ in range(2 * len(taken)):
            fit = self._with(model, own, taken)
            score = _logit(fit.right)
            worst = int(np.argmin(np.where(taken, score, np.inf)))
            joining = ~taken & (score > 0)
            if score[worst] < 0 and taken.sum() > 1:
                taken = taken.copy()
                taken[worst] = False
            elif joining.any():
                taken = taken.copy()
                taken[int(np.argmax(np.where(joining, score, -np.inf)))] = True
            else:
                break
        return fit

    def _with(self, model: Model, own: Array, taken: npt.NDArray[np.bool_]) -> _Fit:
        y, among = self._y[taken], own[np.ix_(taken, taken)]
        inverse: Array = np.asarray(np.linalg.inv(among), dtype=np.float64)
        square = float(y @ inverse @ y)
        n = len(y)
        log_volume = float(np.linalg.slogdet(among)[1])
        student = -log_volume / 2 - (n + FREEDOM) / 2 * np.log1p(square / FREEDOM)
        wrong = (self._log_right - self._log_odds + self._log_wide)[~taken]
        score = model.log_prior + student + self._log_right[taken].sum() + wrong.sum()
        found = _Fit(model, taken, inverse, square, float(score), np.zeros(len(self._y)))
        return replace(found, right=self._judged(found, own))

    def _judged(self, fit: _Fit, own: Array) -> Array:
        """Return how likely each reading is right, by what those taken foretell of it."""
        y, taken = self._y[fit.taken], fit.taken
        mean, variance = np.zeros(len(taken)), np.diag(own).copy()
        spared = 1 / np.diag(fit.inverse)
        mean[taken] = y - (fit.inverse @ y) * spared
        variance[taken] = spared
        across = own[np.ix_(~taken, taken)]
        mean[~taken] = across @ fit.inverse @ y
        variance[~taken] -= np.einsum("ij,jk,ik->i", across, fit.inverse, across)
        variance = np.maximum(variance, NUGGET) * fit.amplitude
        score = self._log_odds + _log_normal(self._y - mean, variance) - self._log_wide
        return np.asarray(expit(score))

    def _predict(self, x: Array, parts: Parts, fit: _Fit) -> tuple[Array, Array]:
        across = kernel(self._axes, parts, fit.model)[:, fit.taken]
        mean = across @ fit.inverse @ self._y[fit.taken]
        variance = variances(self._axes, x, fit.model) - np.einsum(
            "ij,ij->i", across @ fit.inverse, across
        )
        rough = fit.model.rough**2 + NUGGET
        return mean, np.sqrt(fit.amplitude * (np.maximum(variance, 0.0) + rough))


def _log_normal(off: Array, variance: Array) -> Array:
    return np.asarray(-0.5 * off**2 / variance - 0.5 * np.log(2 * np.pi * variance))


def _logit(p: Array) -> Array:
    return np.asarray(logit(np.clip(p, 1e-300, 1 - 1e-16)))
