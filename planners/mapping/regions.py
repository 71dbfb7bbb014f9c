"""Regions: samples that are alike in what was read of them and lie side by side in the settings.

A reading is drawn from the scores of its region, or, if the analysis is wrong, from those of any
region. Which region a sample belongs to is told beforehand by its neighbours. Both are weighed by
Bayes' rule, and how many regions there are is decided by how well each sample's reading is foretold
by the others (a pseudo-likelihood, Besag 1975, doi:10.2307/2987782) less the price of parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from planners.bayesian.gaussian_process import distance
from planners.columns import Array
from planners.mapping.readings import Labels, doubted
from planners.structural.families import Family

REACHES = (0.06, 0.09, 0.15)
"""Distances in the unit cube, per square root of a column, over which neighbours are tried."""

STANDING = 2.0
"""Neighbours' worth of belief in the regions' sizes alone."""

LEAST_SUPPORT = 2.0
"""Readings, each counted by its probability to be right, on which a region must rest: one that is
wrong makes no region by itself."""

MOST_REGIONS = 8

LEAST_SPREAD, SPREAD_COUNT = 0.1, 3.0
"""Spread within a region before anything is read, as a share of that of all; worth so many
readings."""

N_ROUNDS, SETTLED = 60, 1e-3


@dataclass(frozen=True, slots=True)
class Regions:
    """Which region each sample that was read belongs to.

    Attributes
    ----------
    names : of the regions.
    members : (n, n_regions) probabilities, rows sum to 1.
    right : (n,) probability that the sample's reading is right, knowing the others.
    reach : distance over which neighbours tell of one another.
    evidence : log pseudo-likelihood less the price of parameters.
    """

    names: tuple[str, ...]
    members: Array
    right: Array
    reach: float
    evidence: float

    @property
    def support(self) -> Array:
        """On how many right readings each region rests, (n_regions,)."""
        return np.asarray(self.right @ self.members)


def found_regions(family: Family, x: Array) -> Regions:
    """Return the regions that scores fall into, their number by evidence.

    Parameters
    ----------
    x : (n, n_columns) coordinates of the samples that were read.
    """
    candidates = [
        found
        for start in _starts(family.scores, x)
        for reach in _reaches(x)
        if (found := _settled(family, x, start, reach)) is not None
    ]
    best = max(candidates, key=lambda r: r.evidence)
    order = np.argsort(-best.members.sum(axis=0), kind="stable")
    names = tuple(f"region {k + 1}" for k in range(len(order)))
    return Regions(names, best.members[:, order], best.right, best.reach, best.evidence)


def labelled_regions(labels: Labels, x: Array) -> Regions:
    """Return the regions that answers name, each answer weighed against its neighbours'."""
    wrong = doubted(labels.p_wrong)
    sizes = labels.probabilities.mean(axis=0) + 1e-6
    likelihood = labels.probabilities / sizes
    blind = np.ones(len(x))
    tried = [_relaxed(x, labels.probabilities, likelihood, blind, wrong, r) for r in _reaches(x)]
    members, right, total, reach = max(tried, key=lambda t: t[2])
    return Regions(labels.names, members, right, reach, total)


def _reaches(x: Array) -> list[float]:
    return [r * float(np.sqrt(x.shape[1])) for r in REACHES]


