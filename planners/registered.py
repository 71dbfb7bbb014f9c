"""Functions that say whether a point may be tried, known by name.

Offered as `planners.constraints.register`; see there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points

from planners.settable import Value

Point = Mapping[str, Value]
"""One value for each name of a space."""

Allows = Callable[[Point], bool]
"""Takes a point and returns whether it may be tried."""

GROUP = "sdlab.constraints"

_registered: dict[str, Allows] = {}


def register(name: str, function: Allows) -> None:
    """Make a function known under a name, for `FunctionConstraint`, in this process.

    Parameters
    ----------
    function : takes a point as name → value and returns whether it may be tried. It must be
        quick, and give the same answer every time: it is asked thousands of times.

    Raises
    ------
    ValueError
        Another function has that name.
    """
    if _registered.get(name, function) is not function:
        raise ValueError(
            f"another function is registered as {name!r}; spaces already made rely on it. Take "
            "another name"
        )
    _registered[name] = function


def function_named(name: str) -> Allows:
    """Return the function registered under a name, or brought by an entry point.

    Raises
    ------
    ValueError
        There is none, or its package cannot be loaded.
    """
    if name in _registered:
        return _registered[name]
    found = {e.name: e for e in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted({*_registered, *found})) or "none"
        raise ValueError(
            f"no constraint function is called {name!r}; known are {known}. Install the package "
            f"that brings it (entry point group {GROUP}), or call planners.constraints.register "
            "before the space is made"
        )
    try:
        function: Allows = found[name].load()
    except Exception as error:
        raise ValueError(
            f"the constraint function {name!r} ({found[name].value}) cannot be loaded: "
            f"{type(error).__name__}: {error}. Reinstall or remove its package"
        ) from error
    return function
