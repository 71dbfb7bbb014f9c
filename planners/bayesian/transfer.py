"""Learning from earlier campaigns: processes weighted by what they make of what is known."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from planners.bayesian.gaussian_process import (
    GaussianProcess,
    Hyperparameters,
    SurrogateFailed,
    fit,
)
from planners.bayesian.ranking import ranking_weights
from planners.bayesian.weighing import Mixture, gains, log_densities
from planners.columns import Array
from planners.earlier import EarlierCampaign, encode_shared
from planners.encoding import Encoding

logger = logging.getLogger(__name__)

Rows = npt.NDArray[np.int64]

LEAST_WEIGHT = 0.01
LEAST_OUTCOMES = 3
"""Fewer experiments of an earlier campaign tell nothing."""

LEAST_GAIN = 0.2
"""Nats an outcome by which an earlier process must beat a constant on its own outcomes.

A third of their variance explained. Sixty measurements of noise make 0.0 to 0.2, sixty random
experiments on Hartmann's function of six names 0.3 to 1.0. Of eight of noise every other campaign
passes; those are left to the weights.
"""

OWN_HEAD_START = 1.0
"""Nats that the own process is believed ahead of an earlier one before anything is known."""

MAX_EARLIER = 300
"""Experiments of one earlier campaign that are used, the last ones."""

FAR = 1e6
"""Length scale along a column that an earlier campaign knows nothing of."""

LEAST_DIFFERENCE = 0.05
"""Standard deviation that differences from an earlier process have at least."""

LINE_STD = 0.5
"""Standard deviation around 0 and 1 that offset and slope of an earlier process are given."""


@dataclass(frozen=True, slots=True)
class EarlierProcess:
    """The process of one quantity of an earlier campaign, in the coordinates of this one.

    Attributes
    ----------
    name : of the campaign.
    process : fitted to its outcomes, standardised among themselves.
    """

    name: str
    process: GaussianProcess


def earlier_processes(
    encoding: Encoding, quantity: str, campaigns: Sequence[EarlierCampaign]
) -> tuple[EarlierProcess, ...]:
    """Return a process for each earlier campaign that knows a quantity.

    It is fitted over the names that both spaces share; what else that campaign varied counts as
    noise, and along names that it did not know its process is constant. Left out is a campaign with
    fewer than three usable experiments, with equal outcomes, or whose process does not foretell its
    own outcomes, each told without itself, by `LEAST_GAIN` better than a constant: what it does not
    know of itself it cannot teach.
    """
    found: list[EarlierProcess] = []
    for campaign in campaigns:
        rows = [o for o in campaign.observations if not o.failed and quantity in o.outcomes]
        index, x, usable = encode_shared(encoding, campaign, rows[-MAX_EARLIER:])
        taken = [o for o, ok in zip(rows[-MAX_EARLIER:], usable, strict=True) if ok]
        values = np.array([o.outcomes[quantity] for o in taken], dtype=np.float64)
        if len(taken) < LEAST_OUTCOMES or not np.ptp(values) > 0:
            logger.info("%s tells too little of %s to learn from", campaign.name, quantity)
            continue
        scale = float(values.std())
        p_wrong = np.minimum([o.p_wrong for o in taken], 0.999)
        groups = np.unique(encoding.groups[index], return_inverse=True)
        try:
            process = fit(
                x,
                (values - values.mean()) / scale,
                np.full(len(taken), np.nan),
                p_wrong / (1.0 - p_wrong),
                groups=groups[1],
            )
        except SurrogateFailed as error:
            logger.warning("nothing is learnt from %s: %s", campaign.name, error)
            continue
        gain = float(gains(process).mean())
        if gain < LEAST_GAIN:
            logger.info("%s foretells its own %s by %.2f nats only", campaign.name, quantity, gain)
            continue
        found.append(EarlierProcess(campaign.name, _spread_out(process, encoding, index)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Corrected:
    """An earlier process as the mean, and a process of what the own outcomes differ from it.

    Attributes
    ----------
    earlier : on the scale of the own outcomes.
    difference : fitted to the own outcomes minus the earlier process's mean.
    """

    earlier: GaussianProcess
    difference: GaussianProcess

    @property
    def y(self) -> Array:
        """Standardised own outcomes, shape (n,)."""
        return self.difference.y + self.earlier.predict(self.difference.x)[0]

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation at coordinates, shape (n_points,) each."""
        mean, std = self.earlier.predict(x)
        more, left = self.difference.predict(x)
        share = left / np.sqrt(self.difference.parameters.signal)
        return mean + more, np.hypot(left, share * std)

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Return the joint mean, (n_points,), and covariance, (n_points, n_points), at points.

        The earlier process's own doubt counts as far as the own outcomes leave it.
        """
        mean, covariance = self.earlier.joint(x)
        more, left = self.difference.joint(x)
        share = np.sqrt(np.maximum(np.diag(left), 0.0) / self.difference.parameters.signal)
        return mean + more, left + covariance * np.outer(share, share)

    def believing(self, x: Array) -> Corrected:
        """Return the same once points under way have come out as predicted."""
        return replace(self, difference=self.difference.believing(x))

    def leave_one_out(self) -> tuple[Array, Array]:
        """Return mean and std of each outcome, noise included, told from the others. (n,) each."""
        mean, std = self.difference.leave_one_out()
        return mean + self.earlier.predict(self.difference.x)[0], std


def learnt_from(
    own: GaussianProcess,
    earlier: Sequence[EarlierProcess],
    *,
    known: Array,
    extra: Array,
    rng: np.random.Generator,
) -> Mixture:
    """Return the own process and those earlier ones that foretell its outcomes, as a mixture.

    The weight of an earlier process is that of the ranking-weighted ensemble (`ranking_weights`)
    times the probability that it, corrected, and not the own process is right: that of the log
    predictive densities of all outcomes, each told without itself (pseudo-Bayes factor, Geisser &
    Eddy 1979, doi:10.1080/01621459.1979.10481632), with the own process `OWN_HEAD_START` ahead. The
    own process takes what is left. Ranking alone believes a stranger that has three points in the
    right order by chance; densities alone never let go of one that says nothing.

    Unlike in the ranking-weighted ensemble, an earlier process is brought onto the scale of the
    outcomes by a regression line that is shrunk towards offset 0 and slope 1, corrected by a
    process of the differences, and the members are combined as a mixture, whose variance holds
    their disagreement.

    Parameters
    ----------
    own : the process of this campaign, whose outcomes are judged by.
    known, extra : noise variances of its outcomes as `fit` takes them, shape (n,).
    rng : for the draws.
    """
    brought = [_brought(e.process, own) for e in earlier]
    ranked = ranking_weights(own, brought, rng=rng)[1:]
    members: list[GaussianProcess | Corrected] = [own]
    names, shares = [""], [0.0]
    for told, process, rank in zip(earlier, brought, ranked, strict=True):
        if rank < LEAST_WEIGHT:
            continue
        corrected = _corrected(process, own, known, extra)
        weight = float(rank) * _belief(corrected, own)
        if weight >= LEAST_WEIGHT:
            members.append(corrected)
            names.append(told.name)
            shares.append(weight)
    shares[0] = 1.0 - sum(shares)
    return Mixture(tuple(members), np.array(shares), tuple(names))


def _belief(corrected: Corrected, own: GaussianProcess) -> float:
    """Return the probability that the corrected and not the own process is right."""
    ahead = float((log_densities(corrected) - log_densities(own)).sum())
    return float(expit(ahead - OWN_HEAD_START))


def _brought(earlier: GaussianProcess, own: GaussianProcess) -> GaussianProcess:
    """Return an earlier process on the scale of the own outcomes: offset + slope · f."""
    told, std = earlier.predict(own.x)
    precision = 1.0 / (own.variances + std**2)
    design = np.stack([np.ones(len(told)), told], axis=1)
    normal = design.T @ (design * precision[:, None]) + np.eye(2) / LINE_STD**2
    side = design.T @ (precision * (own.y - told))
    offset, more = np.linalg.solve(normal, side)
    return _rescaled(earlier, float(offset), max(1.0 + float(more), 0.1))


def _corrected(
    earlier: GaussianProcess, own: GaussianProcess, known: Array, extra: Array
) -> Corrected:
    """Return an earlier process with a process of what the own outcomes differ from it."""
    apart = own.y - earlier.predict(own.x)[0]
    scale = max(float(np.sqrt(np.mean(apart**2))), LEAST_DIFFERENCE)
    difference = fit(own.x, apart / scale, known / scale**2, extra / scale**2, groups=own.groups)
    return Corrected(earlier, _rescaled(difference, 0.0, scale))


def _rescaled(process: GaussianProcess, offset: float, slope: float) -> GaussianProcess:
    """Return the process of offset + slope · f."""
    return replace(
        process,
        y=offset + slope * process.y,
        variances=slope**2 * process.variances,
        parameters=replace(
            process.parameters,
            signal=slope**2 * process.parameters.signal,
            noise=slope**2 * process.parameters.noise,
            mean=offset + slope * process.parameters.mean,
        ),
        factor=slope * process.factor,
        weights=process.weights / slope,
    )


def _spread_out(process: GaussianProcess, encoding: Encoding, index: Rows) -> GaussianProcess:
    """Return a process over some columns as one over all, constant along the others."""
    x = np.full((len(process.x), len(encoding.columns)), 0.5)
    x[:, index] = process.x
    lengths = np.full(len(encoding.group_names), FAR)
    lengths[encoding.groups[index]] = process.parameters.lengths[process.groups]
    found: Hyperparameters = replace(process.parameters, lengths=lengths)
    return replace(process, x=x, groups=encoding.groups, parameters=found)
