"""Can the chosen planner tell what the stop rules ask for? Asked before anything moves."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.campaign import Campaign
from orchestrator.errors import Fault
from orchestrator.toml_source import TomlSource
from planners.objective import Objective
from planners.protocols import Foretelling, Planner

_ASKED = {
    "improvement_below": "probability_of_improvement",
    "regret_below": "expected_regret",
    "not_worth_its_cost": "expected_improvement",
}
"""Stop rule → what of a proposal's outlook it follows."""


def stop_faults(campaign: Campaign, planner: Planner, source: TomlSource) -> list[Fault]:
    """Return the stop rules that could never be met, because nobody tells what they ask for."""
    told = foretold_by(planner, campaign.objective)
    return _too_late(campaign, source) + [
        source.fault(("stop", rule), message)
        for rule, asked in _ASKED.items()
        if getattr(campaign.stop, rule) is not None
        for message in _messages(rule, asked, campaign, told)
    ]


def _too_late(campaign: Campaign, source: TomlSource) -> list[Fault]:
    stop, allowed = campaign.stop, campaign.budget.experiments
    needed = stop.experiments_needed(len(campaign.space.names))
    if not stop.asks_the_model or needed < allowed:
        return []
    message = (
        f"found a rule that follows the model's word, which counts once {needed} experiments have "
        f"ended, and a budget of {allowed}; expected a larger budget. Raise it, lower "
        "`stop.model_needs`, or take the rule away"
    )
    return [source.fault(("stop",), message)]


def foretold_by(planner: Planner, objective: Objective) -> frozenset[str]:
    """Return which fields of an outlook a planner tells, none for one without a model."""
    return planner.foretells(objective) if isinstance(planner, Foretelling) else frozenset()


def _messages(rule: str, asked: str, campaign: Campaign, told: frozenset[str]) -> Iterator[str]:
    use, objective = campaign.planner.use, campaign.objective
    is_front = objective.combine == "front" and len(objective.targets) > 1
    if is_front and rule != "improvement_below":
        yield (
            f"found `{rule}` with a front of several targets, which has no one utility to count "
            "in; it needs one target, or targets that are weighted. Use `improvement_below` or "
            "`no_improvement_for`, or weigh the targets"
        )
    elif asked not in told:
        yield (
            f"found `{rule}` with the planner {use!r}, which does not tell the "
            f"{asked.replace('_', ' ')}, so that this rule would never be met; expected a planner "
            "with a model, such as `bayesian`. Use that, or `no_improvement_for` instead"
        )
