"""Where structure as evidence promises most: closed forms score rows, or points drawn ever closer.

BoTorch knows no process over uncertain structure, so no gradients are followed. As long as a level
that was asked for is not reached, only what exceeds it counts as improvement (goal seeking, Jones
2001, doi:10.1023/A:1012771025575, section 7): the last per cent of a phase that cannot reach it is
worth nothing, and phases that nobody has made yet are worth a look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planners.bayesian import marginal
from planners.bayesian.circling import circles, no_news
from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.outlook import best_made_of, outlook_of
from planners.bayesian.reasons import reason_for
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import Surrogates
from planners.columns import Array
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Observation, Proposal
from planners.space import Point
from planners.structural.search import CENTRES, best_points

N_GOOD = 5
"""Good experiments around which is searched."""


def sampled(
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    *,
    success: SuccessModel | None,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    n: int,
    settings: BayesianSettings,
    rng: np.random.Generator,
) -> list[Proposal]:
    """Return `n` proposals by expected improvement, each pending for the next."""
    made = [o for o in observations if not o.failed]
    x = encoding.encode_observations(made)
    circling = circles(objective, made, x)
    best = np.unique(best_made_of(objective, surrogates, x, N_GOOD), axis=0)
    centres = encoding.snap_feasible(best)
    waiting, proposals = list(pending), list[Proposal]()
    for _ in range(n):
        acquisition = marginal.build(
            surrogates,
            objective,
            baseline=x,
            pending=encoding.encode(waiting) if waiting else x[:0],
            success=success,
            kind="log_nei",
        )
        acquisition = replace(acquisition, best=max(acquisition.best, aimed_at(objective)))
        choices = best_points(
            encoding,
            acquisition.score,
            tried=[o.values for o in observations] + waiting,
            centres=centres,
            n_candidates=settings.n_candidates,
            count=max(1 + settings.n_alternatives, CENTRES),
            last=(lambda rows: no_news(rows, x, success)) if circling else None,
            rng=rng,
        )
        outlook = outlook_of(
            objective,
            surrogates,
            choices[0],
            baseline=x,
            promising=np.array([c.x for c in choices]),
            success=success,
            rng=np.random.default_rng(int(rng.integers(2**31))),
        )
        reason = reason_for(
            encoding,
            objective,
            surrogates,
            acquisition,
            choices[: 1 + settings.n_alternatives],
            observations=made,
            outlook=outlook,
            elsewhere=circling and not choices[0].last,
        )
        proposals.append(Proposal(values=choices[0].point, reason=reason))
        waiting.append(choices[0].point)
    return proposals


def is_sought(objective: Objective, surrogates: Surrogates, x: Array) -> bool:
    """Return whether a level is asked for that no experiment at `x` is expected to have reached."""
    goal = aimed_at(objective)
    if not np.isfinite(goal) or not len(x):
        return False
    mean, _ = marginal.utility(objective, {q: s.predict(x) for q, s in surrogates.items()})
    return bool(mean.max() < goal)


def aimed_at(objective: Objective) -> float:
    """Return the utility at which every target has reached its level, -inf if one has none."""
    levels = {t.quantity: t.value for t in objective.targets}
    known = {q: v for q, v in levels.items() if v is not None}
    return objective.utility(known) if len(known) == len(levels) else -np.inf
