"""Does this campaign fit this laboratory? Asked before anything moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analysis.protocols import Agent
from instruments.capabilities import Accepted, Capabilities
from instruments.sample import Setting
from orchestrator.campaign import Campaign
from orchestrator.deciders import match_agents, match_planner
from orchestrator.errors import BadFile, Fault
from orchestrator.gate_checks import approval_faults, prompt_faults
from orchestrator.laboratory import Laboratory
from orchestrator.toml_source import TomlSource
from planners.parameters import extremes
from planners.protocols import Planner


@dataclass(frozen=True, slots=True)
class Match:
    """Who does what: the result of matching a campaign with a laboratory.

    Attributes
    ----------
    synthesizer : name of the instrument that makes samples.
    measurers : one instrument name for each measurement of the campaign, in order.
    agents : name → agent, as the campaign chose.
    fallbacks : name of a chosen agent → those that stand in for it if it crashes, in order.
    """

    synthesizer: str
    measurers: tuple[str, ...]
    agents: Mapping[str, Agent]
    planner: Planner
    fallbacks: Mapping[str, tuple[Agent, ...]] = field(default_factory=dict)

    def standing_for(self, name: str) -> tuple[str, ...]:
        """Return the agents that may speak for a chosen one, itself first."""
        return (name, *(agent.name for agent in self.fallbacks.get(name, ())))


def match(campaign: Campaign, laboratory: Laboratory, source: TomlSource) -> Match:
    """Return who does what, or every reason why the campaign cannot run here.

    Raises
    ------
    BadFile
        An instrument, agent or planner is missing or refuses its settings, a parameter goes
        beyond what the instrument accepts or has another unit, or no agent estimates a wanted
        quantity.
    """
    faults: list[Fault] = []
    synthesizer = _synthesizer(campaign, laboratory, source, faults)
    measurers = tuple(
        _measurer(i, campaign, laboratory, source, faults)
        for i in range(len(campaign.measurements))
    )
    faults += approval_faults(campaign.approval, campaign.space, source)
    users = {"synthesize": (synthesizer,), "measure": measurers}
    faults += prompt_faults(campaign.prompts, users, source)
    agents, fallbacks = match_agents(campaign, source, faults)
    planner = match_planner(campaign, source, faults)
    if faults or planner is None:
        raise BadFile(source.path, faults)
    return Match(synthesizer, measurers, agents, planner, fallbacks)


def _synthesizer(
    campaign: Campaign, laboratory: Laboratory, source: TomlSource, faults: list[Fault]
) -> str:
    wanted = campaign.synthesis.instrument
    names = [n for n in laboratory.with_role("synthesize") if wanted in ("", n)]
    if len(names) != 1:
        what = f"called {wanted!r} " if wanted else ""
        found = ", ".join(laboratory.with_role("synthesize")) or "none"
        message = f"needs one synthesizer {what}in {laboratory.name!r}, which has {found}"
        if not wanted and names:
            message += "; name one as `instrument` under [synthesis]"
        faults.append(source.fault(("synthesis", "instrument"), message))
        return ""
    capabilities = laboratory.describe(names[0])
    _check_parameters(campaign, names[0], capabilities, source, faults)
    _check_settings(
        campaign.synthesis.settings,
        names[0],
        capabilities,
        ("synthesis", "settings"),
        source,
        faults,
    )
    given = {*campaign.space.names, *campaign.synthesis.settings}
    faults.extend(
        source.fault(
            ("space",),
            f"{names[0]} needs {a.name!r} ({a.unit or 'no unit'}), which is neither searched nor "
            "fixed; add it under [space] or [synthesis.settings]",
        )
        for a in capabilities.accepts
        if a.default is None and a.name not in given
    )
    return names[0]


def _check_parameters(
    campaign: Campaign,
    instrument: str,
    capabilities: Capabilities,
    source: TomlSource,
    faults: list[Fault],
) -> None:
    for i, parameter in enumerate(campaign.space.parameters):
        for name in parameter.names:
            accepted = capabilities.setting(name)
            where = ("space", "parameters", i)
            if accepted is None:
                known = ", ".join(a.name for a in capabilities.accepts)
                faults.append(
                    source.fault(
                        (*where, "name"), f"{instrument} has no setting {name!r}; it has {known}"
                    )
                )
                continue
            if parameter.unit != accepted.unit and campaign.space.candidates is None:
                faults.append(
                    source.fault(
                        (*where, "unit"),
                        f"{name} is in {parameter.unit or 'no unit'} here and in "
                        f"{accepted.unit or 'no unit'} at {instrument}; state it in the latter",
                    )
                )
            faults.extend(
                source.fault(where, f"{instrument} cannot do this: {fault}")
                for value in extremes(parameter, name)
                if (fault := accepted.fault(value)) is not None
            )


def _measurer(
    index: int,
    campaign: Campaign,
    laboratory: Laboratory,
    source: TomlSource,
    faults: list[Fault],
) -> str:
    plan = campaign.measurements[index]
    where = ("measurements", index)
    fitting = laboratory.with_role("measure", plan.technique)
    names = [n for n in fitting if plan.instrument in ("", n)]
    if len(names) != 1:
        what = f"called {plan.instrument!r} " if plan.instrument else ""
        message = (
            f"needs one instrument {what}for {plan.technique!r} in {laboratory.name!r}, which has "
            f"{', '.join(fitting) or 'none'}"
        )
        faults.append(source.fault((*where, "technique"), message))
        return ""
    capabilities = laboratory.describe(names[0])
    _check_settings(plan.settings, names[0], capabilities, (*where, "settings"), source, faults)
    faults.extend(
        source.fault(where, f"{names[0]} needs the setting {a.name!r} ({a.unit or 'no unit'})")
        for a in capabilities.accepts
        if a.default is None and a.name not in plan.settings
    )
    return names[0]


def _check_settings(
    settings: Mapping[str, Setting],
    instrument: str,
    capabilities: Capabilities,
    where: tuple[str | int, ...],
    source: TomlSource,
    faults: list[Fault],
) -> None:
    for name, value in settings.items():
        accepted: Accepted | None = capabilities.setting(name)
        if accepted is None:
            known = ", ".join(a.name for a in capabilities.accepts)
            message: str | None = f"{instrument} has no setting {name!r}; it has {known}"
        else:
            message = accepted.fault(value)
        if message:
            faults.append(source.fault((*where, name), message))
