"""Limits of the lab file: narrower than what a simulated device can do, never wider."""

from __future__ import annotations

from collections.abc import Mapping

from instruments.capabilities import Accepted

Limits = Mapping[str, tuple[float, float]]
"""Setting → lowest and highest value, in the unit of the setting."""


def narrowed(accepted: tuple[Accepted, ...], *, limits: Limits) -> tuple[Accepted, ...]:
    """Return the accepted settings within `limits`; a default outside them is dropped.

    Raises
    ------
    ValueError
        A limit names no numeric setting, is reversed, or reaches beyond the device.
    """
    known = {a.name: a for a in accepted if not a.choices}
    for name, (low, high) in limits.items():
        if name not in known:
            raise ValueError(f"limits names {name}; the settings are {', '.join(known)}")
        for bound in (low, high):
            if fault := known[name].fault(bound):
                raise ValueError(f"limits reaches beyond the device: {fault}")
        if low > high:
            raise ValueError(f"limits of {name} has {low:g} above {high:g}")
    return tuple(_within(a, limits[a.name]) if a.name in limits else a for a in accepted)


def _within(accepted: Accepted, bounds: tuple[float, float]) -> Accepted:
    low, high = bounds
    default = accepted.default
    inside = isinstance(default, int | float) and low <= default <= high
    return accepted.model_copy(
        update={"low": low, "high": high, "default": default if inside else None}
    )
