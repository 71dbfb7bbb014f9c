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

WELL_KNOWN = 5.0
"""Relative noise up to which values make up the range of a number."""

FEWEST = 5
"""Measurements below which no change can be told."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Courses:
    """Numbers along a series, whose changes are sought.

    Attributes
    ----------
    values : (n, n_numbers).
    noise : (n, n_numbers) relative to one another: how much less is known of a number in one place
        than in another, 1 where most is known.
    least_noise : (n_numbers,) standard deviation, where the relative noise is 1, below which the
        noise is not believed to be.
    """

    values: FloatArray
    noise: FloatArray
    least_noise: FloatArray


def transitions(variable: FloatArray, courses: Courses) -> list[Transition]:
    """Return the probable transitions, in order of the variable.

    Parameters
    ----------
    variable : (n,) increasing: temperature, time, …
    """
    return places(variable, change_probabilities(variable, courses))


def change_probabilities(variable: FloatArray, courses: Courses) -> FloatArray:
    """Return the posterior probability of a change in each gap, (n − 1,).

    Parameters as of `transitions`. Numbers that do not vary tell nothing and are left out.
    """
    n = len(variable)
    known = courses.noise < WELL_KNOWN
    values = np.where(known, courses.values, np.nan)
    told = np.flatnonzero(known.sum(axis=0) >= FEWEST)
    if n < FEWEST or not told.size:
        return np.zeros(n - 1)
    low, high = np.nanmin(values[:, told], axis=0), np.nanmax(values[:, told], axis=0)
    told, low, span = (
        told[high - low > 1e-9],
        low[high - low > 1e-9],
        (high - low)[high - low > 1e-9],
    )
    if not told.size:
        return np.zeros(n - 1)
    x = (variable - variable[0]) / (variable[-1] - variable[0])
    scaled = (courses.values[:, told] - low) / span - 0.5
    relative = courses.noise[:, told]
    noise = np.maximum(_noise(scaled, relative), FAINTEST)
    noise = np.maximum(noise, courses.least_noise[told] / span)
    evidence = _segments(x, scaled / relative, relative, noise)
    return _posterior(evidence, shortest=2 if n < 30 else 3)


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


def _segments(
    x: FloatArray, weighted: FloatArray, relative: FloatArray, noise: FloatArray
) -> FloatArray:
    """Return the log marginal likelihood of courses i … j − 1 without a change, (n + 1, n + 1).

    Parameters
    ----------
    weighted : (n, n_numbers) over their relative noise.
    """
    n = len(x)
    evidence = np.full((n + 1, n + 1), -np.inf)
    for i in range(n):
        apart = x[i:] - x[i]
        basis = np.stack([np.ones(n - i), apart, apart**2], axis=1)
        for j in range(i + 2, n + 1):
            m = j - i
            rows = zip(weighted[i:j].T, relative[i:j].T, noise, strict=True)
            evidence[i, j] = sum(_evidence(basis[:m] / r[:, None], y, s) for y, r, s in rows)
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


def _noise(scaled: FloatArray, relative: FloatArray) -> FloatArray:
    """Return the noise of each number from its second differences, (n_numbers,), jumps left out."""
    second = np.diff(scaled, n=2, axis=0) / np.maximum(relative[1:-1], 1.0)
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
