"""Who reports a campaign's context variables? Asked before anything moves.

A variable that nobody reports would stand at the middle of its range in every experiment, and the
model would call what it does noise, without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis.protocols import Agent
from instruments.capabilities import Capabilities
from orchestrator.campaign import Campaign
from orchestrator.errors import Fault
from orchestrator.toml_source import TomlSource
from planners.context import ContextVariable


def reporters(
    variable: ContextVariable,
    agents: Mapping[str, Agent],
    synthesizers: Mapping[str, Capabilities],
) -> tuple[str, ...]:
    """Return who declares to report a context variable, agents first.

    An agent declares the quantities that it estimates, a synthesizer the settings that it notes in
    the recipe and what else it reads. Answers, as agents give them to a question, are declared by
    nobody, so a category may be reported all the same.
    """
    name = variable.name
    numeric = (
        [] if variable.categories else [a for a, of in agents.items() if name in of.quantities]
    )
    noted = [s for s, can in synthesizers.items() if can.setting(name) or name in can.reports]
    return (*numeric, *noted)


def context_faults(
    campaign: Campaign,
    agents: Mapping[str, Agent],
    instruments: Mapping[str, Capabilities],
    source: TomlSource,
) -> list[Fault]:
    """Return the context variables that nobody could report, or not in their unit.

    Parameters
    ----------
    instruments : name → what each that the campaign uses can do.
    """
    makers = {n: can for n, can in instruments.items() if can.role == "synthesize"}
    return [
        source.fault(("space", "context", i), message)
        for i, variable in enumerate(campaign.space.context)
        for message in _messages(variable, agents, makers, instruments)
    ]


def _messages(
    variable: ContextVariable,
    agents: Mapping[str, Agent],
    makers: Mapping[str, Capabilities],
    instruments: Mapping[str, Capabilities],
) -> Iterator[str]:
    name = variable.name
    found = reporters(variable, agents, makers)
    if not found and not variable.categories:
        yield (
            f"found the context variable {name!r}, which nothing in this campaign reports; "
            f"expected an agent that estimates it, or a synthesizer that notes it. "
            f"{_remedy(name, instruments)}, or remove it under [[space.context]]"
        )
    for reporter in found:
        unit = _unit(name, agents.get(reporter), makers.get(reporter))
        if unit is not None and unit != variable.unit:
            yield (
                f"found the context variable {name!r} in {variable.unit or 'no unit'}; expected "
                f"{unit or 'no unit'}, in which {reporter} reports it. State it in the latter"
            )


def _remedy(name: str, instruments: Mapping[str, Capabilities]) -> str:
    """Return what to add, with the instrument that reads the variable if there is one."""
    for instrument, can in instruments.items():
        if name in can.reports:
            unit = can.reports[name]
            return (
                f'{instrument} reads it: add {name} = "{unit}" to the `quantities` of the agent '
                '"readings"'
            )
    return 'Add an agent for it (an instrument\'s reading is passed on by "readings")'


def _unit(name: str, agent: Agent | None, maker: Capabilities | None) -> str | None:
    """Return the unit in which a reporter tells a number, None where it tells a category."""
    if agent is not None:
        return agent.quantities.get(name)
    assert maker is not None
    accepted = maker.setting(name)
    if accepted is None:
        return maker.reports[name]
    texts = any(isinstance(choice, str) for choice in accepted.choices)
    return None if texts else accepted.unit
