"""How likely an experiment is to succeed, learnt from those that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planners.encoding import Array, Encoding
from planners.proposal import Observation

REACH = 0.15
"""Distance at which an experiment still informs about its neighbours, times sqrt(n_columns)."""

PRIOR_SUCCESSES = 0.2
"""Weight of the belief, before any failure nearby, that an experiment succeeds."""


@dataclass(frozen=True, slots=True)
class SuccessModel:
    """Probability of success by kernel-weighted counting.

    ``p(x) = (a + Σ_ok k(x, x_i)) / (a + Σ_all k(x, x_i))`` with the Gaussian kernel k of width
    `width` and a = `PRIOR_SUCCESSES`: 1 far from every failure, a / (1 + a) on a lonely failure,
    about one half where successes and failures mix. It makes no claim of calibration; it keeps
    the planner from walking back into a region that breaks experiments.

    Attributes
    ----------
    x : coordinates of every experiment, shape (n, n_columns).
    succeeded : 1 where it gave an outcome, 0 where it failed, shape (n,).
    """

    x: Array
    succeeded: Array
    width: float

    def probability(self, x: Array) -> Array:
        """Return the probability of success at coordinates, shape (n_points,)."""
        apart = ((x[:, None, :] - self.x[None, :, :]) ** 2).sum(axis=2)
        k = np.exp(-0.5 * apart / self.width**2)
        ok = PRIOR_SUCCESSES + k @ self.succeeded
        return np.asarray(ok / (PRIOR_SUCCESSES + k.sum(axis=1)))


def success_model(encoding: Encoding, observations: Sequence[Observation]) -> SuccessModel | None:
    """Return the model of success, None if nothing failed yet."""
    if not any(o.failed for o in observations):
        return None
    return SuccessModel(
        x=encoding.encode([o.values for o in observations]),
        succeeded=np.array([0.0 if o.failed else 1.0 for o in observations]),
        width=REACH * float(np.sqrt(len(encoding.columns))),
    )
