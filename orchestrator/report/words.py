"""Numbers, quantities and targets in the words of a laboratory report."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping

from orchestrator.campaign import Budget
from orchestrator.report.labels import quantity_name, unit_text
from planners.objective import OutcomeConstraint, Target
from planners.parameters import Value


def number(value: float, digits: int = 4) -> str:
    """Return a number with so many significant digits and a true minus sign."""
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


def measured(value: float, std: float | None, unit: str = "") -> str:
    """Return a value as ``0.521 ± 0.012 unit``, its last digit where the std has its second."""
    tail = spaced(unit)
    if not std:
        return number(value) + tail
    places = 1 - math.floor(math.log10(std))
    if not -3 <= places <= 6:
        return f"{number(value)} ± {number(std, 2)}{tail}"
    places = max(places, 0)
    return f"{value:.{places}f} ± {std:.{places}f}{tail}".replace("-", "−")


def setting(value: Value, unit: str = "") -> str:
    """Return a setting with its unit."""
    text = value if isinstance(value, str) else number(value, 5)
    return text if isinstance(value, str) else text + spaced(unit)


def spaced(unit: str) -> str:
    """Return a unit as it follows a number; empty for a pure number."""
    text = unit_text(unit)
    return f" {text}" if text else ""


def settings(values: Mapping[str, Value], units: Mapping[str, str]) -> str:
    """Return settings as ``temperature 640 degC, time 2 h``."""
    return ", ".join(f"{plain(k)} {setting(v, units.get(k, ''))}" for k, v in values.items())


def plain(name: str) -> str:
    """Return a name with spaces for underscores."""
    return name.replace("_", " ")


def target(wanted: Target) -> str:
    """Return a target as a sentence."""
    name, unit = quantity_name(wanted.quantity), spaced(wanted.unit)
    if wanted.goal == "match":
        assert wanted.value is not None
        within = f" within ± {number(wanted.tolerance)}{unit}" if wanted.tolerance else ""
        return f"Bring the {name} to {number(wanted.value)}{unit}{within}."
    if wanted.goal == "boundary":
        assert wanted.value is not None
        return f"Find where the {name} crosses {number(wanted.value)}{unit}."
    if wanted.goal == "explore":
        return f"Map how the {name} runs over the whole space."
    goal = {"maximize": "as high", "minimize": "as low"}[wanted.goal]
    if wanted.value is None:
        return f"Make the {name} {goal} as possible."
    level = "at least" if wanted.goal == "maximize" else "at most"
    return f"Make the {name} {goal} as possible; {level} {number(wanted.value)}{unit} is enough."


def constraint(bound: OutcomeConstraint) -> str:
    """Return an outcome constraint as a sentence."""
    name, unit = quantity_name(bound.quantity), spaced(bound.unit)
    if bound.lower is not None and bound.upper is not None:
        between = f"between {number(bound.lower)} and {number(bound.upper)}{unit}"
        return f"Only with the {name} {between}."
    if bound.lower is not None:
        return f"Only with a {name} of at least {number(bound.lower)}{unit}."
    assert bound.upper is not None
    return f"Only with a {name} of at most {number(bound.upper)}{unit}."


def budget(allowed: Budget, currency: str) -> str:
    """Return what may be spent."""
    parts = [f"{allowed.experiments} experiments"]
    if allowed.hours is not None:
        parts.append(f"{duration(allowed.hours)} of laboratory time")
    if allowed.money is not None:
        parts.append(f"{money(allowed.money)} {currency}")
    return "at most " + ", ".join(parts)


def money(amount: float) -> str:
    """Return an amount of money."""
    return f"{amount:,.2f}" if amount < 100 else f"{amount:,.0f}"


def duration(hours: float) -> str:
    """Return a duration: ``35 s``, ``12 min``, ``5.2 h``, ``3.1 d``."""
    if hours < 1 / 60:
        return f"{hours * 3600:.0f} s"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} d ({hours:,.0f} h)"


def counted(n: int, noun: str) -> str:
    """Return ``1 experiment`` or ``7 experiments``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def percent(share: float) -> str:
    """Return a probability in per cent, never rounded up to certainty."""
    if 0 < share < 0.01:
        return "< 1 %"
    if 0.99 < share < 1:
        return "> 99 %"
    return f"{share:.0%}".replace("%", " %")


def shown(text: str) -> str:
    """Return text for a plot, whose labels read a subset of HTML, so that it shows as it is."""
    return html.escape(text, quote=False)
