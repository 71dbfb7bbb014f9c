"""What experiments cost, learnt from what they did cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.bayesian.gaussian_process import fit
from planners.bayesian.surrogate import Surrogate
from planners.columns import Array
from planners.costs import CostModel
from planners.encoding import Encoding
from planners.proposal import Observation

LEAST_LEARNT = 4
"""Experiments of known cost below which the stated prices stand."""

LEAST_SHARE = 0.01
"""Least running cost, as a share of the median, once a change-over is taken off."""


def learnt_cost(
    encoding: Encoding, model: CostModel, observations: Sequence[Observation]
) -> Surrogate | None:
    """Return a Gaussian process of ln(cost without change-over), None from too few costs.

    A logarithm keeps predicted costs positive, and costs differ by factors. An experiment that
    reports no cost (zero) does not enter; a failed one does.
    """
    before = [None, *(o.values for o in observations)]
    known = [(o, p) for o, p in zip(observations, before, strict=False) if o.cost > 0]
    if len(known) < LEAST_LEARNT:
        return None
    costs = np.array([o.cost for o, _ in known])
    running = costs - [model.changing(o.values, p) for o, p in known]
    values = np.log(np.maximum(running, LEAST_SHARE * np.median(costs)))
    location, spread = float(values.mean()), float(values.std())
    scale = spread if spread > 1e-9 else 1.0
    process = fit(
        encoding.encode_observations([o for o, _ in known]),
        (values - location) / scale,
        np.full(len(values), np.nan),
        np.zeros(len(values)),
        groups=encoding.groups,
    )
    return Surrogate(process=process, location=location, scale=scale)


def running_costs(learnt: Surrogate, x: Array) -> Array:
    """Return the median cost without change-over at coordinates, shape (n_points,)."""
    mean, _ = learnt.predict(x)
    return np.asarray(np.exp(mean))
