"""What the model expects of going on: chance and size of an improvement, and what may be left."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from planners.bayesian.marginal import is_normal, log_improvement, utility
from planners.bayesian.search import Choice
from planners.bayesian.surrogate import Surrogates
from planners.columns import Array
from planners.objective import Objective
from planners.proposal import Outlook

N_DRAWS = 128
"""Joint draws from the posterior behind the expected regret."""

N_BEST = 48
"""Most promising points over which the best of a draw is taken."""

N_MADE = 8
"""Best experiments that may be the best one."""


def outlook_of(
    objective: Objective,
    surrogates: Surrogates,
    choice: Choice,
    *,
    baseline: Array,
    promising: Array,
    rng: np.random.Generator,
) -> Outlook:
    """Return the outlook at a chosen point.

    The utility of a match is bent; its values come from the draws. A front has no best
    experiment, so that only the model's record is told.

    Parameters
    ----------
    baseline : coordinates of the experiments that gave outcomes, shape (n, n_columns).
    promising : coordinates among which the best of the space should be, shape (m, n_columns).
    rng : for the draws.
    """
    record = _record(objective, surrogates)
    if objective.combine == "front" and len(objective.targets) > 1:
        return record
    x = np.concatenate([choice.x[None], promising[:N_BEST]])
    made = best_made_of(objective, surrogates, baseline, N_MADE)
    draws = _utilities(objective, surrogates, np.concatenate([x, made]), rng=rng)
    best_made = int(len(x) + np.argmax(draws[:, len(x) :].mean(axis=0)))
    gain = draws[:, 0] - draws[:, best_made]
    regret = np.maximum(draws.max(axis=1) - draws[:, best_made], 0.0)
    chance, improvement = float((gain > 0).mean()), float(np.maximum(gain, 0.0).mean())
    if is_normal(objective):
        mean, std = utility(objective, {q: s.predict(x[:1]) for q, s in surrogates.items()})
        best = float(draws[:, best_made].mean())
        chance = float(ndtr((mean[0] - best) / max(float(std[0]), 1e-300)))
        improvement = float(np.exp(log_improvement(mean, std, best)[0]))
    return record.model_copy(
        update={
            "probability_of_improvement": chance,
            "expected_improvement": improvement,
            "expected_regret": float(regret.mean()),
        }
    )


def _record(objective: Objective, surrogates: Surrogates) -> Outlook:
    """Return how past predictions of the targets fared, together."""
    records = [surrogates[t.quantity].record for t in objective.targets if t.quantity in surrogates]
    known = [r for r in records if r.coverage is not None]
    n = sum(r.n for r in known)
    inside = sum(r.n * r.coverage for r in known if r.coverage is not None)
    return Outlook(
        coverage=inside / n if n else None,
        covered_of=n,
        widened=max((r.widening for r in records), default=1.0),
    )


def _utilities(
    objective: Objective, surrogates: Surrogates, x: Array, *, rng: np.random.Generator
) -> Array:
    """Return joint draws of the utility at points, shape (N_DRAWS, n_points)."""
    total = np.zeros((N_DRAWS, len(x)))
    for target in objective.targets:
        mean, covariance = surrogates[target.quantity].joint(x)
        values = mean + rng.standard_normal((N_DRAWS, len(x))) @ _root(covariance).T
        total += target.weight * target.utilities(values)
    return total


def _root(covariance: Array) -> Array:
    """Return a matrix whose square is the covariance, which may be singular."""
    eigenvalues, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(eigenvalues, 0.0)))


def best_made_of(
    objective: Objective, surrogates: Surrogates, baseline: Array, count: int
) -> Array:
    """Return the coordinates of the experiments with the best predicted utility, best first."""
    total = np.zeros(len(baseline))
    for target in objective.targets:
        mean, _ = surrogates[target.quantity].predict(baseline)
        total += target.weight * target.utilities(mean)
    return np.asarray(baseline[np.argsort(-total, kind="stable")[:count]])
