"""Plug-ins by entry point, loaded when first needed; the built-ins use the same door."""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, cast

from analysis.protocols import AgentFactory
from analysis.trainers import Adapter, Trainer
from instruments.protocols import InstrumentFactory
from orchestrator.errors import BrokenPlugin, UnknownPlugin
from planners.protocols import PlannerFactory

Group = Literal["instruments", "agents", "planners", "trainers", "adapters"]


def available(group: Group) -> dict[str, str]:
    """Return the names of a group → the distribution that brings each."""
    found = entry_points(group=f"sdlab.{group}")
    return {e.name: e.dist.name if e.dist else "?" for e in sorted(found, key=lambda e: e.name)}


def instrument_factory(name: str) -> InstrumentFactory:
    """Return the driver's factory. Raises UnknownPlugin or BrokenPlugin."""
    return cast(InstrumentFactory, _load("instruments", name))


def agent_factory(name: str) -> AgentFactory:
    """Return the agent's factory. Raises UnknownPlugin or BrokenPlugin."""
    return cast(AgentFactory, _load("agents", name))


def planner_factory(name: str) -> PlannerFactory:
    """Return the planner's factory. Raises UnknownPlugin or BrokenPlugin."""
    return cast(PlannerFactory, _load("planners", name))


def trainer(name: str) -> Trainer:
    """Return what trains the agent of that name. Raises UnknownPlugin or BrokenPlugin."""
    return cast(Trainer, _load("trainers", name))


def adapter(name: str) -> Adapter:
    """Return what fits that agent's training to measurements. UnknownPlugin, BrokenPlugin."""
    return cast(Adapter, _load("adapters", name))


def _load(group: Group, name: str) -> object:
    entry = _find(group, name)
    try:
        return entry.load()
    except Exception as error:
        owner = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
        raise BrokenPlugin(
            f"{name!r} ({entry.value}) from {owner} cannot be loaded: "
            f"{type(error).__name__}: {error}. Reinstall or remove that package"
        ) from error


def _find(group: Group, name: str) -> EntryPoint:
    found = [e for e in entry_points(group=f"sdlab.{group}") if e.name == name]
    if not found:
        names = list(available(group))
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise UnknownPlugin(
            f"there is no {group[:-1]} called {name!r}; installed are {', '.join(names)}{hint}"
        )
    owners = sorted({e.dist.name for e in found if e.dist})
    if len(owners) > 1:
        raise BrokenPlugin(
            f"{name!r} is claimed by {', '.join(owners)}; uninstall all but one of them"
        )
    return found[0]
