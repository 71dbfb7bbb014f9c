"""The targets beside a map: what is still to be gained, and where, by regions with sharp borders.

Besides the models that see settings (and structure as evidence), a Gaussian process sees the
regions' probabilities as further coordinates: two points of one region are alike, two of different
ones are not, however near they lie. Where regions have nothing to do with the quantity, its length
scale in them grows, and its weight in what foretells falls.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.special import ndtr

from planners.bayesian import marginal
from planners.bayesian.gaussian_process import GaussianProcess, SurrogateFailed, fit
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import Surrogate, fit_surrogates, standardised
from planners.bayesian.weighing import Mixture, weighed
from planners.columns import Array
from planners.encoding import Encoding
from planners.mapping.maps import PhaseMap
from planners.objective import Objective
from planners.proposal import Observation
from planners.space import Point
from planners.structural.evidence import gathered

logger = logging.getLogger(__name__)

MEMBER = "regions"
"""How the process with regions is called in the record of a proposal."""

N_DRAWS = 64
"""Joint draws of the utility from which is told how much is still to be gained."""


@dataclass(frozen=True, slots=True)
class RegionProcess:
    """A process of settings and regions, seen as one of settings alone.

    Attributes
    ----------
    process : over coordinates and then probabilities of regions.
    chart : tells those probabilities.
    """

    process: GaussianProcess
    chart: PhaseMap

    @property
    def y(self) -> Array:
        """Standardised outcomes, shape (n,)."""
        return self.process.y

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation at coordinates, shape (n_points,) each."""
        return self.process.predict(self._seen(x))

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Return the joint mean and covariance at coordinates."""
        return self.process.joint(self._seen(x))

    def believing(self, x: Array) -> Self:
        """Return the same once points under way have come out as predicted."""
        return replace(self, process=self.process.believing(self._seen(x))) if len(x) else self

    def leave_one_out(self) -> tuple[Array, Array]:
        """Return mean and std of each outcome, noise included, told from others. (n,) each."""
        return self.process.leave_one_out()

    def _seen(self, x: Array) -> Array:
        return np.hstack([x, self.chart.probabilities(x)])


@dataclass(frozen=True, slots=True)
class Property:
    """What is known of the targets.

    Attributes
    ----------
    surrogates : quantity → its surrogate.
    best : utility of the best experiment so far, as the surrogates see it.
    left : expected utility that the best point of the space has beyond `best`.
    range : between the worst and the best experiment so far, in utility.
    """

    objective: Objective
    surrogates: dict[str, Surrogate]
    best: float
    left: float
    range: float

    def improvement(self, x: Array) -> Array:
        """Return the expected improvement over the best so far, in utility, (n_points,)."""
        mean, std = self._utility(x)
        std = np.maximum(std, 1e-12)
        z = (mean - self.best) / std
        density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
        return np.asarray(std * (density + z * ndtr(z)))

    def share(self, x: Array) -> Array:
        """Return the expected improvement as a share of what there is to gain at all, (n_points,).

        That is what lies between the worst experiment and the expected best point: beside what is
        left alone, the last crumbs of a property would always be worth a map.
        """
        return self.improvement(x) / (self.left + self.range)

    def weight_of_regions(self) -> dict[str, float]:
        """Return for each quantity the weight of the process with regions, 0 … 1."""
        return {
            q: sum(
                float(w)
                for name, w in zip(s.blend.names, s.blend.weights, strict=True)
                if name == MEMBER
            )
            for q, s in self.surrogates.items()
            if s.blend is not None
        }

    def _utility(self, x: Array) -> tuple[Array, Array]:
        return marginal.utility(
            self.objective, {q: s.predict(x) for q, s in self.surrogates.items()}
        )


def learnt_property(
    encoding: Encoding,
    objective: Objective,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    *,
    chart: PhaseMap | None,
    over: Array,
    settings: BayesianSettings,
    rng: np.random.Generator,
) -> Property | None:
    """Return what is known of the targets, None while there is too little.

    Parameters
    ----------
    over : (n_over, n_columns) points of the space among which the best is looked for.
    """
    try:
        told = gathered(
            encoding, objective, observations, pending, settings=settings, at_face_value=False
        )
        usual = fit_surrogates(encoding, objective, observations)
        found = dict(usual if told is None else told.surrogates)
        waiting = encoding.encode(list(pending)) if pending else np.zeros((0, over.shape[1]))
        surrogates = {
            q: _with_regions(s, encoding, q, observations, chart).believing(waiting)
            for q, s in found.items()
        }
    except SurrogateFailed as error:
        logger.warning("the targets were not weighed: %s", error)
        return None
    made = [o for o in observations if not o.failed and objective.is_complete(o.outcomes)]
    at_made = {q: s.predict(encoding.encode_observations(made)) for q, s in surrogates.items()}
    mean, _ = marginal.utility(objective, at_made)
    best = float(mean.max())
    left = _left(objective, surrogates, over, best, rng)
    return Property(objective, surrogates, best, left, max(float(np.ptp(mean)), 1e-12))


def _with_regions(
    surrogate: Surrogate,
    encoding: Encoding,
    quantity: str,
    observations: Sequence[Observation],
    chart: PhaseMap | None,
) -> Surrogate:
    if chart is None:
        return surrogate
    rows = [o for o in observations if not o.failed and quantity in o.outcomes]
    table = standardised(encoding, quantity, rows)
    seen = np.hstack([table.x, chart.probabilities(table.x)])
    own = np.full(len(chart.names), encoding.groups.max() + 1, dtype=np.int64)
    groups = np.concatenate([encoding.groups, own])
    process = RegionProcess(fit(seen, table.y, table.known, table.extra, groups=groups), chart)
    others = surrogate.blend or Mixture((surrogate.process,), np.ones(1), ("",))
    return replace(surrogate, blend=weighed([*others.members, process], (*others.names, MEMBER)))


def _left(
    objective: Objective,
    surrogates: dict[str, Surrogate],
    over: Array,
    best: float,
    rng: np.random.Generator,
) -> float:
    """Return how much better than `best` the best point is, averaged over independent draws.

    Quantities are drawn jointly over the points and independently of one another.
    """
    total = np.zeros((N_DRAWS, len(over)))
    for target in objective.targets:
        mean, covariance = surrogates[target.quantity].joint(over)
        size = np.trace(covariance) / len(over)
        values, directions = np.linalg.eigh(covariance + 1e-9 * size * np.eye(len(over)))
        root = directions * np.sqrt(np.maximum(values, 0.0))
        drawn = mean + rng.standard_normal((N_DRAWS, len(over))) @ root.T
        total += target.weight * target.utilities(drawn)
    return float(np.maximum(total.max(axis=1) - best, 0.0).mean())
