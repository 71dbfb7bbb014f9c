"""Planners by name: those that this and other packages bring through entry points."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import cast

from planners.errors import PlanningError
from planners.protocols import Planner, PlannerFactory

GROUP = "sdlab.planners"


def planner_named(name: str, settings: Mapping[str, object]) -> Planner:
    """Return an installed planner, such as ``bayesian``, ``sobol`` or ``random``.

    Raises
    ------
    PlanningError
        There is none of that name, or its package cannot be loaded.
    pydantic.ValidationError
        The settings are wrong.
    """
    found = {e.name: e for e in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise PlanningError(
            f"no planner is called {name!r}; installed are {known}. Take one of them, install the "
            f"package that brings it (entry point group {GROUP}), or give a planner object"
        )
    try:
        factory = cast(PlannerFactory, found[name].load())
    except Exception as error:
        raise PlanningError(
            f"the planner {name!r} ({found[name].value}) cannot be loaded: "
            f"{type(error).__name__}: {error}. Reinstall its package, or take another planner"
        ) from error
    return factory(settings)
