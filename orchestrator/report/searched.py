"""Where a campaign searched: settings against settings, coloured by how good the outcome was."""

from __future__ import annotations

from typing import Any

import numpy as np

from orchestrator.report import words
from orchestrator.report.labels import axis_label, quantity_label
from orchestrator.report.plots import GREY, VERMILION, Plot, Trace, hover
from orchestrator.report.story import Story
from planners.parameters import ContinuousParameter, Value

COLOURS = "Cividis"
"""Dark is bad, bright is good; reads the same with every common kind of colour vision."""

MOST_CANDIDATES = 5000


def scatter_plot(story: Story) -> Plot | None:
    """Return settings against settings, or against the outcome if there is one setting only.

    The page lets the reader choose the axes; `meta` in traces and layout holds what it needs.
    """
    if not story.done or not story.settings:
        return None
    first, second = opening_axes(story)
    traces = [_candidates(story), _partial(story), _tried(story), _lost(story)]
    return Plot(
        name="searched",
        label="settings of every experiment, coloured by how good the outcome was",
        traces=[
            {**t, "x": t["meta"][first], "y": t["meta"][second]} for t in traces if t is not None
        ],
        layout={
            "xaxis": axis_of(story, first),
            "yaxis": axis_of(story, second),
            "meta": {name: axis_of(story, name) for name in choices(story)},
        },
        caption=_colour_words(story),
        height=440,
    )


def choices(story: Story) -> dict[str, str]:
    """Return what may stand on an axis: name → label."""
    found = {n: axis_label(n, story.units.get(n, "")) for n in story.settings}
    units = story.units
    return found | {q: quantity_label(q, units.get(q, "")) for q in story.quantities}


def opening_axes(story: Story) -> tuple[str, str]:
    """Return what stands across and up before the reader chooses."""
    if story.is_front:
        return story.quantities[0], story.quantities[1]
    ranked = [*important(story), *story.quantities, story.settings[0]]
    return ranked[0], ranked[1]


def important(story: Story) -> list[str]:
    """Return the settings, those first that the planner's last model found to matter most.

    The smaller a length scale, the faster the outcome changes along that setting.
    """
    learnt: dict[str, float] = {}
    for e in story.experiments:
        if e.proposal.reason.model:
            learnt = e.proposal.reason.model
    lengths = {
        name: min(
            (v for key, v in learnt.items() if key.endswith(f"length_scale.{name}")),
            default=np.inf,
        )
        for name in story.settings
    }
    return sorted(story.settings, key=lambda name: lengths[name])


def _column(story: Story, points: list[tuple[int, Any]], name: str) -> list[Value | None]:
    if name in story.settings:
        return [_shown(o.values.get(name)) for _, o in points]
    return [o.outcomes.get(name) for _, o in points]


def _shown(value: Value | None) -> Value | None:
    return words.shown(value) if isinstance(value, str) else value


def _partial(story: Story) -> Trace | None:
    """Return the experiments that cannot be ranked, since a wanted quantity stayed unknown."""
    points = [(n, o) for n, o in story.good if story.merit(n, o) is None]
    if not points or len(points) == len(story.good):
        return None
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "not all known",
        "meta": {c: _column(story, points, c) for c in choices(story)},
        "marker": {"size": 9, "symbol": "circle-open", "color": GREY},
        "text": [hover(story, n, o) for n, o in points],
        "hoverinfo": "text",
    }


def _tried(story: Story) -> Trace | None:
    gains = {n: story.merit(n, o) for n, o in story.good}
    rated = [(n, o) for n, o in story.good if gains[n] is not None] or list(story.good)
    if not rated:
        return None
    rated.sort(key=lambda row: gains[row[0]] or 0.0)
    known = [gains[n] for n, _ in rated]
    marker: dict[str, Any] = {"size": 10, "line": {"color": GREY, "width": 0.8}}
    if None not in known:
        # Colour by rank: a few hopeless outcomes would take all the contrast otherwise.
        order = {g: i for i, g in enumerate(sorted(set(known), key=lambda g: g or 0.0))}
        top = max(len(order) - 1, 1)
        marker |= {
            "color": [order[g] / top for g in known],
            "colorscale": COLOURS,
            "cmin": 0,
            "cmax": 1,
            "colorbar": {
                "title": {"text": "outcome", "side": "right"},
                "tickvals": [0, 1],
                "ticktext": ["behind", "front"] if story.is_front else ["worst", "best"],
                "thickness": 12,
                "len": 0.8,
            },
        }
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "tried",
        "meta": {c: _column(story, rated, c) for c in choices(story)},
        "marker": marker,
        "text": [hover(story, n, o) for n, o in rated],
        "hoverinfo": "text",
    }


def _lost(story: Story) -> Trace | None:
    if not story.failed:
        return None
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "failed",
        "meta": {c: _column(story, story.failed, c) for c in choices(story)},
        "marker": {
            "color": VERMILION,
            "symbol": "x-thin",
            "size": 9,
            "line": {"width": 2, "color": VERMILION},
        },
        "text": [hover(story, n, o) for n, o in story.failed],
        "hoverinfo": "text",
    }


def _candidates(story: Story) -> Trace | None:
    """Return the points of a fixed list, as a faint backdrop."""
    if story.candidates is None:
        return None
    step = -(-len(story.candidates) // MOST_CANDIDATES)
    points = list(story.candidates.points())[::step]
    columns: dict[str, list[Value | None]] = {
        c: [_shown(p.get(c)) for p in points] for c in story.settings
    }
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "candidates",
        "meta": columns | {q: [] for q in story.quantities},
        "marker": {"color": GREY, "size": 4, "opacity": 0.35},
        "hoverinfo": "skip",
    }


def axis_of(story: Story, name: str) -> dict[str, Any]:
    """Return the axis of a setting or a quantity, with its unit and its kind."""
    axis: dict[str, Any] = {"title": {"text": words.shown(choices(story)[name]), "standoff": 8}}
    if story.campaign is None or name not in story.settings:
        return {**axis, "type": "-"}
    parameter = story.campaign.space.parameter(name)
    is_log = isinstance(parameter, ContinuousParameter) and parameter.log
    is_text = parameter.type == "categorical"
    return {**axis, "type": "log" if is_log else "category" if is_text else "linear"}


def _colour_words(story: Story) -> str:
    if story.objective is None:
        return ""
    if story.is_front:
        return "Yellow experiments are on the front: no other beats them in every target."
    faint = " Faint grey dots are candidates." if story.candidates is not None else ""
    lost = " Crosses failed." if story.failed else ""
    return f"Colour is the rank of the outcome: yellow the best, dark blue the worst.{lost}{faint}"
