"""Axis labels: names and units of records as a person writes them."""

from __future__ import annotations

_SYMBOLS = {
    "two_theta": "2θ",
    "q": "Q",
    "r": "r",
    "d_spacing": "d",
    "energy": "energy",
    "energy_transfer": "energy transfer",
    "intensity": "intensity",
}

_UNITS = {
    "deg": "°",
    "degC": "°C",
    "1/angstrom": "Å⁻¹",
    "1/Å": "Å⁻¹",
    "angstrom": "Å",
    "wt_fraction": "",
    "1": "",
}


def unit_text(unit: str) -> str:
    """Return a unit as it is printed, empty for a pure number."""
    return _UNITS.get(unit, unit.replace("degC", "°C"))


def height_name(x_name: str) -> str:
    """Return what a pattern shows over an axis: G over distances, else an intensity."""
    return "G" if x_name == "r" else "intensity"


def axis_label(name: str, unit: str) -> str:
    """Return an axis label, such as ``2θ (°)``."""
    shown = _SYMBOLS.get(name, name.replace("_", " "))
    return f"{shown} ({unit_text(unit)})" if unit_text(unit) else shown


def quantity_name(key: str) -> str:
    """Return a quantity's key in words: ``xrd.weight_fraction.rutile`` → rutile weight fraction."""
    parts = [part.replace("_", " ") for part in key.split(".")]
    if len(parts) == 3:
        return f"{parts[2]} {parts[1]}"
    return " ".join(parts[1:] if len(parts) > 1 else parts)


def quantity_label(key: str, unit: str = "") -> str:
    """Return a quantity's axis label with its unit."""
    return f"{quantity_name(key)} ({unit_text(unit)})" if unit_text(unit) else quantity_name(key)
