"""All settings of every experiment at once, in parallel coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from orchestrator.report import words
from orchestrator.report.labels import axis_label
from orchestrator.report.plots import Plot, Trace
from orchestrator.report.searched import axis_of
from orchestrator.report.story import Story
from planners.parameters import Value

BINS = 8
"""Groups of experiments, by utility, that share a colour in the parallel coordinates."""

Scale = dict[Value, float] | tuple[float, float, bool]
"""Category → height, or low, high and whether the axis is logarithmic."""


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
