"""Why an experiment was chosen, and what the settings are worth: a campaign explained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from orchestrator.acting.current import current
from orchestrator.acting.words import again_in_words
from orchestrator.campaign import Campaign
from orchestrator.errors import CampaignError, UnknownCampaign
from orchestrator.report.story import Story
from orchestrator.store import Store
from orchestrator.store.records import Experiment
from planners.errors import PlanningError
from planners.explaining import Explanation, PointExplained, explain
from planners.objective import Objective
from planners.proposal import Observation, Reason
from planners.settable import Value
from planners.space import SearchSpace


class Chosen(BaseModel):
    """One experiment: the reason it was chosen for, what it was predicted as, and what came of it.

    Attributes
    ----------
    values : the settings as proposed.
    reason : as the planner gave it, with the alternatives that it weighed.
    known : how many experiments had told something when it was chosen.
    why : quantity → what the prediction was made of, from what was known then; empty where that
        allowed no model, as `no_model` says.
    observation : None while it is under way.
    again : which earlier sample was measured again, and how; empty where a new one was made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    values: dict[str, Value]
    reason: Reason
    known: int
    why: dict[str, PointExplained]
    no_model: str = ""
    observation: Observation | None = None
    again: str = ""


class Explained(BaseModel):
    """A campaign explained.

    Attributes
    ----------
    now : importances and slices from everything told so far, one a quantity; empty where that
        allows no model, as `no_model` says.
    chosen : the experiment that was asked about; None before the first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    campaign: str
    name: str
    now: tuple[Explanation, ...]
    no_model: str = ""
    chosen: Chosen | None = None


def explain_campaign(
    store: Store, story: Story, *, experiment: int | None = None, quantity: str | None = None
) -> Explained:
    """Return a campaign explained, with one experiment, by default the latest.

    The same history gives the same explanation.

    Parameters
    ----------
    quantity : only this one, by default every quantity of the objective.

    Raises
    ------
    UnknownCampaign
        The campaign has no such experiment.
    CampaignError
        The campaign file cannot be understood, or the quantity was never observed.
    """
    campaign, space = understood(story)
    quantities = _quantities(story, campaign.objective, quantity)
    found = _experiment(story, experiment)
    now, no_model = _now(story, campaign.objective, space, quantities)
    return Explained(
        campaign=story.record.id,
        name=story.record.name,
        now=now,
        no_model=no_model,
        chosen=None if found is None else _chosen(store, story, space, quantities, found),
    )


def understood(story: Story) -> tuple[Campaign, SearchSpace]:
    """Return the campaign of a story, and its space with the list of candidates if it is there.

    Raises
    ------
    CampaignError
        This version cannot understand the campaign file.
    """
    campaign = story.campaign
    if campaign is None:
        raise CampaignError(
            f"the file of {story.record.id} cannot be understood by this version of sdlab "
            f"({story.problem}), so nothing can be explained; use the version that wrote it, which "
            "`sdlab show` names"
        )
    space = campaign.space
    if space.candidates is None and story.candidates is not None:
        space = SearchSpace(
            parameters=space.parameters,
            constraints=space.constraints,
            candidates=story.candidates,
            context=space.context,
        )
    return campaign, space


def stream(story: Story, number: int) -> np.random.Generator:
    """Return the random stream with which an experiment of a campaign is explained."""
    return np.random.default_rng([story.record.seed, number])


def _quantities(story: Story, objective: Objective, quantity: str | None) -> Sequence[str]:
    if quantity is None:
        return objective.quantities
    observed = dict.fromkeys(
        [*objective.quantities, *(q for _, o in story.good for q in o.outcomes)]
    )
    if quantity not in observed:
        raise CampaignError(
            f"{story.record.id} knows no quantity {quantity!r}; it has {', '.join(observed)}. Name "
            "one of them, or leave --quantity out"
        )
    return [quantity]


def _experiment(story: Story, number: int | None) -> Experiment | None:
    if number is None:
        return story.experiments[-1] if story.experiments else None
    if number not in story.by_number:
        last = len(story.experiments) - 1
        raise UnknownCampaign(
            f"{story.record.id} has no experiment {number}; it has "
            + (f"0 to {last}" if last >= 0 else "none yet")
        )
    return story.by_number[number]


def _now(
    story: Story, objective: Objective, space: SearchSpace, quantities: Sequence[str]
) -> tuple[tuple[Explanation, ...], str]:
    told = [o for _, o in story.done]
    found, problems = [], []
    for quantity in quantities:
        try:
            rng = stream(story, len(told))
            found.append(explain(space, objective, told, quantity=quantity, rng=rng))
        except PlanningError as error:
            problems.append(str(error))
    return tuple(found), "; ".join(problems)


def _chosen(
    store: Store, story: Story, space: SearchSpace, quantities: Sequence[str], e: Experiment
) -> Chosen:
    campaign, _ = understood(story)
    again = e.proposal.measure_again
    known = known_then(store, story, e)
    why: dict[str, PointExplained] = {}
    problems = []
    for quantity in quantities:
        try:
            told = explain(
                space,
                campaign.objective,
                known,
                quantity=quantity,
                point=e.proposal.values,
                n_slices=0,
                rng=stream(story, e.number),
            )
        except PlanningError as error:
            problems.append(str(error))
        else:
            assert told.here is not None
            why[quantity] = told.here
    return Chosen(
        number=e.number,
        values=dict(e.proposal.values),
        reason=e.proposal.reason,
        known=len(known),
        why=why,
        no_model="; ".join(problems),
        observation=e.observation,
        again="" if again is None else again_in_words(again, campaign),
    )


def known_then(store: Store, story: Story, experiment: Experiment) -> list[Observation]:
    """Return the observations that the planner knew when it chose an experiment.

    A history that does not say how much was told had one experiment at a time, so everything
    earlier was known.
    """
    if experiment.told is None:
        return [o for _, o in current(t for t in story.ended if t[0] < experiment.number)]
    _, told = store.observations_since(story.record.id)
    ended = sorted(told[: experiment.told], key=lambda found: found[0])
    return [o for _, o in current(ended)]
