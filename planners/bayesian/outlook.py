"""What the model expects of going on: chance and size of an improvement, and what may be left."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.marginal import is_normal, log_improvement, utility
from planners.bayesian.search import Choice
from planners.bayesian.surrogate import Surrogates
from planners.columns import Array
from planners.objective import Objective
from planners.proposal import Outlook

Mask = npt.NDArray[np.bool_]

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
    success: SuccessModel | None = None,
    rng: np.random.Generator,
) -> Outlook:
    """Return the outlook at a chosen point.

    What is expected comes from joint draws of every quantity; a draw counts only where it keeps
    the bounds on outcomes, and a proposed experiment only as far as it should succeed. Without
    bounds or bends chance and improvement are closed forms. A front has no best experiment, so
    that only the model's record is told.

    Parameters
    ----------
    baseline : coordinates of the experiments that gave outcomes, shape (n, n_columns).
    promising : coordinates among which the best of the space should be, shape (m, n_columns).
    success : model of failed experiments, if there were any.
    rng : for the draws.
    """
    record = _record(objective, surrogates)
    if objective.combine == "front" and len(objective.targets) > 1:
        return record
    x = np.concatenate([choice.x[None], promising[:N_BEST]])
    made = best_made_of(objective, surrogates, baseline, N_MADE)
    value, kept = _draws(objective, surrogates, np.concatenate([x, made]), rng=rng)
    best = _best_made(value[:, len(x) :], kept[:, len(x) :])
    gain = np.where(kept, value - best[:, None], 0.0)
    chance, improvement = float((gain[:, 0] > 0).mean()), float(np.maximum(gain[:, 0], 0).mean())
    if is_normal(objective) and not objective.constraints:
        mean, std = utility(objective, {q: s.predict(x[:1]) for q, s in surrogates.items()})
        level = float(best.mean())
        chance = float(ndtr((mean[0] - level) / max(float(std[0]), 1e-300)))
        improvement = float(np.exp(log_improvement(mean, std, level)[0]))
    succeeds = 1.0 if success is None else float(success.probability(x[:1])[0])
    return record.model_copy(
        update={
            "probability_of_improvement": succeeds * chance,
            "expected_improvement": succeeds * improvement,
            "expected_regret": float(np.maximum(gain.max(axis=1), 0.0).mean()),
        }
    )


def _best_made(value: Array, kept: Mask) -> Array:
    """Return the utility of the best experiment made, in each draw, shape (n_draws,).

    The best is that with the highest mean utility among those that more likely than not keep the
    bounds; where none does, everything that keeps them improves on the worst of them.
    """
    likely = kept.mean(axis=0) > 0.5
    if not likely.any():
        return np.asarray(value.min(axis=1))
    means = np.where(likely, value.mean(axis=0), -np.inf)
    return np.asarray(value[:, int(np.argmax(means))])


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


def _draws(
    objective: Objective, surrogates: Surrogates, x: Array, *, rng: np.random.Generator
) -> tuple[Array, Mask]:
    """Return joint draws of the utility and whether they keep all bounds, (N_DRAWS, n_points)."""
    drawn: dict[str, Array] = {}
    for quantity in objective.quantities:
        mean, covariance = surrogates[quantity].joint(x)
        drawn[quantity] = mean + rng.standard_normal((N_DRAWS, len(x))) @ _root(covariance).T
    total = np.zeros((N_DRAWS, len(x)))
    for target in objective.targets:
        total += target.weight * target.utilities(drawn[target.quantity])
    kept = np.ones(total.shape, dtype=np.bool_)
    for c in objective.constraints:
        values = drawn[c.quantity]
        kept &= values >= (-np.inf if c.lower is None else c.lower)
        kept &= values <= (np.inf if c.upper is None else c.upper)
    return total, kept


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
