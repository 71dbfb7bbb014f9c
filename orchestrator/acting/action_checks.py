"""Does what a campaign allows besides new samples fit its planner and its instruments?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from instruments.capabilities import Capabilities
from orchestrator.campaign import Campaign
from orchestrator.errors import Fault
from orchestrator.toml_source import TomlSource
from planners.actions.protocols import ActionAware
from planners.protocols import Planner


def weighing_faults(campaign: Campaign, planner: Planner, source: TomlSource) -> list[Fault]:
    """Return a fault if a campaign allows actions that its planner does not weigh."""
    if campaign.actions is None or isinstance(planner, ActionAware):
        return []
    why = (
        f"{planner.name} chooses new samples only, and [actions] asks it to weigh measurements of "
        "those there are; use `bayesian` or `structure`, or remove [actions]"
    )
    return [source.fault(("planner", "use"), why)]


def action_faults(
    campaign: Campaign,
    measuring: Sequence[Sequence[str]],
    can: Mapping[str, Capabilities],
    source: TomlSource,
) -> list[Fault]:
    """Return which measurements of ``[actions]`` the campaign or an instrument does not know.

    Parameters
    ----------
    measuring : the instruments that take each of the campaign's `plans`.
    can : instrument → what it can do.
    """
    faults: list[Fault] = []
    techniques = [plan.technique for plan in campaign.plans]
    for i, plan in enumerate(campaign.actions.measure if campaign.actions is not None else ()):
        where = ("actions", "measure", i)
        if plan.technique not in techniques:
            known = ", ".join(dict.fromkeys(techniques))
            why = f"the campaign does not measure {plan.technique!r}; it measures {known}"
            faults.append(source.fault((*where, "technique"), why))
            continue
        for name in measuring[techniques.index(plan.technique)]:
            faults += _setting_faults(plan.settings, name, can[name], (*where, "settings"), source)
    return faults


def _setting_faults(
    settings: Mapping[str, float | str],
    instrument: str,
    capabilities: Capabilities,
    where: tuple[str | int, ...],
    source: TomlSource,
) -> list[Fault]:
    faults: list[Fault] = []
    for setting, value in settings.items():
        accepted = capabilities.setting(setting)
        known = ", ".join(a.name for a in capabilities.accepts)
        why = (
            f"{instrument} has no setting {setting!r}; it has {known}"
            if accepted is None
            else accepted.fault(value)
        )
        if why:
            faults.append(source.fault((*where, setting), why))
    return faults
