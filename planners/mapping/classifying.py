"""A map of regions that exclude one another: Gaussian processes as a classifier.

Memberships become the outcomes of one process a region, with the noise that makes their softmax
Dirichlet distributed (Milios et al. 2018, arXiv:1805.10915): calibrated, exact and quick.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from planners.bayesian.gaussian_process import GaussianProcess, fit
from planners.columns import Array
from planners.mapping.maps import doubt_of
from planners.mapping.regions import Regions

UNSEEN = 0.01
"""Count of a region where none was read, the α of Milios et al."""

CHUNK = 64
"""Points whose gain is computed at a time; bounds the memory."""


@dataclass(frozen=True, slots=True)
class RegionMap:
    """Probabilities of regions over the settings.

    Attributes
    ----------
    regions : of the samples that were read.
    x : (n, n_columns) their coordinates.
    processes : one a region, of logarithms of counts, standardised.
    locations, scales : (n_regions,) the way back from there.
    """

    regions: Regions
    x: Array
    processes: tuple[GaussianProcess, ...]
    locations: Array
    scales: Array

    exclusive = True

    @property
    def names(self) -> tuple[str, ...]:
        """Of the regions, the largest first."""
        return self.regions.names

    @property
    def n_read(self) -> int:
        """Samples whose readings it rests on."""
        return len(self.regions.right)

    @property
    def doubted(self) -> int:
        """Readings that are likelier wrong than right."""
        return int((self.regions.right < 0.5).sum())

    def probabilities(self, x: Array) -> Array:
        """Return the probability of each region at coordinates, (n_points, n_regions)."""
        return _softened(*self._moments(x))

    def gain(self, x: Array, over: Array) -> Array:
        """Return by how much a reading at each point is expected to lower the mean doubt."""
        if len(self.processes) < 2:
            return np.zeros(len(x))
        parts = range(0, len(x), CHUNK)
        return np.concatenate([self._gain(x[i : i + CHUNK], over) for i in parts])

    def believing(self, x: Array) -> Self:
        """Return the map once points under way have been read as is expected of them."""
        if not len(x):
            return self
        return replace(self, processes=tuple(p.believing(x) for p in self.processes))

    def _moments(self, x: Array) -> tuple[Array, Array]:
        told = [p.predict(x) for p in self.processes]
        mean = np.stack([m for m, _ in told], axis=1) * self.scales + self.locations
        return mean, (np.stack([s for _, s in told], axis=1) * self.scales) ** 2

    def _gain(self, x: Array, over: Array) -> Array:
        """Average over what the reading may say: each region with its probability there."""
        means, covariances, at_x, of_x = self._joint(x, over)
        variances = np.stack([p.predict(over)[1] for p in self.processes], axis=1)
        now = doubt_of(self.probabilities(over)).mean()
        chance = self.probabilities(x)
        total = np.zeros(len(x))
        n_regions = len(self.processes)
        for told in range(n_regions):
            target, noise = _outcomes(np.eye(n_regions)[told], np.ones(1))
            pull = covariances / (of_x + noise / self.scales**2)[:, None, :]
            shift = (target - self.locations) / self.scales - at_x
            mean = means[None] + pull * shift[:, None, :]
            left = np.maximum(variances[None] ** 2 - pull * covariances, 0.0)
            after = _softened(mean * self.scales + self.locations, left * self.scales**2)
            total += chance[:, told] * (now - doubt_of(after).mean(axis=1))
        return np.maximum(total, 0.0)

    def _joint(self, x: Array, over: Array) -> tuple[Array, Array, Array, Array]:
        """Return means at `over`, covariances with `x`, means and variances at `x`, standardised.

        Shapes (n_over, k), (n_points, n_over, k), (n_points, k), (n_points, k).
        """
        joint = [p.joint(np.concatenate([x, over])) for p in self.processes]
        n = len(x)
        means = np.stack([m for m, _ in joint], axis=1)
        covariances = np.stack([c[:n, n:] for _, c in joint], axis=2)
        variances = np.stack([np.diag(c)[:n] for _, c in joint], axis=1)
        return means[n:], covariances, means[:n], np.maximum(variances, 1e-9)


def region_map(regions: Regions, x: Array, *, groups: npt.NDArray[np.int64]) -> RegionMap:
    """Return the map of regions that samples were found to belong to.

    Parameters
    ----------
    x : (n, n_columns) coordinates of the samples that were read.
    groups : for each column the length scale that it uses.

    Raises
    ------
    SurrogateFailed
        A process could not be fitted.
    """
    targets, noises = _outcomes(regions.members, regions.right[:, None])
    locations, scales = targets.mean(axis=0), np.maximum(targets.std(axis=0), 1e-3)
    processes = tuple(
        fit(x, (t - m) / s, v / s**2, np.zeros(len(x)), groups=groups)
        for t, v, m, s in zip(targets.T, noises.T, locations, scales, strict=True)
    )
    return RegionMap(regions, x, processes, locations, scales)


def _outcomes(members: Array, right: Array) -> tuple[Array, Array]:
    """Return outcomes and noise variances of a Dirichlet posterior's logarithms, as of members.

    A gamma variable of shape α has about the lognormal of variance ln(1 + 1/α) and mean ln α less
    half of it (Milios et al. 2018, equation 5). A doubtful reading counts less.
    """
    counts = UNSEEN + right * members
    variance = np.log1p(1 / counts)
    return np.log(counts) - 0.5 * variance, variance


def _softened(mean: Array, variance: Array) -> Array:
    """Return the softmax of normal variables, its expectation approximated. Last axis: regions.

    Each is divided by √(1 + π v / 8) (MacKay 1992, doi:10.1162/neco.1992.4.5.720).
    """
    logits = mean / np.sqrt(1 + np.pi * variance / 8)
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))
