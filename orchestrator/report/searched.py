"""Where a campaign searched: settings against settings, coloured by how good the outcome was."""

from __future__ import annotations

from typing import Any

import numpy as np

from orchestrator.report import words
from orchestrator.report.figures.labels import axis_label, quantity_label
from orchestrator.report.plots import GREY, VERMILION, Plot, Trace, hover
from orchestrator.report.story import Story
from planners.parameters import ContinuousParameter, Value

COLOURS = "Cividis"
"""Dark is bad, bright is good; reads the same with every common kind of colour vision."""

MOST_CANDIDATES = 5000
BINS = 8
"""Groups of experiments, by utility, that share a colour in the parallel coordinates."""


def scatter_plot(story: Story) -> Plot | None:
    """Return settings against settings, or against the outcome if there is one setting only.

    The page lets the reader choose the axes; `axes` in the layout holds what it needs.
    """
    if not story.done or not story.settings:
        return None
    first, second = _opening_axes(story)
    traces = [_candidates(story), _tried(story), _lost(story)]
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


def opening_choice(story: Story) -> tuple[str, str]:
    """Return what stands on the axes before the reader chooses."""
    return _opening_axes(story)


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


def parallel_plot(story: Story) -> Plot | None:
    """Return parallel coordinates, one line an experiment, for more than three settings."""
    rated = [(n, o, u) for n, o in story.good if (u := story.merit(n, o)) is not None]
    if len(story.settings) <= 3 or not rated:
        return None
    rated.sort(key=lambda row: row[2])
    groups = _groups([merit for _, _, merit in rated], split=not story.is_front)
    scales = {name: _scale(story, name) for name in story.settings}
    traces = []
    for i, group in enumerate(groups):
        x: list[int | None] = []
        y: list[float | None] = []
        for row in group:
            values = rated[row][1].values
            x += [*range(len(story.settings)), None]
            y += [_height(values.get(name), scales[name]) for name in story.settings] + [None]
        traces.append(_group_line(x, y, rank=i / max(len(groups) - 1, 1)))
    return Plot(
        name="parallel",
        label="parallel coordinates of all settings, one line an experiment",
        traces=traces,
        layout=_parallel_layout(story, scales),
        caption="One line an experiment: "
        + ("yellow on the front." if story.is_front else "dark blue the worst, yellow the best."),
        height=380,
    )


def _groups(merits: list[float], *, split: bool) -> list[list[int]]:
    """Return rows that share a colour, worst first: equal shares, or one group a merit."""
    rows = np.arange(len(merits))
    if split:
        return [g.tolist() for g in np.array_split(rows, min(BINS, len(rows)))]
    return [rows[np.equal(merits, m)].tolist() for m in sorted(set(merits))]


def _opening_axes(story: Story) -> tuple[str, str]:
    if story.is_front:
        return story.quantities[0], story.quantities[1]
    ranked = important(story)
    return (ranked[0], ranked[1]) if len(ranked) > 1 else (ranked[0], story.quantities[0])


def _column(story: Story, points: list[tuple[int, Any]], name: str) -> list[Value | None]:
    if name in story.settings:
        return [_shown(o.values.get(name)) for _, o in points]
    return [o.outcomes.get(name) for _, o in points]


def _shown(value: Value | None) -> Value | None:
    return words.shown(value) if isinstance(value, str) else value


def _tried(story: Story) -> Trace | None:
    rated = [(n, o) for n, o in story.good]
    if not rated:
        return None
    gains = {n: story.merit(n, o) for n, o in rated}
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


Scale = dict[Value, float] | tuple[float, float, bool]
"""Category → height, or low, high and whether the axis is logarithmic."""


def _scale(story: Story, name: str) -> Scale:
    values = [o.values[name] for _, o in story.done if name in o.values]
    if any(isinstance(v, str) for v in values):
        labels = sorted({str(v) for v in values})
        return {v: (i + 0.5) / len(labels) for i, v in enumerate(labels)}
    numbers = [float(v) for v in values]
    axis = axis_of(story, name)["type"]
    if axis == "log":
        return min(numbers), max(numbers), True
    return (min(numbers), max(numbers), False)


def _height(value: Value | None, scale: Scale) -> float | None:
    if value is None:
        return None
    if isinstance(scale, dict):
        return scale.get(value)
    low, high, is_log = scale
    number = float(value)
    if is_log:
        low, high, number = np.log(low), np.log(high), np.log(number)
    return float((number - low) / (high - low)) if high > low else 0.5


def _group_line(x: list[int | None], y: list[float | None], *, rank: float) -> Trace:
    # Ends of the Cividis map, mixed in between.
    worst, best = np.array([0, 34, 78]), np.array([253, 231, 55])
    red, green, blue = (int(v) for v in worst + rank * (best - worst))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": f"rgb({red}, {green}, {blue})", "width": 1 + 1.2 * rank},
        "opacity": 0.75,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _parallel_layout(story: Story, scales: dict[str, Scale]) -> dict[str, Any]:
    labels = [
        words.shown(axis_label(n, story.units.get(n, ""))).replace(" (", "<br>(", 1)
        for n in story.settings
    ]
    notes = []
    for i, name in enumerate(story.settings):
        for height, text in _ends(scales[name]):
            notes.append(
                {
                    "x": i,
                    "y": height,
                    "text": words.shown(text),
                    "showarrow": False,
                    "xanchor": "left",
                    "xshift": 4,
                    "font": {"size": 11},
                }
            )
    axis = {
        "tickvals": list(range(len(labels))),
        "ticktext": labels,
        "range": [-0.1, len(labels) - 0.5],
    }
    return {
        "xaxis": {**axis, "showgrid": True},
        "yaxis": {"visible": False, "range": [-0.06, 1.06]},
        "annotations": notes,
        "showlegend": False,
    }


def _ends(scale: Scale) -> list[tuple[float, str]]:
    if isinstance(scale, dict):
        return [(height, str(value)) for value, height in scale.items()]
    low, high, _ = scale
    if low == high:
        return [(0.5, words.number(low))]
    return [(-0.03, words.number(low)), (1.03, words.number(high))]
