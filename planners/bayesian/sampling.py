"""Where expected improvement is highest by closed forms: rows, or points drawn ever closer.

For models of which BoTorch knows no gradients, and for levels that are sought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planners.bayesian import marginal
from planners.bayesian.circling import circles, no_news
from planners.bayesian.closing_in import CENTRES, best_points
from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.outlook import best_made_of, outlook_of
from planners.bayesian.reasons import reason_for
from planners.bayesian.seeking import SAID, aimed_at
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import Surrogates
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Observation, Proposal
from planners.space import Point

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
        level = aimed_at(objective)
        seeks = level > acquisition.best
        acquisition = replace(acquisition, best=max(acquisition.best, level))
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
        if seeks:
            reason = reason.model_copy(update={"text": f"{reason.text} {SAID}"})
        proposals.append(Proposal(values=choices[0].point, reason=reason))
        waiting.append(choices[0].point)
    return proposals
