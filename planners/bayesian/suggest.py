"""The model-based choice: surrogates, acquisition, search, reasons.

Importing this file imports torch.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from planners.bayesian.acquisition import Acquisition, build
from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.reasons import reason_for
from planners.bayesian.search import Choice, best_choices
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import Surrogates
from planners.encoding import Array, Encoding
from planners.objective import Objective
from planners.parameters import Value
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
    rng: np.random.Generator,
) -> list[Proposal]:
    """Return `n` proposals, chosen one after another, each pending for the next.

    Torch's global random state is left as it was.
    """
    made = [o for o in observations if not o.failed]
    baseline = encoding.encode([o.values for o in made])
    failed = [o.values for o in observations if o.failed]
    proposals: list[Proposal] = []
    waiting: list[Point] = list(pending)
    for _ in range(n):
        with _local_torch(int(rng.integers(2**31))) as seed:
            acquisition = build(
                surrogates,
                objective,
                baseline=baseline,
                pending=_encode(encoding, waiting),
                success=success,
                n_samples=settings.n_samples,
                seed=seed,
            )
            choices = best_choices(
                encoding,
                acquisition,
                tried=[o.values for o in observations] + waiting,
                keep_away=_encode(encoding, failed + waiting),
                centres=_centres(surrogates, objective, baseline),
                settings=settings,
                rng=rng,
            )
        reason = reason_for(
            encoding, objective, surrogates, acquisition, choices, observations=made
        )
        proposals.append(Proposal(values=choices[0].point, reason=reason))
        waiting.append(choices[0].point)
        _log(acquisition, choices[0], len(made))
    return proposals


def _encode(encoding: Encoding, points: Sequence[Point]) -> Array:
    if not points:
        return np.zeros((0, len(encoding.columns)))
    return encoding.encode(points)


def _centres(surrogates: Surrogates, objective: Objective, baseline: Array) -> Array:
    """Return the coordinates of the experiments with the best predicted utility."""
    means = {q: s.predict(baseline)[0] for q, s in surrogates.items()}
    utility = [
        objective.utility({q: float(m[i]) for q, m in means.items()}) for i in range(len(baseline))
    ]
    order = np.argsort(-np.array(utility), kind="stable")
    return np.asarray(np.unique(baseline[order[:N_CENTRES]], axis=0))


@contextmanager
def _local_torch(seed: int) -> Iterator[int]:
    """Seed torch inside, restore its state after, and send numerical warnings to the log."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.manual_seed(seed)
        yield seed
    for text in sorted({str(w.message) for w in caught}):
        logger.debug("while searching: %s", text)


def _log(acquisition: Acquisition, choice: Choice, n_made: int) -> None:
    settings: dict[str, Value] = choice.point
    logger.info(
        "chose %s by %s=%.4g from %d experiments", settings, acquisition.name, choice.value, n_made
    )
