"""Has the model kept its word? Past predictions against what came, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from planners.columns import Array
from planners.proposal import Observation

NOMINAL = 0.90
"""Share of outcomes that should fall into the told interval."""

PRIOR_WEIGHT = 12
"""Imagined outcomes that fell as told; so many real ones weigh as much as the belief in them."""

NARROWEST, WIDEST = 0.7, 4.0

Z_NOMINAL = float(norm.ppf(0.5 + NOMINAL / 2))


@dataclass(frozen=True, slots=True)
class Record:
    """How past predictions of one quantity fared.

    Attributes
    ----------
    coverage : share of outcomes inside the 90 % interval as it was told, None without any.
    n : number of outcomes that had been predicted.
    widening : factor for the standard deviations of the model as fitted.
    """

    coverage: float | None
    n: int
    widening: float


NO_RECORD = Record(coverage=None, n=0, widening=1.0)
"""Nothing was predicted yet."""


def record_of(quantity: str, observations: Sequence[Observation]) -> Record:
    """Return how the predictions of a quantity fared in finished experiments.

    An outcome deviates by ``z = (value - mean) / sqrt(std² + noise²)``, noise being the value's
    own standard deviation, or what the model had learnt where it states none. The widening brings
    the 90 % quantile of |z|, taken before any widening, to 1.645; `PRIOR_WEIGHT` imagined
    outcomes that fell as a normal variable should keep it at 1 while little is known.
    """
    told = [
        (o.outcomes[quantity], o.stds.get(quantity), o.predicted[quantity])
        for o in observations
        if not o.failed and quantity in o.outcomes and quantity in o.predicted
    ]
    if not told:
        return NO_RECORD
    values = np.array([value for value, _, _ in told])
    means = np.array([p.mean for _, _, p in told])
    factors = np.array([p.widened for _, _, p in told])
    latent = np.array([p.std for _, _, p in told])
    noise = np.array([p.noise if std is None else std * p.widened for _, std, p in told])
    total = np.maximum(np.hypot(latent, noise), np.finfo(float).tiny)
    z = np.abs(values - means) / total
    return Record(
        coverage=float(np.mean(z <= Z_NOMINAL)),
        n=len(told),
        widening=_widening(z * factors),
    )


def _widening(z: Array) -> float:
    """Return the factor that brings the 90 % quantile of deviations to its nominal place."""
    imagined = norm.ppf(0.5 + (np.arange(PRIOR_WEIGHT) + 0.5) / (2 * PRIOR_WEIGHT))
    quantile = float(np.quantile(np.concatenate([z, imagined]), NOMINAL))
    return float(np.clip(quantile / Z_NOMINAL, NARROWEST, WIDEST))
