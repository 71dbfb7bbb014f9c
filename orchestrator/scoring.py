"""Insights become an observation: the wanted quantities with their uncertainty, or a failure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from scipy.special import ndtr

from analysis.insight import Insight
from orchestrator.routing import combine, combine_answers
from planners.objective import Objective, Target
from planners.parameters import Value
from planners.proposal import Observation, Prediction
from planners.structure import Answer, Reading, Structure


def observe(
    objective: Objective,
    insights: Sequence[Insight],
    *,
    values: Mapping[str, Value],
    cost: float,
    context: Mapping[str, Value] | None = None,
    predicted: Mapping[str, Prediction] | None = None,
) -> Observation:
    """Return what an experiment told about the wanted quantities.

    A quantity that no agent could tell is absent (there is no crystallite size of a phase that is
    not there); what is known still teaches the planner. An experiment of which nothing wanted is
    known has failed, and the agents' remarks say why. No value is ever invented.

    Parameters
    ----------
    values : the point that was made.
    cost : in the laboratory's currency.
    context : context variable → what it was; see `orchestrator.surroundings.reported`.
    predicted : what the planner had foretold, by which it judges its own word.
    """
    outcomes: dict[str, float] = {}
    stds: dict[str, float] = {}
    right = 1.0
    for quantity in objective.quantities:
        found = combine(quantity, insights)
        if found is None:
            continue
        estimate, p_wrong = found
        outcomes[quantity] = estimate.value
        if estimate.std is not None:
            stds[quantity] = estimate.std
        right = min(right, 1 - p_wrong)
    if not outcomes:
        remarks = [f"{i.agent}: {r}" for i in insights if i.abstained for r in i.remarks]
        why = "; ".join(remarks) or "no agent found any of them"
        return failure(
            f"{', '.join(objective.quantities)} unknown: {why}",
            values=values,
            cost=cost,
            cause="analysis",
            context=context,
        )
    return Observation(
        values=dict(values),
        outcomes=outcomes,
        stds=stds,
        p_wrong=1 - right,
        cost=cost,
        context=dict(context or {}),
        predicted=dict(predicted or {}),
        structure=structure_of(insights, without=objective.quantities),
    )


def structure_of(insights: Sequence[Insight], *, without: Sequence[str] = ()) -> Structure:
    """Return what agents read of a sample, several on one thing combined as `routing` does.

    Parameters
    ----------
    without : quantities that are left out.
    """
    numbers: dict[str, Reading] = {}
    for quantity in dict.fromkeys(q for i in insights for q in i.estimates if q not in without):
        found = combine(quantity, insights)
        assert found is not None
        estimate, p_wrong = found
        numbers[quantity] = Reading(value=estimate.value, std=estimate.std, p_wrong=p_wrong)
    answers: dict[str, Answer] = {}
    for question in dict.fromkeys(q for i in insights for q in i.class_probabilities):
        told = combine_answers(question, insights)
        assert told is not None
        answers[question] = Answer(probabilities=dict(told[0]), p_wrong=told[1])
    return Structure(numbers=numbers, answers=dict(sorted(answers.items())))


def failure(
    why: str,
    *,
    values: Mapping[str, Value],
    cost: float,
    cause: str = "",
    repeat: bool = False,
    context: Mapping[str, Value] | None = None,
) -> Observation:
    """Return the observation of a failed experiment."""
    return Observation(
        values=dict(values),
        failed=True,
        failure=why,
        cause=cause,
        repeat=repeat,
        cost=cost,
        context=dict(context or {}),
    )


def probability_reached(objective: Objective, observation: Observation) -> float:
    """Return the probability that an experiment satisfies every target and constraint.

    Each quantity is taken as an independent normal variable with the observation's std, and the
    product is multiplied by the probability that the analysis is right. A quantity of unknown
    std counts at its face value.
    """
    if observation.failed or not objective.is_complete(observation.outcomes):
        return 0.0
    p = 1 - observation.p_wrong
    for target in objective.targets:
        low, high = _satisfying(target)
        p *= _between(observation, target.quantity, low, high)
    for constraint in objective.constraints:
        low = -math.inf if constraint.lower is None else constraint.lower
        high = math.inf if constraint.upper is None else constraint.upper
        p *= _between(observation, constraint.quantity, low, high)
    return p


def _satisfying(target: Target) -> tuple[float, float]:
    if target.value is None or target.maps:
        return math.inf, -math.inf
    if target.goal == "match":
        tolerance = target.tolerance or 0.0
        return target.value - tolerance, target.value + tolerance
    if target.goal == "maximize":
        return target.value, math.inf
    return -math.inf, target.value


def _between(observation: Observation, quantity: str, low: float, high: float) -> float:
    value, std = observation.outcomes[quantity], observation.stds.get(quantity)
    if not std:
        return float(low <= value <= high)
    return max(float(ndtr((high - value) / std) - ndtr((low - value) / std)), 0.0)
