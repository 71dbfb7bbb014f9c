"""A quick scan or a long one, a simulation or an experiment: which tells more for its cost?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from planners.bayesian.goals.improvement import normal_draws
from planners.bayesian.goals.posterior import measured_variance, paired_covariance
from planners.bayesian.surrogate import Surrogates
from planners.columns import Array
from planners.encoding import Encoding
from planners.errors import UnsupportedSpace
from planners.finite import key_of
from planners.objective import Objective
from planners.parameters import CategoricalParameter, extremes
from planners.settable import Record, Value
from planners.space import Point, SearchSpace

N_DRAWS = 128


class Fidelity(Record):
    """The setting that says how good a measurement is, and where it is good enough.

    Attributes
    ----------
    name : a name of the space, such as ``count_time``, or a category such as ``source``.
    target : its value at which the answer counts, such as 60 or ``"experiment"``.
    """

    name: str = Field(min_length=1)
    target: Value

    def check(self, space: SearchSpace) -> None:
        """Raise UnsupportedSpace if the space cannot set the fidelity to its target."""
        if self.name not in space.names:
            raise UnsupportedSpace(
                f"the fidelity {self.name!r} is no name of the space, which has "
                f"{', '.join(space.names)}; make it a parameter, or remove `fidelity`"
            )
        fault = space.parameter(self.name).fault(self.name, self.target)
        if fault is not None:
            raise UnsupportedSpace(
                f"the fidelity's target cannot be set: {fault}. Give a `target` that the "
                "parameter allows"
            )

    def at_target(self, encoding: Encoding, x: Array) -> Array:
        """Return coordinates with the fidelity moved to its target, other columns unchanged."""
        moved = x.copy()
        for i, column in enumerate(encoding.columns):
            if column.name == self.name:
                value = np.array([self.target], dtype=object)
                moved[:, i] = column.to_unit(value)[0]
        return moved

    def opening(
        self, space: SearchSpace, points: Sequence[dict[str, Value]], *, tried: Sequence[Point]
    ) -> list[dict[str, Value]]:
        """Return the first points of a campaign, each at one of the fidelity's ends in turn.

        Those at the target and those elsewhere lie at different recipes, so that both the quantity
        and what separates the fidelities show early. A point stays as it is where the space does
        not allow the exchange, or where it would repeat another.
        """
        values = self.settings(space)
        known = {key_of(space, p) for p in tried}
        found: list[dict[str, Value]] = []
        for i, point in enumerate(points):
            moved = {**point, self.name: values[(len(tried) + i) % len(values)]}
            is_new = space.contains(moved) and key_of(space, moved) not in known
            found.append(moved if is_new else point)
            known.add(key_of(space, found[-1]))
        return found

    def settings(self, space: SearchSpace) -> list[Value]:
        """Return the target and the other values worth starting with: categories, or extremes."""
        parameter = space.parameter(self.name)
        if isinstance(parameter, CategoricalParameter):
            others: list[Value] = list(parameter.categories)
        else:
            others = list(extremes(parameter, self.name))
        return [self.target, *(v for v in others if v != self.target)]


def told_share(surrogates: Surrogates, x: Array, target: Array) -> dict[str, Array]:
    """Return for each quantity which share of what is open at the target a measurement tells.

    The squared correlation between the value measured at `x`, its noise included, and the quantity
    at `target`, under the posterior: 0 tells nothing, 1 everything.

    Parameters
    ----------
    x, target : coordinates of measurements and of the same recipes at the target fidelity, shape
        (n_points, n_columns).
    """
    shares: dict[str, Array] = {}
    for quantity, surrogate in surrogates.items():
        _, std = surrogate.predict(target)
        covariance = paired_covariance(surrogate, x, target)
        total = np.maximum(std**2, 1e-300) * measured_variance(surrogate, x)
        shares[quantity] = np.clip(covariance**2 / total, 0.0, 1.0)
    return shares


def foreseen_draws(
    objective: Objective, surrogates: Surrogates, x: Array, target: Array, *, seed: int
) -> Array:
    """Return draws of what the utility at the target will be believed to be after a measurement.

    A measurement at `x` moves the mean at the target by a normal variable whose variance is its
    `told_share` of what is open there; so a scan that tells little promises little. With the share
    at 1 the improvement is the usual expected improvement, at 0 there is none. Compare the
    augmented expected improvement of Huang, Allen, Notz & Miller 2006,
    doi:10.1007/s00158-005-0587-0, which multiplies by the correlation instead.

    Returns
    -------
    Shape (N_DRAWS, n_points).
    """
    total = np.zeros((N_DRAWS, len(x)))
    shares = told_share(surrogates, x, target)
    normal = normal_draws(N_DRAWS, len(objective.targets), seed=seed)
    for k, wanted in enumerate(objective.targets):
        mean, std = surrogates[wanted.quantity].predict(target)
        move = std * np.sqrt(shares[wanted.quantity])
        total += wanted.weight * wanted.utilities(mean + normal[:, k : k + 1] * move)
    return total
