"""Interactive plots as plain data: what plotly.js draws in the reader's browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.report import words
from orchestrator.report.labels import axis_label, quantity_name
from orchestrator.report.story import Story
from planners.parameters import Value
from planners.proposal import Observation

Trace = dict[str, Any]
"""A trace of plotly.js."""

BLUE, ORANGE, GREEN, VERMILION, GREY, INK = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#8a8a8a",
    "#333333",
)
"""Colours after Okabe and Ito, told apart by every common kind of colour vision."""

BAND = "rgba(0, 158, 115, 0.18)"

MARGIN = 0.06
"""Free space beside the data, as a share of their range."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot of the page.

    Attributes
    ----------
    name : identifier in the page.
    label : what it shows, for those who cannot see it.
    height : in CSS pixels.
    """

    name: str
    label: str
    traces: list[Trace]
    layout: dict[str, Any]
    caption: str = ""
    height: int = 360

    @property
    def figure(self) -> dict[str, Any]:
        """What plotly.js is given."""
        return {"data": self.traces, "layout": {**self.layout, "height": self.height}}


def title(name: str, unit: str = "") -> dict[str, Any]:
    """Return the title of an axis, with its unit."""
    return {"text": words.shown(axis_label(name, unit)), "standoff": 8}


def span(values: Sequence[float]) -> tuple[float, float]:
    """Return a range with room around the values."""
    low, high = min(values), max(values)
    room = MARGIN * (high - low) or MARGIN * abs(high) or 1.0
    return low - room, high + room


def hover(story: Story, number: int, observation: Observation) -> str:
    """Return what a point tells when it is pointed at: experiment, settings, outcomes."""
    lines = [f"<b>experiment {number}</b>"]
    lines += _pairs(observation.values, story.units)
    for quantity, value in observation.outcomes.items():
        told = words.measured(value, observation.stds.get(quantity), story.units.get(quantity, ""))
        lines.append(words.shown(f"{quantity_name(quantity)}: {told}"))
    if observation.failed:
        lines.append(words.shown(f"failed: {_short(story.in_words(observation.failure))}"))
    elif observation.p_wrong:
        lines.append(words.shown(f"analysis wrong with {words.percent(observation.p_wrong)}"))
    return "<br>".join(lines)


def _pairs(values: Mapping[str, Value], units: Mapping[str, str]) -> list[str]:
    return [
        words.shown(f"{words.plain(k)}: {words.setting(v, units.get(k, ''))}")
        for k, v in values.items()
    ]


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
