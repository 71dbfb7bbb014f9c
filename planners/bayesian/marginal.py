"""Acquisition over a finite space from marginal predictions: closed forms, no torch.

Whatever is finite is scored row by row, so nothing needs a gradient, and a weighted sum of
independent normal quantities is normal itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx, log_ndtr

from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.surrogate import Surrogates
from planners.columns import Array
from planners.objective import Objective, OutcomeConstraint

CHUNK = 4096
"""Points scored at a time; bounds the memory of a list of 20,000 candidates."""

OPTIMISM = 1.0
"""Standard deviations above the mean at which the upper bound lies."""

FAR_BELOW = -1.0
"""Improvement in standard deviations below which its logarithm needs its asymptotic form."""


def is_normal(objective: Objective) -> bool:
    """Return whether the utility is a weighted sum of quantities, with nothing bent about it."""
    straight = all(t.goal in ("maximize", "minimize") for t in objective.targets)
    return straight and (objective.combine == "weighted" or len(objective.targets) == 1)


def utility(
    objective: Objective, predicted: Mapping[str, tuple[Array, Array]]
) -> tuple[Array, Array]:
    """Return mean and standard deviation of the utility from those of its quantities."""
    means: list[Array] = []
    variances: list[Array] = []
    for target in objective.targets:
        mean, std = predicted[target.quantity]
        slope = target.weight * (target.utility(1.0) - target.utility(0.0))
        means.append(slope * mean)
        variances.append((slope * std) ** 2)
    return np.sum(means, axis=0), np.sqrt(np.sum(variances, axis=0))


def log_feasible(
    constraints: Sequence[OutcomeConstraint], predicted: Mapping[str, tuple[Array, Array]]
) -> Array | float:
    """Return the logarithm of the probability that every bound on an outcome is kept."""
    total: Array | float = 0.0
    for c in constraints:
        mean, std = predicted[c.quantity]
        std = np.maximum(std, np.finfo(float).tiny)
        if c.lower is not None:
            total = total + log_ndtr((mean - c.lower) / std)
        if c.upper is not None:
            total = total + log_ndtr((c.upper - mean) / std)
    return total


def log_improvement(mean: Array, std: Array, best: float) -> Array:
    """Return the logarithm of the expected improvement of normal variables over `best`.

    ``ln E[max(X - best, 0)]``, stable far below `best` (Ament et al. 2023, arXiv:2310.20708,
    section 4). Shapes (n_points,).
    """
    std = np.maximum(std, 1e-12 * (1.0 + np.abs(mean)))
    u = (mean - best) / std
    near = np.maximum(u, FAR_BELOW)
    density = np.exp(-0.5 * near**2) / np.sqrt(2.0 * np.pi)
    plain = np.log(density + near * np.exp(log_ndtr(near)))
    far = np.minimum(u, FAR_BELOW)
    tail = np.log1p(far * np.sqrt(np.pi / 2.0) * erfcx(-far / np.sqrt(2.0)))
    asymptotic = -0.5 * far**2 - 0.5 * np.log(2.0 * np.pi) + tail
    return np.asarray(np.where(u > FAR_BELOW, plain, asymptotic) + np.log(std))


@dataclass(frozen=True, slots=True)
class MarginalAcquisition:
    """Upper confidence bound, or logarithm of the expected improvement where outcomes are bound.

    The upper bound is ``(mean + std - best) / spread`` (Srinivas et al. 2012,
    doi:10.1109/TIT.2011.2182033, with one standard deviation), spread being that of the utility
    over the experiments; ln P(success) is added to it. It was preferred to the expected
    improvement on recorded libraries: see ``benchmarks/planner_pools.py``. Where outcomes are
    constrained, it is ln EI + ln P(feasible) + ln P(success) over the best feasible prediction.

    Attributes
    ----------
    name : UCB or LogEI.
    surrogates : with points under way believed in.
    best : best utility predicted at an experiment that is likely to be feasible; in utility.
    spread : of the utility over the experiments, in utility.
    log_unit : added to a value, it makes the logarithm of an improvement in units of utility.
    """

    name: str
    surrogates: Surrogates
    objective: Objective
    best: float
    spread: float
    success: SuccessModel | None = None
    log_unit: float = 0.0

    def score(self, x: Array) -> Array:
        """Return the value at each row of coordinates, shape (n_points,)."""
        parts = [self._score(x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _score(self, x: Array) -> Array:
        predicted = {q: s.predict(x) for q, s in self.surrogates.items()}
        mean, std = utility(self.objective, predicted)
        if self.name == "UCB":
            value = (mean + OPTIMISM * std - self.best) / self.spread
        else:
            value = log_improvement(mean, std, self.best)
            value = value + log_feasible(self.objective.constraints, predicted)
        if self.success is not None:
            value = value + np.log(np.maximum(self.success.probability(x), 1e-300))
        return np.asarray(value, dtype=np.float64)


def build(
    surrogates: Surrogates,
    objective: Objective,
    *,
    baseline: Array,
    pending: Array,
    success: SuccessModel | None,
    kind: str,
) -> MarginalAcquisition:
    """Return the acquisition function for one more experiment of a finite space.

    Parameters
    ----------
    baseline : coordinates of the experiments that gave outcomes, shape (n, n_columns).
    pending : coordinates under way, shape (n_pending, n_columns); believed to come as predicted.
    kind : ``auto``, ``upper_bound`` or ``log_nei``; with constraints on outcomes always the last.
    """
    predicted = {q: s.predict(baseline) for q, s in surrogates.items()}
    mean, _ = utility(objective, predicted)
    likely = np.asarray(log_feasible(objective.constraints, predicted)) > np.log(0.5)
    among = mean[likely] if objective.constraints and likely.any() else mean
    # where nothing is feasible yet, everything that is counts as an improvement
    none_yet = bool(objective.constraints) and not likely.any()
    spread = float(np.std(mean))
    spread = spread if spread > 0 else 1.0
    bound = kind != "log_nei" and not objective.constraints
    return MarginalAcquisition(
        name="UCB" if bound else "LogEI",
        surrogates={q: s.believing(pending) for q, s in surrogates.items()},
        objective=objective,
        best=float(mean.min() - spread) if none_yet else float(among.max()),
        spread=spread,
        success=success,
    )
