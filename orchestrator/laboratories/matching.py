"""Does this campaign fit this laboratory? Asked before anything moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from analysis.protocols import Agent
from orchestrator.acting.action_checks import action_faults, weighing_faults
from orchestrator.campaign import Campaign
from orchestrator.deciding.deciders import match_agents, match_planner
from orchestrator.errors import BadFile, Fault
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.laboratories.matching_instruments import match_measurers, match_synthesizers
from orchestrator.laboratories.reporting import context_faults
from orchestrator.people.gate_checks import approval_faults, prompt_faults
from orchestrator.stopping.stop_checks import stop_faults
from orchestrator.toml_source import TomlSource
from planners.protocols import Planner


@dataclass(frozen=True, slots=True)
class Match:
    """Who does what: the result of matching a campaign with a laboratory.

    Attributes
    ----------
    synthesizer : name of the instrument that makes samples, the preferred one of several.
    measurers : one instrument name for each of the campaign's `plans`, in order.
    agents : name → agent, as the campaign chose.
    fallbacks : name of a chosen agent → those that stand in for it if it crashes, in order.
    equals : step (``synthesize``, ``measure-0``) → further instruments that do it alike.
    folder : what paths in the settings of agents are relative to.
    """

    synthesizer: str
    measurers: tuple[str, ...]
    agents: Mapping[str, Agent]
    planner: Planner
    fallbacks: Mapping[str, tuple[Agent, ...]] = field(default_factory=dict)
    equals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folder: Path = field(default_factory=Path)

    @property
    def synthesizers(self) -> tuple[str, ...]:
        """Instruments of which any may make a sample, the preferred one first."""
        return self.synthesizer, *self.equals.get("synthesize", ())

    def measuring(self, index: int) -> tuple[str, ...]:
        """Return the instruments of which any may take a measurement, the preferred one first."""
        return self.measurers[index], *self.equals.get(f"measure-{index}", ())

    @property
    def users(self) -> dict[str, tuple[str, ...]]:
        """Verb → every instrument that may carry it out."""
        measuring = [name for i in range(len(self.measurers)) for name in self.measuring(i)]
        return {"synthesize": self.synthesizers, "measure": tuple(dict.fromkeys(measuring))}

    def standing_for(self, name: str) -> tuple[str, ...]:
        """Return the agents that may speak for a chosen one, itself first."""
        return (name, *(agent.name for agent in self.fallbacks.get(name, ())))


def match(campaign: Campaign, laboratory: Laboratory, source: TomlSource) -> Match:
    """Return who does what, or every reason why the campaign cannot run here.

    Raises
    ------
    BadFile
        An instrument, agent or planner is missing or refuses its settings, a parameter goes
        beyond what the instrument accepts or has another unit, no agent estimates a wanted
        quantity, nothing reports a context variable, a stop rule follows what the planner does
        not tell, or actions are allowed that the planner does not weigh or no instrument takes.
    """
    faults: list[Fault] = []
    synthesizers = match_synthesizers(campaign, laboratory, source, faults)
    measuring = [
        match_measurers(i, campaign, laboratory, source, faults) for i in range(len(campaign.plans))
    ]
    faults += approval_faults(campaign.approval, campaign.space, source)
    users = {"synthesize": synthesizers, "measure": [n for names in measuring for n in names]}
    faults += prompt_faults(campaign.prompts, users, source)
    agents, fallbacks = match_agents(campaign, source, faults)
    if not faults:
        can = {name: laboratory.describe(name) for name in dict.fromkeys(chain(*users.values()))}
        faults += context_faults(campaign, agents, can, source)
        faults += action_faults(campaign, measuring, can, source)
    planner = match_planner(campaign, source, faults, agents=agents.values())
    faults += [] if planner is None else stop_faults(campaign, planner, source)
    faults += [] if planner is None else weighing_faults(campaign, planner, source)
    if faults or planner is None:
        raise BadFile(source.path, faults)
    equals = {"synthesize": synthesizers[1:]}
    equals |= {f"measure-{i}": names[1:] for i, names in enumerate(measuring)}
    measurers = tuple(names[0] for names in measuring)
    folder = source.path.parent
    return Match(synthesizers[0], measurers, agents, planner, fallbacks, equals, folder)
