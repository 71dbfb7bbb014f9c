"""From scores to probabilities, and how far probabilities are off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]


def with_prior(probability: float, *, base: float, prior: float) -> float:
    """Return a probability learnt where yes was as frequent as `base`, where it is as `prior`.

    The odds change in the ratio of the odds before (Saerens, Latinne & Decaestecker 2002,
    doi:10.1162/089976602753284446). All three lie between 0 and 1, ends excluded.
    """
    odds = probability / (1 - probability) * (1 - base) / base * prior / (1 - prior)
    return odds / (1 + odds)


@dataclass(frozen=True, slots=True)
class Logistic:
    """Probability of yes from features: 1 / (1 + exp(−offset − slopes · (x − mean) / scale)).

    Attributes
    ----------
    mean, scale, slopes : one number a feature.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    slopes: tuple[float, ...]
    offset: float

    def probability(self, x: ArrayLike) -> FloatArray:
        """Return the probability at each row of features, (n,)."""
        table = np.atleast_2d(np.asarray(x, dtype=np.float64))
        z = (table - np.array(self.mean)) / np.array(self.scale)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(self.offset + z @ self.slopes, -30, 30))))


def fit_logistic(x: ArrayLike, yes: ArrayLike, *, ridge: float = 1.0) -> Logistic:
    """Return the logistic regression of yes or no on features, slopes drawn towards 0.

    Parameters
    ----------
    x : (n, n_features).
    yes : (n,) of truth values.
    ridge : precision of the normal prior of each slope, features scaled to unit spread.

    Raises
    ------
    ValueError
        All answers are alike: nothing can be learnt.
    """
    table, answer = np.asarray(x, dtype=np.float64), np.asarray(yes, dtype=np.float64)
    if answer.min(initial=1.0) == answer.max(initial=0.0):
        raise ValueError(f"all {len(answer)} answers are alike; a probability needs both kinds")
    mean, scale = table.mean(axis=0), table.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    z = np.column_stack([(table - mean) / scale, np.ones(len(table))])
    penalty = np.append(np.full(table.shape[1], ridge), 1e-3)

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        score = z @ theta
        value = np.logaddexp(0.0, score).sum() - answer @ score + 0.5 * penalty @ theta**2
        slope = z.T @ (1.0 / (1.0 + np.exp(-np.clip(score, -500, 500))) - answer) + penalty * theta
        return float(value), slope

    theta = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B").x
    return Logistic(
        tuple(map(float, mean)),
        tuple(map(float, scale)),
        tuple(map(float, theta[:-1])),
        float(theta[-1]),
    )


@dataclass(frozen=True, slots=True)
class Bin:
    """Probabilities that were about alike, and what came of them.

    Attributes
    ----------
    stated : their mean.
    frequency : share of yes.
    n : how many there were.
    """

    stated: float
    frequency: float
    n: int


def reliability(probability: ArrayLike, yes: ArrayLike, *, n_bins: int = 10) -> tuple[Bin, ...]:
    """Return what came of probabilities in equal-width bins, empty ones left out.

    The table behind a reliability diagram (Murphy & Winkler 1977, doi:10.2307/2346866).
    """
    p, answer = np.asarray(probability, dtype=np.float64), np.asarray(yes, dtype=np.float64)
    bins = np.minimum((p * n_bins).astype(int), n_bins - 1)
    return tuple(
        Bin(float(p[bins == k].mean()), float(answer[bins == k].mean()), int((bins == k).sum()))
        for k in np.unique(bins)
    )


def expected_calibration_error(
    probability: ArrayLike, yes: ArrayLike, *, n_bins: int = 10
) -> float:
    """Return the mean gap between stated probability and frequency, weighted by bin counts.

    Equal-width bins (Naeini, Cooper & Hauskrecht 2015, AAAI, 2901).
    """
    found = reliability(probability, yes, n_bins=n_bins)
    total = sum(b.n for b in found)
    return sum(b.n * abs(b.stated - b.frequency) for b in found) / max(total, 1)
