"""Phase transitions: places where weights and stretches of a series change their course.

Between changes each number follows a smooth course (a parabola with a prior on its terms) with
normal noise of unknown size, independent of the courses beside it. All ways to place any number of
changes are summed exactly (Fearnhead 2006, doi:10.1007/s11222-006-8450-8), which gives the
probability of a change in every gap between two measurements.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

FloatArray = NDArray[np.float64]

COURSE = (1.0, 3.0, 3.0)
"""Prior standard deviations of a course's value, slope and curvature, where the number's range over
the series and the series' length are 1."""

CHANGES = 1.0
"""Changes expected in a series before it is looked at."""

SHAPE = 1.5
"""Of the inverse gamma prior of the noise's variance, about the noise between neighbours."""

FAINTEST = 0.02
"""Noise of a number, as a share of its range, below which no smaller noise is believed: courses are
no parabolas to that degree."""

PROBABLE = 0.5
"""Probability from which a change is reported."""

REACH = 2
"""Gaps on either side that count as the same change."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change along the series.

    Attributes
    ----------
    place, std : where, in the unit of the series variable; the std holds the distance of two
        measurements and the doubt about the gap.
    probability : that a change is there, within `REACH` gaps.
    """

    place: float
    std: float
    probability: float


def transitions(
    variable: FloatArray, courses: FloatArray, *, least_noise: FloatArray | None = None
) -> list[Transition]:
    """Return the probable transitions, in order of the variable.

    Parameters
    ----------
    variable : (n,) increasing: temperature, time, …
    courses : (n, n_numbers) weights and stretches along it.
    least_noise : (n_numbers,) standard deviation below which the noise of a number is not believed
        to be, in its own unit; None for a share `FAINTEST` of its range alone.
    """
    gaps = change_probabilities(variable, courses, least_noise=least_noise)
    return places(variable, gaps)


def change_probabilities(
    variable: FloatArray, courses: FloatArray, *, least_noise: FloatArray | None = None
) -> FloatArray:
    """Return the posterior probability of a change in each gap, (n − 1,).

    Parameters as of `transitions`. Numbers that hardly vary tell nothing and are left out.
    """
    n = len(variable)
    span = np.ptp(courses, axis=0)
    told = span > 1e-9
    if n < 5 or not told.any():
        return np.zeros(n - 1)
    x = (variable - variable[0]) / (variable[-1] - variable[0])
    scaled = (courses[:, told] - courses[:, told].mean(axis=0)) / span[told]
    least = np.zeros(len(span)) if least_noise is None else least_noise
    noise = np.maximum(np.maximum(_noise(scaled), FAINTEST), least[told] / span[told])
    return _posterior(_segments(x, scaled, noise), shortest=2 if n < 30 else 3)


def places(variable: FloatArray, gaps: FloatArray) -> list[Transition]:
    """Return the probable changes: humps of the gaps' probabilities.

    Parameters
    ----------
    variable : (n,) increasing.
    gaps : (n − 1,) probability of a change in each.
    """
    left = gaps.copy()
    middle, width = (variable[1:] + variable[:-1]) / 2, np.diff(variable)
    found = []
    for _ in range(len(gaps)):
        best = int(left.argmax())
        near = slice(max(best - REACH, 0), best + REACH + 1)
        total = float(left[near].sum())
        if total < PROBABLE:
            break
        share = left[near] / total
        place = float(share @ middle[near])
        variance = share @ ((middle[near] - place) ** 2 + width[near] ** 2 / 12)
        found.append(Transition(place, float(variance) ** 0.5, min(total, 1.0)))
        left[near] = 0.0
    return sorted(found, key=lambda one: one.place)


def _segments(x: FloatArray, scaled: FloatArray, noise: FloatArray) -> FloatArray:
    """Return the log marginal likelihood of courses i … j − 1 without a change, (n + 1, n + 1)."""
    n = len(x)
    evidence = np.full((n + 1, n + 1), -np.inf)
    for i in range(n):
        basis = np.stack([np.ones(n - i), x[i:] - x[i], (x[i:] - x[i]) ** 2], axis=1)
        for j in range(i + 2, n + 1):
            m = j - i
            evidence[i, j] = sum(
                _evidence(basis[:m], y, s) for y, s in zip(scaled[i:j].T, noise, strict=True)
            )
    return evidence


def _evidence(basis: FloatArray, y: FloatArray, noise: float) -> float:
    """Return ln p(y) of a linear model with a normal–inverse-gamma prior.

    Denison et al. (2002, Bayesian Methods for Nonlinear Classification and Regression, Wiley).
    """
    precision = np.diag((noise / np.array(COURSE)) ** 2)
    after = precision + basis.T @ basis
    mean = np.linalg.solve(after, basis.T @ y)
    rest = float(y @ y - mean @ after @ mean)
    shape, scale = SHAPE, SHAPE * noise**2
    m = len(y)
    return float(
        0.5 * (np.linalg.slogdet(precision)[1] - np.linalg.slogdet(after)[1])
        + shape * np.log(scale)
        - (shape + m / 2) * np.log(scale + max(rest, 0.0) / 2)
        + gammaln(shape + m / 2)
        - gammaln(shape)
        - m / 2 * np.log(2 * np.pi)
    )


def _noise(scaled: FloatArray) -> FloatArray:
    """Return the noise of each number from its second differences, (n_numbers,), jumps left out."""
    second = np.diff(scaled, n=2, axis=0)
    return np.asarray(1.4826 * np.median(np.abs(second), axis=0) / 6**0.5)


def _posterior(evidence: FloatArray, *, shortest: int) -> FloatArray:
    n = len(evidence) - 1
    price = np.log(CHANGES / n)
    forward, backward = np.full(n + 1, -np.inf), np.full(n + 1, -np.inf)
    forward[0] = backward[n] = 0.0
    for j in range(shortest, n + 1):
        starts = np.arange(0, j - shortest + 1)
        terms = forward[starts] + evidence[starts, j] + np.where(starts > 0, price, 0.0)
        forward[j] = logsumexp(terms)
    for i in range(n - shortest, -1, -1):
        ends = np.arange(i + shortest, n + 1)
        terms = backward[ends] + evidence[i, ends] + np.where(ends < n, price, 0.0)
        backward[i] = logsumexp(terms)
    inner = np.arange(1, n)
    return np.asarray(np.exp(forward[inner] + backward[inner] + price - forward[n]))
