"""Why a point was chosen, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.bayesian.grounds import grounds_of
from planners.bayesian.search import Choice, Scoring
from planners.bayesian.surrogate import Surrogates, learnt, predictions
from planners.encoding import Encoding
from planners.objective import Objective, Target
from planners.proposal import Alternative, Observation, Outlook, Prediction, Reason


def reason_for(
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    acquisition: Scoring,
    choices: Sequence[Choice],
    *,
    observations: Sequence[Observation],
    outlook: Outlook,
    elsewhere: bool,
) -> Reason:
    """Return the reason for the first choice, with the others as alternatives.

    An upper bound (UCB) is told in units of the utility's spread over the experiments, from the
    best of them on. Any other acquisition value is the natural logarithm of the expected
    improvement in units of the objective's utility (for a front: of the hypervolume of utilities
    scaled by their spread). Once an experiment has failed, the logarithm of the probability of
    success is added.

    Parameters
    ----------
    elsewhere : whether the choice was kept away from what is known, since the experiments circled.
    """
    predicted = predictions(surrogates, np.array([c.x for c in choices]))
    values = [c.value + acquisition.log_unit for c in choices]
    return Reason(
        planner="bayesian",
        text=_text(objective, acquisition.name, predicted[0], observations, elsewhere),
        acquisition=acquisition.name,
        acquisition_value=_finite(values[0]),
        predicted=predicted[0],
        alternatives=tuple(
            Alternative(values=c.point, acquisition_value=_finite(v), predicted=p)
            for c, v, p in zip(choices[1:], values[1:], predicted[1:], strict=True)
        ),
        model=learnt(encoding, surrogates),
        outlook=outlook,
        grounds=grounds_of(
            encoding,
            objective,
            surrogates,
            choices,
            acquisition=acquisition.name,
            predicted=predicted,
            made=observations,
        ),
    )


def _text(
    objective: Objective,
    acquisition: str,
    predicted: dict[str, Prediction],
    observations: Sequence[Observation],
    elsewhere: bool,
) -> str:
    parts = [
        f"{q} predicted {p.mean:.4g} ± {p.std:.2g}{_unit(objective, q)}"
        for q, p in predicted.items()
    ]
    if objective.combine == "front" and len(objective.targets) > 1:
        aim = "Expected to push the front of " + " and ".join(t.quantity for t in objective.targets)
    else:
        highest = "Highest upper bound" if acquisition == "UCB" else "Highest expected improvement"
        aim = f"{highest}: " + ", ".join(_aim(t) for t in objective.targets)
    if elsewhere:
        aim += ", elsewhere, as the last experiments repeated earlier ones and gained nothing"
    return f"{aim}. {'; '.join(parts)}. {_best(objective, observations)}"


def _aim(target: Target) -> str:
    unit = f" {target.unit}" if target.unit else ""
    if target.goal == "match":
        return f"{target.quantity} = {target.value:g}{unit}"
    return f"{target.goal} {target.quantity}"


def _best(objective: Objective, observations: Sequence[Observation]) -> str:
    complete = [o for o in observations if all(q in o.outcomes for q in objective.quantities)]
    allowed = [o for o in complete if objective.is_feasible(o.outcomes)]
    if not complete:
        return f"No one of {len(observations)} experiments gave every quantity so far."
    if not allowed:
        return f"None of {len(complete)} experiments meets every constraint so far."
    best = max(allowed, key=lambda o: objective.rank(o.outcomes))
    values = ", ".join(
        f"{t.quantity} = {best.outcomes[t.quantity]:.4g}{_unit(objective, t.quantity)}"
        for t in objective.targets
    )
    return f"Best of {len(complete)} so far: {values}."


def _unit(objective: Objective, quantity: str) -> str:
    units = {c.quantity: c.unit for c in objective.constraints if c.unit}
    units.update({t.quantity: t.unit for t in objective.targets if t.unit})
    return f" {units[quantity]}" if quantity in units else ""


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
