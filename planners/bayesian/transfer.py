"""Learning from earlier campaigns: processes weighted by how well they rank what is known."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from planners.bayesian.gaussian_process import (
    GaussianProcess,
    Hyperparameters,
    SurrogateFailed,
    fit,
)
from planners.bayesian.weighing import Mixture
from planners.columns import Array
from planners.earlier import EarlierCampaign, encode_shared
from planners.encoding import Encoding

logger = logging.getLogger(__name__)

Rows = npt.NDArray[np.int64]

N_DRAWS = 512
"""Draws of each process behind the ranking weights."""

MISLEADS = 0.95
"""Quantile of the own process's ranking loss above which the median of an earlier one's is out."""

NEAR_CHANCE = 0.4
"""Share of pairs ranked wrongly, half being chance, from which on an earlier process is out."""

LEAST_WEIGHT = 0.01
LEAST_OBSERVATIONS = 3
"""Fewer experiments, here or in an earlier campaign, rank nothing."""

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
    noise, and along names that it did not know its process is constant. A campaign with fewer than
    three usable experiments, or equal outcomes, is left out.
    """
    found: list[EarlierProcess] = []
    for campaign in campaigns:
        rows = [o for o in campaign.observations if not o.failed and quantity in o.outcomes]
        index, x, usable = encode_shared(encoding, campaign, rows[-MAX_EARLIER:])
        taken = [o for o, ok in zip(rows[-MAX_EARLIER:], usable, strict=True) if ok]
        values = np.array([o.outcomes[quantity] for o in taken], dtype=np.float64)
        if len(taken) < LEAST_OBSERVATIONS or not np.ptp(values) > 0:
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
    """Return the own process and those earlier ones that rank its outcomes well, as a mixture.

    The weights are those of the ranking-weighted ensemble (RGPE, Feurer, Letham & Bakshy 2018,
    arXiv:1802.02219): the share of joint draws in which a process ranks the pairs of outcomes
    better than every other; the own process is drawn from its leave-one-out predictions, and wins
    ties. Against a dilution of the weights, an earlier process whose median loss lies above the
    95 % quantile of the own one's, or near that of chance, gets none. Unlike there, an earlier
    process is brought onto the scale of the outcomes by a regression line that is shrunk towards
    offset 0 and slope 1, corrected by a process of the differences, and the members are combined
    as a mixture, whose variance holds their disagreement.

    Parameters
    ----------
    own : the process of this campaign, whose outcomes are judged by.
    known, extra : noise variances of its outcomes as `fit` takes them, shape (n,).
    rng : for the draws.
    """
    brought = [_brought(e.process, own) for e in earlier]
    weights = ranking_weights(own, brought, rng=rng)
    members: list[GaussianProcess | Corrected] = [own]
    names, shares = [""], [float(weights[0])]
    for told, process, weight in zip(earlier, brought, weights[1:], strict=True):
        if weight >= LEAST_WEIGHT:
            members.append(_corrected(process, own, known, extra))
            names.append(told.name)
            shares.append(float(weight))
    return Mixture(tuple(members), np.array(shares) / sum(shares), tuple(names))


def ranking_weights(
    own: GaussianProcess, earlier: Sequence[GaussianProcess], *, rng: np.random.Generator
) -> Array:
    """Return the weights of the own process and the earlier ones, sum 1, shape (1 + n_earlier,).

    With fewer than three outcomes nothing can be ranked, and all weigh the same. See `learnt_from`.
    """
    if not earlier:
        return np.ones(1)
    if len(own.y) < LEAST_OBSERVATIONS:
        return np.full(1 + len(earlier), 1.0 / (1 + len(earlier)))
    mean, std = own.leave_one_out()
    told = mean + std * rng.standard_normal((N_DRAWS, len(mean)))
    losses = [_misranked(told, own.y, against=own.y)]
    for process in earlier:
        draws = _joint_draws(process, own.x, rng=rng)
        losses.append(_misranked(draws, own.y, against=None))
    table = np.stack(losses)
    n_pairs = len(own.y) * (len(own.y) - 1)
    limit = min(np.quantile(table[0], MISLEADS), NEAR_CHANCE * n_pairs)
    out = np.median(table, axis=1) > limit
    out[0] = False
    table = np.where(out[:, None], np.inf, table)
    best = table == table.min(axis=0)
    best[1:, best[0]] = False
    return np.asarray((best / best.sum(axis=0)).mean(axis=1))


def _misranked(draws: Array, y: Array, *, against: Array | None) -> Array:
    """Return how many ordered pairs each draw ranks wrongly, shape (n_draws,).

    Parameters
    ----------
    against : values that a draw's value is compared with; by default the draw itself.
    """
    losses = np.zeros(len(draws))
    for k in range(len(y)):
        other = draws[:, k : k + 1] if against is None else against[k]
        apart = (draws < other) != (y < y[k])
        apart[:, k] = False
        losses += apart.sum(axis=1)
    return losses


def _joint_draws(process: GaussianProcess, x: Array, *, rng: np.random.Generator) -> Array:
    mean, covariance = process.joint(x)
    eigenvalues, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(eigenvalues, 0.0))
    return np.asarray(mean + rng.standard_normal((N_DRAWS, len(x))) @ root.T)


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
