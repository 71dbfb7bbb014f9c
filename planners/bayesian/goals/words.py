"""Why a point was chosen for a goal of this room, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planners.bayesian.goals.boundary import expected_misclassified
from planners.bayesian.goals.fidelity import Fidelity
from planners.bayesian.surrogate import Surrogates
from planners.columns import Array
from planners.objective import Objective, Target
from planners.proposal import Prediction


def standing(objective: Objective, surrogates: Surrogates, references: Array) -> dict[str, float]:
    """Return how good the maps are now: what is open of each, by name.

    ``<quantity>.expected_misclassified`` is the share of the space that the model expects on the
    wrong side of the level, ``<quantity>.root_mean_variance`` the uncertainty over the space in
    the unit of the quantity.
    """
    told: dict[str, float] = {}
    for target in objective.targets:
        mean, std = surrogates[target.quantity].predict(references)
        if target.goal == "boundary":
            assert target.value is not None
            share = expected_misclassified(mean, std, level=target.value)
            told[f"{target.quantity}.expected_misclassified"] = share
        elif target.goal == "explore":
            told[f"{target.quantity}.root_mean_variance"] = float(np.sqrt((std**2).mean()))
    return told


def sentence(
    objective: Objective,
    predicted: Mapping[str, Prediction],
    told: Mapping[str, float],
    *,
    price: float | None,
    fidelity: Fidelity | None,
) -> str:
    """Return why the point was chosen.

    Parameters
    ----------
    predicted : quantity → prediction at the point.
    told : from `standing`.
    price : what the experiment should cost, None without a cost model.
    """
    parts = [_aim(objective, told, fidelity)]
    units = {t.quantity: t.unit for t in objective.targets}
    units.update({c.quantity: c.unit for c in objective.constraints if c.unit})
    parts.append(
        "; ".join(
            f"{q} predicted {p.mean:.4g} ± {p.std:.2g}{_spaced(units.get(q, ''))}"
            for q, p in predicted.items()
        )
    )
    if price is not None:
        parts.append(f"Expected to cost {price:.4g}, which what it promises was divided by")
    return ". ".join(parts) + "."


def _aim(objective: Objective, told: Mapping[str, float], fidelity: Fidelity | None) -> str:
    if objective.maps:
        return " and ".join(_map(t, told) for t in objective.targets)
    wanted = ", ".join(_wish(t) for t in objective.targets)
    if fidelity is not None:
        return (
            f"Tells most for its cost about the best at {fidelity.name} = {fidelity.target}: "
            f"{wanted}"
        )
    if objective.input_errors:
        errors = ", ".join(f"{n} ± {std:g}" for n, std in objective.input_errors.items())
        kind = "on average" if objective.risk == "expected" else "in the worst tenth of cases"
        return f"Highest expected improvement {kind} when settings stray ({errors}): {wanted}"
    return f"Highest expected improvement for its cost: {wanted}"


def _map(target: Target, told: Mapping[str, float]) -> str:
    if target.goal == "explore":
        left = told[f"{target.quantity}.root_mean_variance"]
        return (
            f"Tells most about {target.quantity} over the whole space, which is known to "
            f"± {left:.2g}{_spaced(target.unit)} on average"
        )
    share = told[f"{target.quantity}.expected_misclassified"]
    return (
        f"Tells most about where {target.quantity} crosses {target.value:g}"
        f"{_spaced(target.unit)}; {100 * share:.2g} % of the space is expected on the wrong side"
    )


def _wish(target: Target) -> str:
    if target.goal == "match":
        return f"{target.quantity} = {target.value:g}{_spaced(target.unit)}"
    return f"{target.goal} {target.quantity}"


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""
