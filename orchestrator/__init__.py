"""Orchestrator: campaigns, the loop, the store, Prefect, and what a person sees.

The whole vocabulary in one place: a planner makes a `Proposal`, an instrument turns it into a
`Sample` and a `Measurement`, an agent reads the measurement as an `Insight`, scoring turns that
into an `Observation`, and the planner proposes again. Names are loaded when first used, so that
importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.insight import Estimate, Insight
    from instruments.measurement import Measurement
    from instruments.sample import Sample
    from orchestrator.campaign import Campaign, load_campaign
    from orchestrator.control import best, run_campaign, spent
    from orchestrator.forecast import look_ahead
    from orchestrator.laboratories.laboratory import Laboratory, load_laboratory
    from orchestrator.launch import begin, prepare, reopen, with_changes
    from orchestrator.loop import turn
    from orchestrator.run import Run
    from orchestrator.store import Store
    from planners.objective import Objective, OutcomeConstraint, Target
    from planners.parameters import Parameter
    from planners.proposal import Observation, Proposal
    from planners.space import SearchSpace

_HOMES = {
    "analysis.insight": ("Estimate", "Insight"),
    "instruments.measurement": ("Measurement",),
    "instruments.sample": ("Sample",),
    "orchestrator.campaign": ("Campaign", "load_campaign"),
    "orchestrator.control": ("best", "run_campaign", "spent"),
    "orchestrator.forecast": ("look_ahead",),
    "orchestrator.laboratories.laboratory": ("Laboratory", "load_laboratory"),
    "orchestrator.launch": ("begin", "prepare", "reopen", "with_changes"),
    "orchestrator.loop": ("turn",),
    "orchestrator.run": ("Run",),
    "orchestrator.store": ("Store",),
    "planners.objective": ("Objective", "OutcomeConstraint", "Target"),
    "planners.parameters": ("Parameter",),
    "planners.proposal": ("Observation", "Proposal"),
    "planners.space": ("SearchSpace",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Campaign",
    "Estimate",
    "Insight",
    "Laboratory",
    "Measurement",
    "Objective",
    "Observation",
    "OutcomeConstraint",
    "Parameter",
    "Proposal",
    "Run",
    "Sample",
    "SearchSpace",
    "Store",
    "Target",
    "begin",
    "best",
    "load_campaign",
    "load_laboratory",
    "look_ahead",
    "prepare",
    "reopen",
    "run_campaign",
    "spent",
    "turn",
    "with_changes",
]


def __getattr__(name: str) -> object:
    """Load a name of the vocabulary when it is first used."""
    if name not in _HOME_OF:
        raise AttributeError(f"orchestrator has no {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
