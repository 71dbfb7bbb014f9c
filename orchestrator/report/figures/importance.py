"""Which settings matter, and what each adds to one prediction: bars with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestrator.report.figures.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SERIES,
    Picture,
    as_png,
    new_figure,
    tidy,
)
from orchestrator.report.labels import quantity_label, quantity_name
from orchestrator.report.words import plain, setting
from planners.explaining import Estimated, Explanation, PointExplained

MOST_BARS = 12
"""Names drawn at most."""


def importance(explained: Explanation, *, unit: str) -> Picture:
    """Draw the importance of each name: shares of the variance, and the mean size of its effect.

    Lines are one standard deviation over other sets of as many experiments.

    Parameters
    ----------
    unit : of the quantity.
    """
    shown = explained.importances[:MOST_BARS]
    figure = new_figure(7.6, 1.2 + 0.42 * len(shown))
    shares, effects = figure.subplots(1, 2, sharey=True)
    _margins(figure, left=0.2)
    at = np.arange(len(shown), dtype=float)
    name = quantity_name(explained.quantity)
    for offset, way, colour, label in (
        (-0.26, "total", BLUE, "with interactions"),
        (0.0, "first_order", SERIES[4], "alone"),
        (0.26, "relevance", GREY, "relevance"),
    ):
        found = [getattr(i, way) for i in shown]
        known = [(y, e) for y, e in zip(at, found, strict=True) if e is not None]
        if known:
            _bars(shares, [(y + offset, e) for y, e in known], 0.24, colour, label)
    _bars(effects, list(zip(at, [i.shap for i in shown], strict=True)), 0.6, ORANGE, "")
    shares.set_yticks(at, [plain(i.name) for i in shown])
    shares.invert_yaxis()
    shares.set_xlim(0, 1.02)
    effects.set_xlim(left=0)
    shares.set_xlabel("share of the variance")
    effects.set_xlabel(f"mean effect on {quantity_label(explained.quantity, unit)}", fontsize=9)
    shares.legend(fontsize=8, frameon=False, loc="lower right")
    title = f"What matters to the {name}, from {explained.n_observations} values"
    figure.suptitle(title, fontsize=10, x=0.02, ha="left")
    return as_png(figure, title)


def contributions(
    why: PointExplained, quantity: str, number: int, *, units: Mapping[str, str]
) -> Picture:
    """Draw how the contributions lead from the average over the space to the prediction.

    Parameters
    ----------
    number : of the experiment.
    units : of settings and quantities.
    """
    shown = why.contributions[:MOST_BARS]
    rest = sum(c.amount.value for c in why.contributions[MOST_BARS:])
    labels = [f"{plain(c.name)} {setting(c.setting, units.get(c.name, ''))}" for c in shown]
    steps = [c.amount for c in shown]
    if len(why.contributions) > len(shown):
        labels.append("all others")
        steps.append(Estimated(value=rest))
    figure = new_figure(7.6, 1.3 + 0.4 * len(steps))
    axes = figure.subplots()
    _margins(figure, left=0.28)
    at, here = np.arange(len(steps)), why.average
    for y, step in zip(at, steps, strict=True):
        colour = BLUE if step.value >= 0 else ORANGE
        axes.barh(y, step.value, left=here, height=0.6, color=colour)
        here += step.value
        if step.std is not None:
            axes.plot([here - step.std, here + step.std], [y, y], color=INK, linewidth=1.2)
    for value, style, label in (
        (why.average, ":", "average over the space"),
        (why.predicted.mean, "-", "prediction"),
    ):
        axes.axvline(value, color=INK, linestyle=style, linewidth=1, label=label)
    axes.set_yticks(at, labels)
    axes.invert_yaxis()
    axes.use_sticky_edges = False  # else the line at the average would hide behind the frame
    axes.margins(x=0.08)
    axes.set_xlabel(quantity_label(quantity, units.get(quantity, "")))
    axes.legend(fontsize=8, frameon=False)
    tidy(axes)
    title = f"Why experiment {number}: what its settings add to the {quantity_name(quantity)}"
    figure.suptitle(title, fontsize=10, x=0.02, ha="left")
    return as_png(figure, title)


def _bars(
    axes: Axes, places: list[tuple[float, Estimated]], height: float, colour: str, label: str
) -> None:
    at = [y for y, _ in places]
    values = [max(e.value, 0.0) for _, e in places]
    axes.barh(at, values, height=height, color=colour, label=label or None)
    for y, e in places:
        if e.std is not None:
            ends = [max(e.value - e.std, 0.0), max(e.value + e.std, 0.0)]
            axes.plot(ends, [y, y], color=INK, linewidth=1.1)
    tidy(axes)


def _margins(figure: Figure, *, left: float) -> None:
    inch = 1 / figure.get_figheight()
    figure.subplots_adjust(
        left=left, right=0.98, top=1 - 0.42 * inch, bottom=0.62 * inch, wspace=0.08
    )
