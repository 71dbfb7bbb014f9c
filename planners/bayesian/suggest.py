"""The model-based choice: surrogates, acquisition, search, reasons."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from planners.bayesian import hypervolume, marginal
from planners.bayesian.circling import circles, no_news
from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.outlook import best_made_of, outlook_of
from planners.bayesian.reasons import reason_for
from planners.bayesian.search import Choice, Found, Scoring, best_choices
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import Surrogates
from planners.bayesian.trust_region import Box
from planners.encoding import Array, Encoding
from planners.objective import Objective
from planners.proposal import Observation, Proposal
from planners.space import Point

logger = logging.getLogger(__name__)

N_CENTRES = 5
"""Good experiments around which a continuous space is sampled more densely."""


def suggest(
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    *,
    success: SuccessModel | None,
    observations: Sequence[Observation],
    pending: Sequence[Point],
    n: int,
    settings: BayesianSettings,
    within: Box | None = None,
    fitted: Sequence[Observation] | None = None,
    rng: np.random.Generator,
) -> list[Proposal]:
    """Return `n` proposals, chosen one after another, each pending for the next.

    Parameters
    ----------
    encoding : at the conditions for which is predicted.
    within : box that is searched, the whole space if None.
    fitted : the experiments that a local model knows, all that gave outcomes if None; improvement
        is over the best of them.
    """
    made = [o for o in observations if not o.failed]
    baseline = encoding.encode_observations(made if fitted is None else fitted)
    failed = [o.values for o in observations if o.failed]
    x = encoding.encode_observations(made)
    circling = within is None and circles(objective, made, x)
    centres = np.unique(best_made_of(objective, surrogates, baseline, N_CENTRES), axis=0)
    proposals: list[Proposal] = []
    waiting: list[Point] = list(pending)
    for _ in range(n):
        seed = int(rng.integers(2**31))
        with _numerics(encoding, objective, seed):
            acquisition = _acquisition(
                encoding,
                objective,
                surrogates,
                baseline=baseline,
                pending=_encode(encoding, waiting),
                success=success,
                settings=settings,
                seed=seed,
            )
            found = best_choices(
                encoding,
                acquisition,
                tried=[o.values for o in observations] + waiting,
                keep_away=_encode(encoding, failed + waiting),
                last=(lambda rows: no_news(rows, x, success)) if circling else None,
                centres=centres,
                settings=settings,
                within=within,
                rng=rng,
            )
        proposals.append(
            _told(
                encoding,
                objective,
                surrogates,
                acquisition,
                found,
                baseline=baseline,
                success=success,
                made=made,
                elsewhere=circling and not found.choices[0].last,
                seed=seed,
            )
        )
        waiting.append(found.choices[0].point)
        _log(acquisition.name, found.choices[0], len(made))
    return proposals


def _told(
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    acquisition: Scoring,
    found: Found,
    *,
    baseline: Array,
    success: SuccessModel | None,
    made: Sequence[Observation],
    elsewhere: bool,
    seed: int,
) -> Proposal:
    """Return the best choice as a proposal, with its outlook and its reason."""
    outlook = outlook_of(
        objective,
        surrogates,
        found.choices[0],
        baseline=baseline,
        promising=found.promising,
        success=success,
        rng=np.random.default_rng(seed),
    )
    reason = reason_for(
        encoding,
        objective,
        surrogates,
        acquisition,
        found.choices,
        observations=made,
        outlook=outlook,
        elsewhere=elsewhere,
    )
    return Proposal(values=found.choices[0].point, reason=reason)


def _is_closed(encoding: Encoding, objective: Objective) -> bool:
    closed = marginal.is_normal(objective) or hypervolume.is_closed(objective)
    return encoding.table is not None and closed


def _numerics(
    encoding: Encoding, objective: Objective, seed: int
) -> AbstractContextManager[object]:
    """Return the surroundings of a search: torch seeded for it, or nothing without torch."""
    if _is_closed(encoding, objective):
        return nullcontext()
    # Here, since it imports torch.
    from planners.bayesian.acquisition import local_torch

    return local_torch(seed)


def _acquisition(
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    *,
    baseline: Array,
    pending: Array,
    success: SuccessModel | None,
    settings: BayesianSettings,
    seed: int,
) -> Scoring:
    """Return closed forms over a finite space, BoTorch's functions for all else."""
    if _is_closed(encoding, objective) and hypervolume.is_closed(objective):
        return hypervolume.build(
            surrogates, objective, baseline=baseline, pending=pending, success=success
        )
    if _is_closed(encoding, objective):
        return marginal.build(
            surrogates,
            objective,
            baseline=baseline,
            pending=pending,
            success=success,
            kind=settings.acquisition,
        )
    # Here, since it imports torch.
    from planners.bayesian.acquisition import build

    return build(
        surrogates,
        objective,
        baseline=baseline,
        pending=pending,
        success=success,
        n_samples=settings.n_samples,
        seed=seed,
    )


def _encode(encoding: Encoding, points: Sequence[Point]) -> Array:
    if not points:
        return np.zeros((0, len(encoding.columns)))
    return encoding.encode(points)


def _log(name: str, choice: Choice, n_made: int) -> None:
    logger.info("chose %s by %s=%.4g from %d experiments", choice.point, name, choice.value, n_made)
