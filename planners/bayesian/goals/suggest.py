"""The choice for goals beyond a best point at equal prices."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from planners.bayesian.feasibility import SuccessModel
from planners.bayesian.goals import scores, words
from planners.bayesian.goals.learnt_cost import learnt_cost
from planners.bayesian.goals.pool import best_points
from planners.bayesian.goals.references import reference_points
from planners.bayesian.search import Choice
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import Surrogate, Surrogates, learnt, predictions
from planners.columns import Array
from planners.costs import last_made
from planners.encoding import Encoding
from planners.objective import Objective
from planners.proposal import Alternative, Observation, Proposal, Reason
from planners.settable import Value
from planners.space import Point

logger = logging.getLogger(__name__)


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
    """Return `n` proposals, chosen one after another; those under way count as come as predicted.

    Parameters
    ----------
    encoding : at the conditions for which is predicted.
    """
    costs = (
        None
        if settings.cost is None or not settings.cost.learn
        else learnt_cost(encoding, settings.cost, observations)
    )
    made = encoding.encode_observations([o for o in observations if not o.failed])
    proposals: list[Proposal] = []
    waiting: list[Point] = list(pending)
    for _ in range(n):
        references = reference_points(encoding, settings.fidelity, rng=rng)
        under_way = _encoded(encoding, waiting)
        believed = {q: s.believing(under_way) for q, s in surrogates.items()}
        score = scores.Priced(
            worth=_worth(
                encoding, objective, believed, made, references, settings=settings, rng=rng
            ),
            success=success,
            cost=settings.cost,
            learnt=costs,
            previous=last_made(observations, waiting),
        )
        failed = [o.values for o in observations if o.failed]
        choices = best_points(
            encoding,
            score,
            tried=[o.values for o in observations] + waiting,
            keep_away=_encoded(encoding, failed + waiting),
            pinned=_pinned(encoding, settings, score.previous),
            n_candidates=settings.n_candidates,
            count=1 + settings.n_alternatives,
            rng=rng,
        )
        reason = _reason(
            encoding, objective, believed, score, choices, references, settings=settings
        )
        proposals.append(Proposal(values=choices[0].point, reason=reason))
        waiting.append(choices[0].point)
        logger.info(
            "chose %s by %s=%.4g from %d experiments",
            choices[0].point,
            reason.acquisition,
            choices[0].value,
            len(made),
        )
    return proposals


def _worth(
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    made: Array,
    references: Array,
    *,
    settings: BayesianSettings,
    rng: np.random.Generator,
) -> scores.Worth:
    seed = int(rng.integers(2**31))
    if objective.maps:
        return scores.mapping_worth(objective, surrogates, references)
    if objective.combine == "front" and len(objective.targets) > 1:
        return scores.front_worth(
            surrogates, objective, made, n_samples=settings.n_samples, seed=seed
        )
    if settings.fidelity is not None:
        return scores.fidelity_worth(
            encoding, objective, surrogates, made, fidelity=settings.fidelity, seed=seed
        )
    return scores.robust_worth(encoding, objective, surrogates, made, seed=seed)


def _pinned(
    encoding: Encoding, settings: BayesianSettings, previous: Point | None
) -> list[Mapping[str, Value]]:
    """Return settings that chance would not meet: those set last, and those of a fidelity."""
    found: list[Mapping[str, Value]] = []
    space = encoding.space
    if settings.cost is not None and previous is not None:
        held = {n: previous[n] for n in settings.cost.change_over if n not in space.listed}
        found += [held] if held else []
    if settings.fidelity is not None and settings.fidelity.name not in space.listed:
        name = settings.fidelity.name
        found += [{name: value} for value in settings.fidelity.settings(space)]
    return found


def _reason(
    encoding: Encoding,
    objective: Objective,
    surrogates: Mapping[str, Surrogate],
    score: scores.Priced,
    choices: Sequence[Choice],
    references: Array,
    *,
    settings: BayesianSettings,
) -> Reason:
    x = np.array([c.x for c in choices])
    predicted = predictions(surrogates, x)
    told = words.standing(objective, surrogates, references)
    price = None
    if settings.cost is not None:
        price = float(score.prices([choices[0].point], x[:1])[0])
        told["cost"] = price
    return Reason(
        planner="bayesian",
        text=words.sentence(objective, predicted[0], told, price=price, fidelity=settings.fidelity),
        acquisition=_name(objective, settings),
        acquisition_value=_finite(choices[0].value),
        predicted=predicted[0],
        alternatives=tuple(
            Alternative(values=c.point, acquisition_value=_finite(c.value), predicted=p)
            for c, p in zip(choices[1:], predicted[1:], strict=True)
        ),
        model=learnt(encoding, surrogates) | told,
    )


def _name(objective: Objective, settings: BayesianSettings) -> str:
    if objective.combine == "front" and len(objective.targets) > 1:
        name = "qLogNEHVI"
    elif objective.maps:
        goals = dict.fromkeys(t.goal for t in objective.targets)
        name = "+".join({"boundary": "log_SUR", "explore": "log_IVR"}[goal] for goal in goals)
    elif settings.fidelity is not None:
        name = "log_EI_at_target"
    else:
        name = "log_robust_EI" if objective.input_errors else "log_EI"
    return f"{name}_per_cost" if settings.cost is not None else name


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _encoded(encoding: Encoding, points: Sequence[Point]) -> Array:
    if not points:
        return np.zeros((0, len(encoding.columns)))
    return encoding.encode(points)
