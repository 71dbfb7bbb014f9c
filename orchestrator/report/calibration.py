"""Plots of the planner's predictions against what was then observed."""

from __future__ import annotations

from orchestrator.report import words
from orchestrator.report.foretold import (
    NORMAL_QUANTILE,
    Foretold,
    coverage,
    foretold,
    latest_outlook,
    own_count,
)
from orchestrator.report.labels import axis_label, quantity_name
from orchestrator.report.plots import BAND, BLUE, GREY, VERMILION, Plot, Trace, hover, span, title
from orchestrator.report.story import Story


def calibration_plots(story: Story) -> list[Plot]:
    """Return two plots a quantity with predictions: against the observed values, and in time."""
    found = {q: foretold(story.experiments, q) for q in story.quantities}
    return [
        plot
        for q, told in found.items()
        if told
        for plot in (_plot(story, q, told), _residuals(story, q, told))
    ]


def about_calibration(story: Story) -> str:
    """Return what the planner itself counted of its predictions, empty if it did not."""
    return own_count(latest_outlook(story.experiments))


def _plot(story: Story, quantity: str, found: list[Foretold]) -> Plot:
    name, unit = quantity_name(quantity), story.units.get(quantity, "")
    observations = dict(story.good)
    ends = span(
        [f.observed for f in found]
        + [f.mean - f.std for f in found]
        + [f.mean + f.std for f in found]
    )
    return Plot(
        name=f"calibration-{story.quantities.index(quantity)}",
        label=f"predicted against observed {name}",
        traces=[
            {
                "type": "scatter",
                "mode": "lines",
                "name": "perfect",
                "x": list(ends),
                "y": list(ends),
                "line": {"color": GREY, "dash": "dash", "width": 1.2},
                "hoverinfo": "skip",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "name": "experiment ± std",
                "x": [f.observed for f in found],
                "y": [f.mean for f in found],
                "error_x": _bars([f.observed_std or 0.0 for f in found]),
                "error_y": _bars([f.std for f in found]),
                "marker": {"color": BLUE, "size": 7},
                "text": [
                    _told(story, f, quantity) + hover(story, f.number, observations[f.number])
                    for f in found
                ],
                "hoverinfo": "text",
            },
        ],
        layout={
            "xaxis": {"title": {"text": words.shown(f"observed {axis_label(name, unit)}")}},
            "yaxis": {"title": {"text": words.shown(f"predicted {axis_label(name, unit)}")}},
        },
        caption=coverage(found),
        height=420,
    )


def _residuals(story: Story, quantity: str, found: list[Foretold]) -> Plot:
    """Return how far the outcomes lay from the predictions, in standard deviations, in time."""
    name, known = quantity_name(quantity), [f for f in found if f.residual is not None]
    largest = max([2.5, *(1.08 * abs(f.residual or 0.0) for f in known)])
    return Plot(
        name=f"residuals-{story.quantities.index(quantity)}",
        label=f"deviation of {name} from its prediction, against the number of the experiment",
        traces=[
            {
                "type": "scatter",
                "mode": "lines",
                "name": "90 % of honest ones",
                "x": [None],
                "y": [None],
                "line": {"color": BAND, "width": 12},
            },
            _deviations(story, quantity, [f for f in known if f.holds], "inside", BLUE, "circle"),
            _deviations(
                story, quantity, [f for f in known if not f.holds], "outside", VERMILION, "diamond"
            ),
        ],
        layout={
            "xaxis": {"title": title("experiment"), "tickformat": "d"},
            "yaxis": {
                "title": {"text": words.shown(f"(observed − predicted) / std, {name}")},
                "range": [-largest, largest],
            },
            "shapes": [_band(), _middle()],
        },
        caption="Deviations that shrink or grow with time tell that the model learnt or lost its "
        "calibration.",
        height=420,
    )


def _deviations(
    story: Story, quantity: str, found: list[Foretold], name: str, colour: str, symbol: str
) -> Trace:
    observations = dict(story.good)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [f.number for f in found],
        "y": [f.residual for f in found],
        "marker": {"color": colour, "size": 8, "symbol": symbol},
        "text": [
            _told(story, f, quantity) + hover(story, f.number, observations[f.number])
            for f in found
        ],
        "hoverinfo": "text",
    }


def _band() -> Trace:
    return {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": -NORMAL_QUANTILE,
        "y1": NORMAL_QUANTILE,
        "fillcolor": BAND,
        "line": {"width": 0},
        "layer": "below",
    }


def _middle() -> Trace:
    line = {"color": GREY, "width": 1.2, "dash": "dash"}
    ends = {"xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    return {"type": "line", "line": line, "layer": "below", **ends}


def _told(story: Story, f: Foretold, quantity: str) -> str:
    told = words.measured(f.mean, f.std, story.units.get(quantity, ""))
    return words.shown(f"predicted {told}") + "<br>"


def _bars(stds: list[float]) -> dict[str, object]:
    return {"type": "data", "array": stds, "thickness": 1, "width": 0, "color": "#7fb8d9"}
