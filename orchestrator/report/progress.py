"""How each wanted quantity developed from experiment to experiment."""

from __future__ import annotations

from orchestrator.report import words
from orchestrator.report.figures.progress import best_so_far
from orchestrator.report.labels import quantity_label, quantity_name
from orchestrator.report.plots import (
    BAND,
    BLUE,
    GREEN,
    MARGIN,
    ORANGE,
    VERMILION,
    Plot,
    Trace,
    hover,
    span,
    title,
)
from orchestrator.report.story import DOUBTFUL, Story
from planners.objective import Target
from planners.proposal import Observation


def progress_plots(story: Story) -> list[Plot]:
    """Return one plot a quantity of the objective; none before the first result."""
    if not story.done:
        return []
    return [_plot(story, quantity) for quantity in story.quantities]


def _plot(story: Story, quantity: str) -> Plot:
    known = [(n, o) for n, o in story.good if quantity in o.outcomes]
    sure = [(n, o) for n, o in known if o.p_wrong <= DOUBTFUL]
    doubtful = [(n, o) for n, o in known if o.p_wrong > DOUBTFUL]
    low, high = _range(story, quantity)
    shapes, keys = _goals(story, quantity)
    traces = [
        *keys,
        _best_line(story, quantity),
        _points(story, quantity, sure, name="measured ± std", symbol="circle"),
        _points(story, quantity, doubtful, name="analysis doubtful", symbol="circle-open"),
        _failures(story, low),
    ]
    name = quantity_name(quantity)
    return Plot(
        name=f"progress-{story.quantities.index(quantity)}",
        label=f"{name} against the number of the experiment, with error bars",
        traces=[t for t in traces if t["x"]],
        layout={
            "xaxis": {"title": title("experiment"), **_ticks(story), "range": _width(story)},
            "yaxis": {
                "title": {
                    "text": words.shown(quantity_label(quantity, story.units.get(quantity, "")))
                },
                "range": [low - MARGIN * (high - low), high],
            },
            "shapes": shapes,
        },
    )


def _points(
    story: Story,
    quantity: str,
    points: list[tuple[int, Observation]],
    *,
    name: str,
    symbol: str,
) -> Trace:
    stds = [o.stds.get(quantity) for _, o in points]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [n for n, _ in points],
        "y": [o.outcomes[quantity] for _, o in points],
        "error_y": {
            "type": "data",
            "array": [s or 0.0 for s in stds],
            "visible": any(stds),
            "thickness": 1.2,
            "width": 3 if len(points) < 100 else 0,
        },
        "marker": {"color": BLUE, "size": 8 if len(points) < 200 else 5, "symbol": symbol},
        "text": [hover(story, n, o) for n, o in points],
        "hoverinfo": "text",
    }


def _best_line(story: Story, quantity: str) -> Trace:
    """Return the quantity at the best experiment so far; for a front, its own best so far."""
    objective = story.objective
    course: list[tuple[int, float]] = []
    if objective is not None and story.is_front:
        alone = [t for t in objective.targets if t.quantity == quantity]
        only = objective.model_copy(update={"targets": tuple(alone)}) if alone else None
    else:
        only = objective
    if only is not None:
        for (number, _), best in zip(story.done, best_so_far(story.done, only), strict=True):
            if best is not None:
                course.append((number, story.done[best][1].outcomes[quantity]))
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "best so far",
        "x": [n for n, _ in course],
        "y": [v for _, v in course],
        "line": {"color": ORANGE, "width": 2, "shape": "hv"},
        "hoverinfo": "skip",
    }


def _failures(story: Story, level: float) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "failed",
        "x": [n for n, _ in story.failed],
        "y": [level] * len(story.failed),
        "marker": {
            "color": VERMILION,
            "size": 9,
            "symbol": "x-thin",
            "line": {"width": 2, "color": VERMILION},
        },
        "text": [hover(story, n, o) for n, o in story.failed],
        "hoverinfo": "text",
        "cliponaxis": False,
    }


def _range(story: Story, quantity: str) -> tuple[float, float]:
    """Return a range that holds every value with its error bar, and the levels that are wanted."""
    values = [
        value + sign * o.stds.get(quantity, 0.0)
        for _, o in story.good
        if (value := o.outcomes.get(quantity)) is not None
        for sign in (-1, 1)
    ]
    return span(values + _levels(story, quantity) or [0.0, 1.0])


def _levels(story: Story, quantity: str) -> list[float]:
    objective = story.objective
    if objective is None:
        return []
    found: list[float] = []
    for target in objective.targets:
        if target.quantity == quantity and target.value is not None:
            reach = target.tolerance or 0.0
            found += [target.value - reach, target.value + reach]
    for bound in objective.constraints:
        if bound.quantity == quantity:
            found += [v for v in (bound.lower, bound.upper) if v is not None]
    return found


def _ticks(story: Story) -> Trace:
    """Return whole numbers for a short axis, which plotly.js would divide into halves."""
    return {"tickformat": "d"} | ({"tick0": 0, "dtick": 1} if story.done[-1][0] <= 8 else {})


def _width(story: Story) -> list[float]:
    last = max(n for n, _ in story.done)
    room = max(0.5, 0.02 * last)
    return [-room, last + room]


def _goals(story: Story, quantity: str) -> tuple[list[Trace], list[Trace]]:
    """Return the wanted band or level and the bounds, as shapes and as keys for the legend."""
    objective = story.objective
    shapes: list[Trace] = []
    keys: list[Trace] = []
    if objective is None:
        return shapes, keys
    for target in objective.targets:
        if target.quantity == quantity and target.value is not None:
            shapes.append(_goal(target, target.value))
            keys.append(_key("target", shapes[-1]))
    for bound in objective.constraints:
        if bound.quantity != quantity:
            continue
        for text, level in (("at least", bound.lower), ("at most", bound.upper)):
            if level is not None:
                shapes.append(_line(level, VERMILION, "dash"))
                keys.append(_key(f"{text} {words.number(level)}", shapes[-1]))
    return shapes, keys


def _key(text: str, shape: Trace) -> Trace:
    band = shape["type"] == "rect"
    line = {"color": BAND, "width": 12} if band else shape["line"]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": text,
        "x": [None],
        "y": [None],
        "line": line,
    }


def _goal(target: Target, value: float) -> Trace:
    if target.goal != "match" or not target.tolerance:
        return _line(value, GREEN, "solid")
    reach = target.tolerance
    edges = {"y0": value - reach, "y1": value + reach, "line": {"width": 0}}
    return {**_line(value, GREEN, "solid"), "type": "rect", "fillcolor": BAND, **edges}


def _line(level: float, colour: str, dash: str) -> Trace:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": level,
        "y1": level,
        "line": {"color": colour, "width": 1.5, "dash": dash},
        "layer": "below",
    }
