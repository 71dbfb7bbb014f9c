"""Who decides in a campaign: its planner and its agents. No instrument is needed to know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from analysis.errors import AnalysisError
from analysis.protocols import Agent, KnowingAgent
from orchestrator.campaign import AgentChoice, Campaign, StandIn
from orchestrator.errors import BadFile, CampaignError, Fault
from orchestrator.registry import agent_factory, planner_factory
from orchestrator.toml_source import TomlSource
from planners.earlier import EarlierCampaign
from planners.errors import PlanningError
from planners.protocols import PhaseMapping, Planner
from planners.structural.known import StructureAware


@dataclass(frozen=True, slots=True)
class Deciders:
    """Planner and agents of a campaign.

    Attributes
    ----------
    agents : name → the chosen agent and those that stand in for it, in order.
    """

    planner: Planner
    agents: Mapping[str, tuple[Agent, ...]]


def deciders(
    campaign: Campaign, source: TomlSource, *, earlier: Sequence[EarlierCampaign] = ()
) -> Deciders:
    """Return who decides in a campaign.

    Parameters
    ----------
    earlier : campaigns that its planner learns from, if its settings ask to.

    Raises
    ------
    BadFile
        A planner or agent is missing, refuses its settings, or estimates nothing that is wanted.
    """
    faults: list[Fault] = []
    agents, fallbacks = match_agents(campaign, source, faults)
    planner = match_planner(campaign, source, faults, agents=agents.values(), earlier=earlier)
    if faults or planner is None:
        raise BadFile(source.path, faults)
    return Deciders(planner, {n: (a, *fallbacks.get(n, ())) for n, a in agents.items()})


def match_agents(
    campaign: Campaign, source: TomlSource, faults: list[Fault]
) -> tuple[dict[str, Agent], dict[str, tuple[Agent, ...]]]:
    """Return the chosen agents by name, and for each those that stand in for it if it crashes.

    Parameters
    ----------
    faults : everything that is wrong is added here.
    """
    agents: dict[str, Agent] = {}
    fallbacks: dict[str, tuple[Agent, ...]] = {}
    for i, choice in enumerate(campaign.agents):
        where = ("agents", i)
        if (agent := _agent(choice, where, source, faults)) is not None:
            agents[choice.use] = agent
        others = [
            _agent(other, (*where, "fallback", j), source, faults)
            for j, other in enumerate(choice.fallback)
        ]
        if others:
            fallbacks[choice.use] = tuple(a for a in others if a is not None)
    if len(agents) == len(campaign.agents):
        _check_quantities(campaign, agents, source, faults)
        _check_fallbacks(campaign, agents, fallbacks, source, faults)
    return agents, fallbacks


def match_planner(
    campaign: Campaign,
    source: TomlSource,
    faults: list[Fault],
    *,
    agents: Iterable[Agent] = (),
    earlier: Sequence[EarlierCampaign] = (),
) -> Planner | None:
    """Return the chosen planner, None if there is none such; what is wrong is added to `faults`.

    Parameters
    ----------
    agents : of the campaign; a planner that is aware of structure is told what they know of it.
    earlier : campaigns that it learns from, if its settings ask to.
    """
    choice = campaign.planner
    taught = {"earlier": tuple(earlier)} if earlier and "learn_from" in choice.settings else {}
    try:
        settings = {"seed": campaign.seed, **choice.settings, **taught}
        planner = _told(planner_factory(choice.use)(settings), agents)
        if campaign.objective.phase_map is not None and not isinstance(planner, PhaseMapping):
            faults.append(
                source.fault(
                    ("planner", "use"),
                    f"the planner {choice.use!r} makes no map of phases, which the objective asks "
                    'for; take "phase_map", or remove [objective.phase_map]',
                )
            )
        return planner
    except ValidationError as error:
        faults += source.faults(error, ("planner", "settings"))
    except PlanningError as error:
        faults.append(source.fault(("planner", "settings"), str(error)))
    except CampaignError as error:
        faults.append(source.fault(("planner", "use"), str(error)))
    return None


def _told(planner: Planner, agents: Iterable[Agent]) -> Planner:
    """Return the planner, knowing what agents know if it is aware of structure."""
    if not isinstance(planner, StructureAware):
        return planner
    known = [f for a in agents if isinstance(a, KnowingAgent) for f in a.known_functions]
    return planner.knowing(known)


def _agent(
    choice: AgentChoice | StandIn,
    where: tuple[str | int, ...],
    source: TomlSource,
    faults: list[Fault],
) -> Agent | None:
    try:
        return agent_factory(choice.use)(choice.settings, source.path.parent)
    except ValidationError as error:
        faults += source.faults(error, (*where, "settings"))
    except AnalysisError as error:
        faults.append(source.fault((*where, "settings"), str(error)))
    except CampaignError as error:
        faults.append(source.fault((*where, "use"), str(error)))
    return None


def _check_fallbacks(
    campaign: Campaign,
    agents: Mapping[str, Agent],
    fallbacks: Mapping[str, tuple[Agent, ...]],
    source: TomlSource,
    faults: list[Fault],
) -> None:
    wanted = set(campaign.objective.quantities)
    for i, choice in enumerate(campaign.agents):
        own = agents[choice.use].quantities
        for other in fallbacks.get(choice.use, ()):
            shared = sorted(wanted & set(own) & set(other.quantities))
            wrong = [
                f"{other.name} gives {key} in {other.quantities[key] or 'no unit'}, "
                f"{choice.use} in {own[key] or 'no unit'}"
                for key in shared
                if other.quantities[key] != own[key]
            ]
            if wanted & set(own) and not shared:
                wrong.append(f"{other.name} estimates nothing wanted that {choice.use} estimates")
            faults.extend(source.fault(("agents", i, "fallback"), fault) for fault in wrong)


def _check_quantities(
    campaign: Campaign, agents: Mapping[str, Agent], source: TomlSource, faults: list[Fault]
) -> None:
    offered: dict[str, str] = {}
    for agent in agents.values():
        offered.update(agent.quantities)
    wanted = [
        (("objective", "targets", i), t.quantity, t.unit)
        for i, t in enumerate(campaign.objective.targets)
    ] + [
        (("objective", "constraints", i), c.quantity, c.unit)
        for i, c in enumerate(campaign.objective.constraints)
    ]
    for where, quantity, unit in wanted:
        if quantity not in offered:
            faults.append(
                source.fault(
                    (*where, "quantity"),
                    f"no agent of this campaign estimates {quantity!r}; they estimate "
                    f"{', '.join(sorted(offered)) or 'nothing'}",
                )
            )
        elif unit and unit != offered[quantity]:
            faults.append(
                source.fault(
                    (*where, "unit"),
                    f"{quantity} is in {unit} here, but its agent estimates it in "
                    f"{offered[quantity] or 'no unit'}",
                )
            )
