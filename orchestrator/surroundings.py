"""Conditions that nobody set: what the experiment reported of a campaign's context variables."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from analysis.insight import Insight
from orchestrator.routing import combine
from planners.context import ContextVariable
from planners.parameters import Value

logger = logging.getLogger(__name__)


def reported(
    variables: Sequence[ContextVariable],
    insights: Sequence[Insight],
    recipe: Mapping[str, Value],
) -> dict[str, Value]:
    """Return context variable → its value in an experiment; one that nobody reported is absent.

    A number is looked for among the quantities that the agents estimate (the agent `readings`
    tells what an instrument has read), a category among their most probable answers; then either
    among the settings that the instrument noted in the recipe as executed.
    """
    found: dict[str, Value] = {}
    for variable in variables:
        value = _told(variable, insights)
        if value is None:
            value = recipe.get(variable.name)
        if value is None:
            logger.info("nobody reported context=%s", variable.name)
        elif isinstance(value, str) != bool(variable.categories):
            kind = "a category" if variable.categories else "a number"
            logger.warning("context=%s is %r and not %s; left out", variable.name, value, kind)
        else:
            found[variable.name] = value
    return found


def _told(variable: ContextVariable, insights: Sequence[Insight]) -> Value | None:
    if variable.categories:
        answers = [
            i.class_probabilities[variable.name]
            for i in insights
            if variable.name in i.class_probabilities
        ]
        return max(answers[0], key=answers[0].__getitem__) if answers else None
    told = combine(variable.name, insights)
    if told is None:
        return None
    estimate, _ = told
    if variable.unit and estimate.unit and estimate.unit != variable.unit:
        logger.warning(
            "context=%s came in %s and is wanted in %s; left out",
            variable.name,
            estimate.unit,
            variable.unit,
        )
        return None
    return estimate.value
