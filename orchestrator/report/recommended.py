"""Which recipe the model would go on with, beside the best one measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from orchestrator.report import words
from orchestrator.report.explained import understood
from orchestrator.report.labels import quantity_name
from orchestrator.report.story import Story
from planners.errors import PlanningError
from planners.objective import Objective

if TYPE_CHECKING:
    from planners.bayesian.goals.recommending import Recommendation
    from planners.bayesian.settings import BayesianSettings

PREFERENCE = "preference"
"""The planner whose outcomes say which of two samples is better, not how good one is."""

MOST_EXPERIMENTS = 300
"""Results up to which a model is fitted for the page; more would make it slow to write."""


@dataclass(frozen=True, slots=True)
class Recommended:
    """The recommended recipe; every text is ready to be read.

    Attributes
    ----------
    number : of the experiment that it comes from; None if there is no recommendation.
    settings : name, value.
    outcomes : name, predicted value ± std, and what was measured where that compares.
    about : how it was judged, or why there is no recommendation.
    """

    number: int | None
    settings: list[tuple[str, str]]
    outcomes: list[tuple[str, str, str]]
    about: str


def recommended(story: Story) -> Recommended | None:
    """Return the recommended recipe; None where the goal has no best recipe, or none can be said.

    A front and a map have none, and neither has a preference, whose outcomes are comparisons.
    """
    campaign = story.campaign
    if campaign is None or not story.good or campaign.planner.use == PREFERENCE:
        return None
    if story.is_front or campaign.objective.maps:
        return None
    if len(story.good) > MOST_EXPERIMENTS:
        return _none(
            f"No recipe is recommended: fitting a model to {len(story.good)} results takes too "
            f"long for a page; it is done for up to {MOST_EXPERIMENTS}."
        )
    try:
        settings = _settings(story)
        found = _asked(story, settings)
    except (PlanningError, ValidationError) as error:
        return _none(f"No recipe is recommended, as no model is possible: {error}.")
    return _told(story, found, settings)


def _none(about: str) -> Recommended:
    return Recommended(number=None, settings=[], outcomes=[], about=about)


def _settings(story: Story) -> BayesianSettings:
    """Return the settings of the campaign's planner, the usual ones if it is another one."""
    # The planner brings torch, which a page without results need not wait for.
    from planners.bayesian.settings import BayesianSettings

    campaign, _ = understood(story)
    own = campaign.planner.settings if campaign.planner.use == "bayesian" else {}
    return BayesianSettings.model_validate(own)


def _asked(story: Story, settings: BayesianSettings) -> Recommendation:
    from planners.bayesian.goals.recommending import recommend

    campaign, space = understood(story)
    observations = [o for _, o in story.done]
    return recommend(space, campaign.objective, observations, settings=settings)


def _told(story: Story, found: Recommendation, settings: BayesianSettings) -> Recommended:
    number, observation = story.done[found.experiment]
    units = story.units
    outcomes = []
    for quantity, prediction in found.predicted.items():
        unit, value = units.get(quantity, ""), observation.outcomes.get(quantity)
        measured = ""
        if value is not None and settings.fidelity is None:
            measured = words.measured(value, observation.stds.get(quantity), unit)
        predicted = words.measured(prediction.mean, prediction.std, unit)
        outcomes.append((quantity_name(quantity), predicted, measured))
    return Recommended(
        number=number,
        settings=[
            (words.plain(name), words.setting(value, units.get(name, "")))
            for name, value in found.values.items()
        ],
        outcomes=outcomes,
        about=_about(story, found, settings),
    )


def _about(story: Story, found: Recommendation, settings: BayesianSettings) -> str:
    """Return how the recipe was judged, and how it compares with the best measured one."""
    objective = understood(story)[0].objective
    parts = [
        "Of the recipes made, the one that a Gaussian process fitted to all results believes to "
        "be the best; a best measured value may have been lucky."
    ]
    if objective.input_errors:
        parts.append(_under_errors(story, objective, found))
    if settings.fidelity is not None:
        name, target = words.plain(settings.fidelity.name), settings.fidelity.target
        unit = story.units.get(settings.fidelity.name, "")
        parts.append(f"Predicted at {name} {words.setting(target, unit)}, where the answer counts.")
    if objective.constraints:
        parts.append(f"It keeps every constraint with probability {words.percent(found.chance)}.")
    if story.done[found.experiment][0] == story.best:
        parts.append("It is the best measured one, too.")
    return " ".join(parts)


def _under_errors(story: Story, objective: Objective, found: Recommendation) -> str:
    """Return what comes out of the recipe when its settings stray."""
    units = story.units
    strayed = ", ".join(
        f"{words.plain(name)} by {words.number(std)}{words.spaced(units.get(name, ''))}"
        for name, std in objective.input_errors.items()
    )
    what = {"expected": "on average", "worst_tenth": "in the mean of the worst tenth"}
    return (
        f"Judged by what comes out {what[objective.risk]} when {strayed} (standard deviation) "
        f"stray: {_worth(story, objective, found)}."
    )


def _worth(story: Story, objective: Objective, found: Recommendation) -> str:
    """Return the risk-adjusted utility, as a value of the quantity where it is one."""
    target = objective.targets[0]
    if len(objective.targets) > 1 or target.goal == "match":
        return f"a utility of {words.measured(found.utility, found.std)}"
    size = (target.scale or 1.0) / target.weight
    value = found.utility * size * (1.0 if target.goal == "maximize" else -1.0)
    unit = story.units.get(target.quantity, "")
    told = words.measured(value, found.std * size, unit)
    return f"{quantity_name(target.quantity)} {told}"