def _starts(scores: Array, x: Array) -> Iterator[Array]:
    """Yield memberships to start from: Ward's clusters of scores, alone and with places."""
    most = min(MOST_REGIONS, len(x) // 2)
    yield np.ones((len(x), 1))
    spread = max(float(scores.std(axis=0).max()), 1e-12)
    for table in (scores, np.hstack([scores / spread, 1.5 * x])):
        tree = linkage(table, "ward")
        for k in range(2, most + 1):
            labels = fcluster(tree, k, "maxclust") - 1
            start = 0.9 * np.eye(k)[labels] + 0.1 / k
            yield start / start.sum(axis=1, keepdims=True)


def _settled(family: Family, x: Array, start: Array, reach: float) -> Regions | None:
    """Return the regions that a start settles in, None if one rests on too little."""
    n, q = family.scores.shape
    k = start.shape[1]
    wrong = doubted(family.p_wrong)
    members, right, total = start, 1 - wrong, -np.inf
    near = _neighbours(x, reach)
    for _ in range(N_ROUNDS):
        sizes = _sizes(members, right)
        density = _densities(family.scores, members, right)
        blind = 0.5 * density @ sizes + 0.5 * _normal(family.scores, _spread_of(family.scores))
        told = _foretold(near, members, right, sizes)
        updated, right, total = _weighed(told, density, blind, wrong)
        moved = float(np.abs(updated - members).max())
        members = updated
        if moved < SETTLED:
            break
    if k > 1 and (right @ members).min() < LEAST_SUPPORT:
        return None
    price = 0.5 * (k * q + k - 1) * np.log(n)
    return Regions(("",) * k, members, right, reach, total - price)


def _relaxed(
    x: Array, start: Array, likelihood: Array, blind: Array, wrong: Array, reach: float
) -> tuple[Array, Array, float, float]:
    """Return memberships, probabilities to be right, log pseudo-likelihood and the reach."""
    members, right, total = start, 1 - wrong, -np.inf
    near = _neighbours(x, reach)
    for _ in range(N_ROUNDS):
        told = _foretold(near, members, right, _sizes(members, right))
        updated, right, total = _weighed(told, likelihood, blind, wrong)
        moved = float(np.abs(updated - members).max())
        members = updated
        if moved < SETTLED:
            break
    return members, right, total, reach


def _neighbours(x: Array, reach: float) -> Array:
    near = np.exp(-0.5 * (distance(x, x) / reach) ** 2)
    np.fill_diagonal(near, 0.0)
    return near


def _sizes(members: Array, right: Array) -> Array:
    counted = right @ members + 0.5
    return np.asarray(counted / counted.sum())


def _foretold(near: Array, members: Array, right: Array, sizes: Array) -> Array:
    """Return what neighbours tell of each sample's region, (n, n_regions)."""
    votes = STANDING * sizes + near @ (right[:, None] * members)
    return np.asarray(votes / (STANDING + near @ right)[:, None])


def _weighed(told: Array, density: Array, blind: Array, wrong: Array) -> tuple[Array, Array, float]:
    """Return memberships, probabilities to be right, and the log pseudo-likelihood."""
    by_reading = told * (1 - wrong)[:, None] * density
    by_neighbours = told * (wrong * blind)[:, None]
    total = (by_reading + by_neighbours).sum(axis=1)
    right = by_reading.sum(axis=1) / total
    return (by_reading + by_neighbours) / total[:, None], right, float(np.log(total).sum())


def _densities(scores: Array, members: Array, right: Array) -> Array:
    """Return the normal density of each score in each region, (n, n_regions); one spread for all.

    The spread shrinks towards `LEAST_SPREAD` of that of all scores.
    """
    weights = right[:, None] * members
    means = weights.T @ scores / (weights.sum(axis=0)[:, None] + 1e-9)
    off = scores[:, None, :] - means
    within = np.einsum("ik,ikp,ikq->pq", weights, off, off)
    prior = SPREAD_COUNT * LEAST_SPREAD * _spread_of(scores)
    spread = (within + prior) / (weights.sum() + SPREAD_COUNT)
    return np.stack([_normal(scores - mean, spread) for mean in means], axis=1)


def _spread_of(scores: Array) -> Array:
    q = scores.shape[1]
    return np.atleast_2d(np.cov(scores.T)).reshape(q, q) + 1e-9 * np.eye(q)


def _normal(off: Array, spread: Array) -> Array:
    """Return the density of a normal distribution at deviations from its mean, (n,)."""
    _, log_size = np.linalg.slogdet(2 * np.pi * spread)
    square = np.einsum("ip,pq,iq->i", off, np.linalg.inv(spread), off)
    return np.asarray(np.exp(np.maximum(-0.5 * (square + log_size), -600.0)))
