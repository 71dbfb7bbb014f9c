"""What a model of one quantity believes, and how much of that hangs on single experiments."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planners.bayesian.gaussian_process import SurrogateFailed
from planners.bayesian.surrogate import Surrogate, fit_surrogates, learnt
from planners.columns import Array
from planners.context import latest
from planners.encoding import Encoding
from planners.explaining.composites import Table
from planners.objective import Objective, Target
from planners.proposal import Observation
from planners.space import SearchSpace

logger = logging.getLogger(__name__)

CHUNK = 4096
"""Rows predicted at a time; bounds the memory."""


@dataclass(frozen=True, slots=True)
class Belief:
    """The surrogate of one quantity, and its replicates that each lack some observations.

    Attributes
    ----------
    encoding : of the space, under the context that was reported last.
    surrogates : the one fitted to everything first, then the replicates.
    n_observations : how many values of the quantity the first was fitted to.
    """

    encoding: Encoding
    quantity: str
    surrogates: tuple[Surrogate, ...]
    n_observations: int

    @property
    def n_replicates(self) -> int:
        """How many replicates there are."""
        return len(self.surrogates) - 1

    def means(self, table: Table) -> Array:
        """Return the mean of every surrogate at the rows of a table, shape (n_rows, n_surrogates).

        In the quantity's unit, noise-free.
        """
        x = self.encoding.encode_columns(table)
        parts = [x[i : i + CHUNK] for i in range(0, len(x), CHUNK)]
        return np.stack(
            [np.concatenate([s.predict(part)[0] for part in parts]) for s in self.surrogates],
            axis=1,
        )

    def predict(self, table: Table) -> tuple[Array, Array]:
        """Return mean and std of the full surrogate at rows, shape (n_rows,) each; noise-free."""
        return self.surrogates[0].predict(self.encoding.encode_columns(table))

    def lengths(self) -> list[dict[str, float]]:
        """Return group → relative length scale for every surrogate; empty if it has none."""
        start = f"{self.quantity}.length_scale."
        return [
            {
                key.removeprefix(start): value
                for key, value in learnt(self.encoding, {self.quantity: s}).items()
                if key.startswith(start)
            }
            for s in self.surrogates
        ]


def believe(
    space: SearchSpace,
    quantity: str,
    observations: Sequence[Observation],
    *,
    n_replicates: int,
    rng: np.random.Generator,
) -> Belief:
    """Return the belief about one quantity after some observations.

    Parameters
    ----------
    n_replicates : groups into which the observations are divided; each replicate is fitted
        without one of them. Fewer than two make none, and so does a group whose absence leaves
        too little for a model.
    rng : divides the observations into groups.

    Raises
    ------
    SurrogateFailed
        The quantity is known of fewer than two experiments, is constant, or a fit fails.
    """
    encoding = Encoding(space, latest(observations))
    # What is wanted of a quantity plays no role in its surrogate.
    alone = Objective(targets=(Target(quantity=quantity, goal="maximize"),))
    known = [o for o in observations if not o.failed and quantity in o.outcomes]
    full = fit_surrogates(encoding, alone, known)[quantity]
    groups = np.array_split(rng.permutation(len(known)), min(n_replicates, len(known)) or 1)
    found: list[Surrogate] = []
    for group in groups if len(groups) > 1 else []:
        left = [o for i, o in enumerate(known) if i not in set(group.tolist())]
        try:
            found.append(fit_surrogates(encoding, alone, left)[quantity])
        except SurrogateFailed as error:
            logger.info("no uncertainty of the importances for %s: %s", quantity, error)
            found = []
            break
    return Belief(encoding, quantity, (full, *found), len(known))


def jackknife_std(replicates: Array) -> Array | None:
    """Return the standard deviation of a statistic from its values without one group each.

    ``sqrt((K - 1) / K · Σ_k (θ_k - θ̄)²)`` for K groups (Shao & Wu 1989,
    doi:10.1214/aos/1176347263): the spread that another set of as many experiments would bring,
    not the error of the Monte Carlo sums.

    Parameters
    ----------
    replicates : shape (n_items, n_groups).

    Returns
    -------
    Shape (n_items,), None from fewer than two groups.
    """
    k = replicates.shape[1]
    if k < 2:
        return None
    return np.asarray(np.sqrt((k - 1) * replicates.var(axis=1)))
