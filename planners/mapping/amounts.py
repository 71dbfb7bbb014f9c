"""A map of phases that may stand side by side: how much of each there is, and so which are there.

In a phase diagram amounts run straight from border to border and are nought beyond. So each phase
has a Gaussian process of a latent amount, of which shares between nought and one are seen as they
are, while nought says only that the latent amount is not above it (a censored outcome; Tobin 1958,
doi:10.2307/1907382). Beyond a border the latent amount goes on falling, so that the border is
found between samples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr, ndtr, owens_t

from planners.bayesian.gaussian_process import GaussianProcess, fit
from planners.columns import Array
from planners.mapping.readings import Amounts, doubted

PRESENT = 0.05
"""Share from which a phase counts as present."""

LEAST_STD = 0.01
"""Error of a share that no agent goes below."""

N_ROUNDS = 8
"""Rounds in which censored amounts are told from the others."""

CHUNK = 128
"""Points whose gain is computed at a time; bounds the memory."""


@dataclass(frozen=True, slots=True)
class AmountMap:
    """Probabilities that phases are present over the settings.

    Attributes
    ----------
    names : of the phases.
    processes : one a phase, of its latent amount, standardised.
    locations, scales : (n_phases,) the way back to shares.
    n_read, doubted : samples that were read, and those likelier read wrong than right.
    """

    names: tuple[str, ...]
    processes: tuple[GaussianProcess, ...]
    locations: Array
    scales: Array
    n_read: int
    doubted: int

    exclusive = False

    def probabilities(self, x: Array) -> Array:
        """Return the probability that each phase is present, (n_points, n_phases)."""
        told = [p.predict(x) for p in self.processes]
        mean, std = (np.stack(part, axis=1) for part in zip(*told, strict=True))
        return np.asarray(ndtr((mean - self._limits) / np.maximum(std, 1e-9)))

    def shares(self, x: Array) -> Array:
        """Return the expected latent amount of each phase, below 0 where it is absent."""
        told = np.stack([p.predict(x)[0] for p in self.processes], axis=1)
        return told * self.scales + self.locations

    def gain(self, x: Array, over: Array) -> Array:
        """Return by how much a reading at each point is expected to lower the mean doubt.

        Exact for processes with fixed hyperparameters: with q = Φ(a) the probability of presence
        and ρ the share of the latent variance that the reading takes away, E[q'²] = Φ₂(a, a; ρ) =
        Φ(a) - 2 T(a, √((1 - ρ) / (1 + ρ))), T being Owen's (1956, doi:10.1214/aoms/1177728074).
        """
        parts = range(0, len(x), CHUNK)
        return np.concatenate([self._gain(x[i : i + CHUNK], over) for i in parts])

    def believing(self, x: Array) -> Self:
        """Return the map once points under way have been read as is expected of them."""
        if not len(x):
            return self
        return replace(self, processes=tuple(p.believing(x) for p in self.processes))

    @property
    def _limits(self) -> Array:
        return np.asarray((PRESENT - self.locations) / self.scales)

    def _gain(self, x: Array, over: Array) -> Array:
        total = np.zeros(len(x))
        n = len(x)
        for process, limit in zip(self.processes, self._limits, strict=True):
            mean, covariance = process.joint(np.concatenate([x, over]))
            variance = np.maximum(np.diag(covariance), 1e-12)
            noise = float(np.median(process.variances))
            taken = covariance[:n, n:] ** 2 / (variance[:n] + noise)[:, None] / variance[n:]
            known = np.clip(taken, 0.0, 1 - 1e-9)
            a = (mean[n:] - limit) / np.sqrt(variance[n:])
            left = 2 * owens_t(a, np.sqrt((1 - known) / (1 + known)))
            total += (2 * owens_t(a, 1.0) - left).mean(axis=1)
        return np.maximum(total, 0.0)


def amount_map(amounts: Amounts, x: Array, *, groups: npt.NDArray[np.int64]) -> AmountMap:
    """Return the map of phases of which shares were read.

    Parameters
    ----------
    x : (n, n_columns) coordinates of the samples that were read.
    groups : for each column the length scale that it uses.

    Raises
    ------
    SurrogateFailed
        A process could not be fitted.
    """
    seen = [k for k in range(len(amounts.names)) if (amounts.shares[:, k] >= PRESENT).any()]
    wrong = doubted(amounts.p_wrong)
    locations = amounts.shares[:, seen].mean(axis=0)
    scales = np.maximum(amounts.shares[:, seen].std(axis=0), LEAST_STD)
    processes = tuple(
        _censored(
            x,
            (amounts.shares[:, k] - m) / s,
            (np.maximum(amounts.stds[:, k], LEAST_STD) / s) ** 2,
            wrong / (1 - wrong),
            bounds=((0.0 - m) / s, (1.0 - m) / s),
            groups=groups,
        )
        for k, m, s in zip(seen, locations, scales, strict=True)
    )
    names = tuple(amounts.names[k] for k in seen)
    return AmountMap(names, processes, locations, scales, len(x), int((wrong > 0.5).sum()))


def _censored(
    x: Array,
    y: Array,
    known: Array,
    extra: Array,
    *,
    bounds: tuple[float, float],
    groups: npt.NDArray[np.int64],
) -> GaussianProcess:
    """Return the process of amounts of which those at a bound may lie beyond it.

    Expectation maximisation with each censored outcome at the mean, and of the variance, of what
    the others foretell of it cut off at the bound.
    """
    low, high = bounds
    near = LEAST_STD * (high - low)
    below, above = y <= low + near, y >= high - near
    told, spread = y.copy(), np.zeros(len(y))
    process = fit(x, told, known, extra, groups=groups)
    for _ in range(N_ROUNDS):
        mean, std = process.leave_one_out()
        for hidden, edge, side in ((below, low, 1.0), (above, high, -1.0)):
            cut, left = _cut_off(side * mean[hidden], std[hidden], side * edge)
            told[hidden], spread[hidden] = side * cut, left
        process = fit(x, told, known + spread, extra, groups=groups)
    return process


def _cut_off(mean: Array, std: Array, edge: float) -> tuple[Array, Array]:
    """Return mean and variance of normal variables known to be below an edge."""
    z = (edge - mean) / std
    ratio = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
    variance = std**2 * np.clip(1 - z * ratio - ratio**2, 0.0, 1.0)
    return mean - std * ratio, variance
