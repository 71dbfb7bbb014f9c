"""What a choice by surrogates rests on, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from planners.bayesian.influence import most_telling
from planners.bayesian.search import Choice
from planners.bayesian.surrogate import Surrogates
from planners.encoding import Encoding
from planners.grounds import point_in_words, runner_up, surer
from planners.objective import Objective
from planners.proposal import Grounds, Observation, Prediction

FEW = 2
"""Targets of which the most telling experiment is named."""


def grounds_of(
    encoding: Encoding,
    objective: Objective,
    surrogates: Surrogates,
    choices: Sequence[Choice],
    *,
    acquisition: str,
    predicted: Sequence[dict[str, Prediction]],
    made: Sequence[Observation],
) -> Grounds:
    """Return the grounds of the first choice.

    Parameters
    ----------
    predicted : for each choice, as recorded.
    made : experiments that gave outcomes.
    """
    units = {t.quantity: t.unit for t in objective.targets}
    evidence, would_change = [], []
    for target in objective.targets[:FEW]:
        quantity = target.quantity
        unit = f" {target.unit}" if target.unit else ""
        told = most_telling(encoding, surrogates[quantity], choices[0].x, made)
        if told is None:
            continue
        there = point_in_words(told.observation.values)
        mean = predicted[0][quantity].mean
        evidence.append(
            f"Most telling for {quantity} was the experiment at {{{there}}}, which gave "
            f"{told.observation.outcomes[quantity]:.4g}{unit}."
        )
        would_change.append(
            f"Without the experiment at {{{there}}}, {quantity} here would be foretold as "
            f"{told.without:.4g}{unit} instead of {mean:.4g}{unit}."
        )
    next_best = runner_up(
        [c.point for c in choices], [c.value for c in choices], acquisition=acquisition
    )
    return Grounds(
        reduces=tuple(surer(predicted[0], units)),
        evidence=tuple(evidence),
        would_change=(*next_best, *would_change),
    )
