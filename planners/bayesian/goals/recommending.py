"""Which of the recipes made is the best one, by what the campaign wanted?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planners.bayesian.goals.fidelity import foreseen_draws
from planners.bayesian.goals.robust import robust_draws
from planners.bayesian.marginal import log_feasible
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.surrogate import fit_surrogates, predictions
from planners.context import latest
from planners.encoding import Encoding
from planners.errors import PlanningError
from planners.objective import Objective
from planners.proposal import Observation, Prediction
from planners.settable import Value
from planners.space import SearchSpace

LIKELY = 0.5
"""Least probability of keeping every outcome constraint."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The recipe that the model believes to be the best of those made.

    Attributes
    ----------
    values : the recipe; at the target fidelity where there is one.
    experiment : index of the observation it comes from.
    utility, std : what it is worth, and how sure that is, in units of the objective's utility;
        under input errors the risk-adjusted utility.
    predicted : quantity → what it is there, noise-free, in its unit; at the recipe as written,
        without input errors.
    chance : probability of keeping every outcome constraint.
    """

    values: dict[str, Value]
    experiment: int
    utility: float
    std: float
    predicted: dict[str, Prediction]
    chance: float


def recommend(
    space: SearchSpace,
    objective: Objective,
    observations: Sequence[Observation],
    *,
    settings: BayesianSettings,
) -> Recommendation:
    """Return the recipe to go on with.

    The best measured value is not the best recipe: it may have been lucky, stand on a narrow peak
    that the laboratory will not hit again, or come from a quick scan that deceives. Here every
    recipe made is judged by what the model believes of it.

    Raises
    ------
    PlanningError
        The objective maps the space and seeks no best point, or is a front.
    SurrogateFailed
        There are too few experiments for a model.
    """
    front = objective.combine == "front" and len(objective.targets) > 1
    if objective.maps or front:
        raise PlanningError(
            f"the objective {'seeks a front' if front else 'maps the space'}, which has no best "
            "recipe; ask for the landscape or the front instead"
        )
    encoding = Encoding(space).at(latest(observations))
    surrogates = fit_surrogates(encoding, objective, observations)
    made = [i for i, o in enumerate(observations) if not o.failed]
    x = encoding.encode([observations[i].values for i in made])
    fidelity = settings.fidelity
    if fidelity is not None:
        x = fidelity.at_target(encoding, x)
        draws = foreseen_draws(objective, surrogates, x, x, seed=0)
    else:
        draws = robust_draws(encoding, objective, surrogates, x, seed=0)
    predicted = {q: s.predict(x) for q, s in surrogates.items()}
    chance = np.zeros(len(x)) + log_feasible(objective.constraints, predicted)
    likely = chance > np.log(LIKELY)
    mean = draws.mean(axis=0)
    best = int(np.argmax(np.where(likely, mean, -np.inf) if likely.any() else chance))
    values = dict(observations[made[best]].values)
    if fidelity is not None:
        values[fidelity.name] = fidelity.target
    return Recommendation(
        values=values,
        experiment=made[best],
        utility=float(mean[best]),
        std=float(draws[:, best].std()),
        predicted=predictions(surrogates, x[best : best + 1])[0],
        chance=float(np.exp(chance[best])),
    )
