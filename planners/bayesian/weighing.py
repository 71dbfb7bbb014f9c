"""Several surrogates of one quantity, weighed by how well they foretell what they have not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from planners.columns import Array

PRIOR_COUNT = 2.0
"""Imagined outcomes that every surrogate explains equally well: weights need evidence."""

N_ROUNDS = 200

CLEAR_GAIN = 0.5
"""Nats an outcome by which a surrogate that fits well beats a constant."""


class Member(Protocol):
    """What a member of a mixture does; outcomes are standardised."""

    @property
    def y(self) -> Array:
        """Standardised outcomes that it was fitted to, shape (n,)."""
        ...

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation at coordinates, shape (n_points,) each."""
        ...

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Return the joint mean, (n_points,), and covariance, (n_points, n_points), at points."""
        ...

    def believing(self, x: Array) -> Self:
        """Return the same once points under way have come out as predicted."""
        ...

    def leave_one_out(self) -> tuple[Array, Array]:
        """Return mean and std of each outcome, noise included, told from others. (n,) each."""
        ...


@dataclass(frozen=True, slots=True)
class Mixture:
    """Surrogates of the same outcomes, each right with a probability.

    Attributes
    ----------
    members : the surrogates.
    weights : their probabilities, sum 1, shape (n_members,).
    names : what each is called in the record of a proposal; empty for one that is not told.
    """

    members: tuple[Member, ...]
    weights: Array
    names: tuple[str, ...]

    @property
    def y(self) -> Array:
        """Standardised outcomes, shape (n,)."""
        return self.members[0].y

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of the mixture, shape (n_points,) each."""
        return _moments([m.predict(x) for m in self.members], self.weights)

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Return the joint mean, (n_points,), and covariance, (n_points, n_points), at points."""
        told = [m.joint(x) for m in self.members]
        mean = self.weights @ np.stack([m for m, _ in told])
        covariance = sum(
            w * (c + np.outer(m - mean, m - mean))
            for w, (m, c) in zip(self.weights, told, strict=True)
        )
        return mean, np.asarray(covariance)

    def believing(self, x: Array) -> Mixture:
        """Return the mixture once points under way have come out as each member predicted."""
        return replace(self, members=tuple(m.believing(x) for m in self.members))

    def leave_one_out(self) -> tuple[Array, Array]:
        """Return mean and std of each outcome, noise included. Shape (n,) each."""
        return _moments([m.leave_one_out() for m in self.members], self.weights)


def weighed(members: Sequence[Member], names: tuple[str, ...]) -> Mixture:
    """Return the mixture that foretells the outcomes best, each told without itself.

    The weights maximise ``Σ_i ln Σ_m w_m p_m(y_i | others)`` (stacking of predictive
    distributions, Yao et al. 2018, doi:10.1214/17-BA1091) plus `PRIOR_COUNT` imagined outcomes
    that speak for no one, found by expectation maximisation, which is deterministic.
    """
    told = np.stack([log_densities(m) for m in members])
    chance = np.exp(told - told.max(axis=0))
    weights = np.full(len(members), 1.0 / len(members))
    for _ in range(N_ROUNDS):
        share = weights[:, None] * chance
        share /= share.sum(axis=0)
        weights = share.sum(axis=1) + PRIOR_COUNT / len(members)
        weights /= weights.sum()
    return Mixture(tuple(members), weights, names)


def log_densities(member: Member) -> Array:
    """Return the log predictive density of each outcome, told without it, shape (n,)."""
    return _log_normal(member.y, *member.leave_one_out())


def constant_log_densities(y: Array) -> Array:
    """Return what the mean and spread of the other outcomes tell of each, shape (n,).

    Mean and standard deviation of the others, the latter with the mean's own error. Outcomes
    need to be three or more.
    """
    n = len(y)
    mean = (y.sum() - y) / (n - 1)
    square = ((y**2).sum() - y**2) / (n - 1) - mean**2
    variance = np.maximum(square, 1e-12) * (n - 1) / (n - 2) * (1.0 + 1.0 / (n - 1))
    return _log_normal(y, mean, np.sqrt(variance))


def gains(member: Member) -> Array:
    """Return the nats by which each outcome, told without itself, beats a constant, shape (n,).

    Outcomes need to be three or more.
    """
    return log_densities(member) - constant_log_densities(member.y)


def foretells_well(member: Member) -> bool:
    """Return whether a surrogate clearly foretells better than a constant.

    Its outcomes, told each without itself, must gain `CLEAR_GAIN` nats on average over what mean
    and spread of the others tell, beyond one standard error; 0.5 nats are 63 % of the variance
    explained. Of fewer than four outcomes nothing is clear, and the surrogate is trusted.
    """
    if len(member.y) < 4:
        return True
    gain = gains(member)
    return bool(gain.mean() > CLEAR_GAIN + gain.std(ddof=1) / np.sqrt(len(gain)))


def _log_normal(y: Array, mean: Array, std: Array) -> Array:
    std = np.maximum(std, 1e-9)
    return np.asarray(-0.5 * ((y - mean) / std) ** 2 - np.log(std) - 0.5 * np.log(2.0 * np.pi))


def _moments(told: Sequence[tuple[Array, Array]], weights: Array) -> tuple[Array, Array]:
    means = np.stack([mean for mean, _ in told])
    variances = np.stack([std**2 for _, std in told])
    mean = weights @ means
    return mean, np.sqrt(weights @ (variances + (means - mean) ** 2))
