"""The score of each goal: the logarithm of what an experiment is worth, by its price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from planners.bayesian import marginal
from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.goals.boundary import misclassification_gain, straddle
from planners.bayesian.goals.exploration import error_weights, variance_gain
from planners.bayesian.goals.fidelity import Fidelity, foreseen_draws
from planners.bayesian.goals.improvement import log_improvement
from planners.bayesian.goals.learnt_cost import running_costs
from planners.bayesian.goals.posterior import cross_covariance, measured_variance
from planners.bayesian.goals.robust import robust_draws
from planners.bayesian.surrogate import Surrogate, Surrogates
from planners.columns import Array
from planners.costs import CostModel
from planners.encoding import Encoding
from planners.objective import Objective, Target
from planners.space import Point

CHUNK = 1024
"""Points scored at a time; bounds the memory of a list of 20,000 candidates."""

SHORTLIST = 256
"""Candidates of a chunk whose gain for a boundary is worked out; the straddle picks them."""

TINY = 1e-300

Worth = Callable[[Array], Array]
"""Takes coordinates, (n_points, n_columns); gives the logarithm of the worth, (n_points,)."""


@dataclass(frozen=True, slots=True)
class Priced:
    """Worth, chance of success and price of a point, as one logarithm.

    Attributes
    ----------
    worth : of the outcome.
    success : of getting an outcome at all; None if nothing failed so far.
    cost : prices; None where all experiments count as equally dear.
    learnt : running costs from experience, instead of the stated prices.
    previous : what was set last, for the price of a change.
    """

    worth: Worth
    success: SuccessModel | None
    cost: CostModel | None
    learnt: Surrogate | None
    previous: Point | None

    def __call__(self, points: Sequence[Point], x: Array) -> Array:
        """Return ln worth + ln P(success) - alpha ln cost of each point, shape (n_points,)."""
        parts = [self.worth(x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)]
        value = np.concatenate(parts) if parts else np.zeros(0)
        if self.success is not None:
            value = value + np.log(np.maximum(self.success.probability(x), TINY))
        if self.cost is not None and self.cost.alpha > 0:
            value = value - self.cost.alpha * np.log(self.prices(points, x))
        return np.asarray(value)

    def prices(self, points: Sequence[Point], x: Array) -> Array:
        """Return what each point would cost next, shape (n_points,); ones without a cost model."""
        if self.cost is None:
            return np.ones(len(points))
        running = None if self.learnt is None else running_costs(self.learnt, x)
        return self.cost.costs(points, previous=self.previous, running=running)


def mapping_worth(objective: Objective, surrogates: Surrogates, references: Array) -> Worth:
    """Return the worth of a measurement for the maps that an objective asks for.

    For each boundary the fall of the expected misclassified share, for each exploration the fall
    of the mean variance as a share of what it is now, weighted by where the model errs; added up
    with the targets' weights.

    Parameters
    ----------
    references : coordinates over which a map is judged, shape (n_references, n_columns).
    """

    def worth(x: Array) -> Array:
        total = np.zeros(len(x))
        for target in objective.targets:
            gain = _explored if target.goal == "explore" else _sorted
            total += target.weight * gain(target, surrogates[target.quantity], x, references)
        return np.log(np.maximum(total, TINY))

    return worth


def _explored(target: Target, surrogate: Surrogate, x: Array, references: Array) -> Array:
    del target
    _, std = surrogate.predict(references)
    covariance = cross_covariance(surrogate, x, references)
    weights = error_weights(surrogate, references)
    gain = variance_gain(covariance, measured_variance(surrogate, x), weights)
    return np.asarray(gain / max(float((weights * std**2).mean()), TINY))


def _sorted(target: Target, surrogate: Surrogate, x: Array, references: Array) -> Array:
    assert target.value is not None
    near = straddle(*surrogate.predict(x), level=target.value)
    rows = np.argsort(-near, kind="stable")[:SHORTLIST]
    gains = np.zeros(len(x))
    gains[rows] = misclassification_gain(
        *surrogate.predict(references),
        cross_covariance(surrogate, x[rows], references),
        measured_variance(surrogate, x[rows]),
        level=target.value,
    )
    # where no measurement helps the map, the straddle still tells one point from another
    return np.maximum(gains, 0.0) + 1e-9 * np.exp(np.clip(near / surrogate.scale, -50.0, 5.0))


def robust_worth(
    encoding: Encoding, objective: Objective, surrogates: Surrogates, made: Array, *, seed: int
) -> Worth:
    """Return ln(expected improvement) of the utility under input errors.

    The best so far is the best risk-adjusted utility believed of an experiment that is likely to
    keep the outcome constraints. Without input errors this is the plain expected improvement.

    Parameters
    ----------
    made : coordinates of the experiments that gave outcomes, shape (n, n_columns).
    seed : of the draws from the posterior.
    """

    def draws(x: Array) -> Array:
        return robust_draws(encoding, objective, surrogates, x, seed=seed)

    return _improvement(objective, surrogates, made, draws=draws, judged=lambda x: x, told=draws)


def fidelity_worth(
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    made: Array,
    *,
    fidelity: Fidelity,
    seed: int,
) -> Worth:
    """Return ln(expected improvement at the target fidelity) that a measurement can bring.

    The best so far is the best utility believed at the target of any recipe made, at whatever
    fidelity it was measured.
    """

    def judged(x: Array) -> Array:
        return fidelity.at_target(encoding, x)

    def draws(x: Array) -> Array:
        return foreseen_draws(objective, surrogates, x, judged(x), seed=seed)

    def told(x: Array) -> Array:
        there = judged(x)
        return foreseen_draws(objective, surrogates, there, there, seed=seed)

    return _improvement(objective, surrogates, made, draws=draws, judged=judged, told=told)


def front_worth(
    surrogates: Surrogates, objective: Objective, made: Array, *, n_samples: int, seed: int
) -> Worth:
    """Return ln(expected improvement of the hypervolume); the first call imports torch."""
    # Here, since it imports torch.
    from planners.bayesian.acquisition import build, local_torch

    with local_torch(seed):
        acquisition = build(
            surrogates,
            objective,
            baseline=made,
            pending=np.zeros((0, made.shape[1])),
            success=None,
            n_samples=n_samples,
            seed=seed,
        )

    def worth(x: Array) -> Array:
        with local_torch(seed):
            return acquisition.score(x)

    return worth


def _improvement(
    objective: Objective,
    surrogates: Surrogates,
    made: Array,
    *,
    draws: Callable[[Array], Array],
    judged: Callable[[Array], Array],
    told: Callable[[Array], Array],
) -> Worth:
    """Return ln EI over the best of what was made, times the chance of keeping the constraints."""

    def log_allowed(x: Array) -> Array:
        predicted = {q: s.predict(judged(x)) for q, s in surrogates.items()}
        return np.zeros(len(x)) + marginal.log_feasible(objective.constraints, predicted)

    believed = told(made).mean(axis=0)
    spread = float(np.std(believed)) or 1.0
    likely = log_allowed(made) > np.log(0.5)
    # while nothing made is allowed, everything that is counts as an improvement
    best = float(believed[likely].max() if likely.any() else believed.min() - spread)

    def worth(x: Array) -> Array:
        return log_improvement(draws(x), best=best, spread=spread) + log_allowed(x)

    return worth
