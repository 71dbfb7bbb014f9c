"""Quantities over the places of a map, or over the order of the files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.insight import Insight
from analysis.xrd.maps import Map, map_of
from orchestrator.report.figures.canvas import BLUE, GREY, as_file, new_figure, tidy
from orchestrator.report.labels import quantity_label

_WIDTH, _HEIGHT, _ACROSS = 3.0, 2.3, 3
"""Size [inch] of a panel, and how many stand side by side at most."""


def quantity_map_figure(
    insights: Sequence[Insight],
    quantities: Sequence[str],
    *,
    places: Sequence[int],
    columns: int | None = None,
    format: str = "png",  # noqa: A002
) -> bytes:
    """Return a figure with a panel a quantity: a map of rows and columns, or a curve.

    Parameters
    ----------
    places : of each insight in the order of the files, from 0; places may be empty.
    columns : patterns in a row of the map, taken row by row; a curve over the places if None.

    Raises
    ------
    ValueError
        None of the quantities was told of any pattern, or two insights stand at one place.
    """
    told = [q for q in quantities if any(q in insight.estimates for insight in insights)]
    if not told:
        raise ValueError("no pattern tells any of the quantities; there is nothing to draw")
    at = np.asarray(places)
    width = columns or int(at.max()) + 1
    across = min(len(told), _ACROSS)
    down = -(-len(told) // across)
    figure = new_figure(_WIDTH * across + 0.4, _HEIGHT * down + 0.4)
    figure.set_layout_engine("constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel in panels[len(told) :]:
        panel.set_axis_off()
    for panel, quantity in zip(panels, told, strict=False):
        found = map_of(insights, quantity, x=at % width + 1, y=at // width + 1)
        if columns is None:
            _curve(panel, found)
        else:
            _area(panel, found)
    return as_file(figure, format)


def _area(panel: Axes, found: Map) -> None:
    """Draw a map, its first row on top, as a camera or a stage goes; grey where nothing is told."""
    panel.set_facecolor("#dddddd")
    whole = _filled(found)
    ends = (0.5, whole.shape[1] + 0.5, whole.shape[0] + 0.5, 0.5)
    drawn = panel.imshow(whole, cmap="viridis", extent=ends, interpolation="nearest")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(MaxNLocator(6, integer=True))
    panel.set_xlabel("column")
    panel.set_ylabel("row")
    panel.set_title(quantity_label(found.quantity, found.unit), fontsize=9)
    bar = panel.figure.colorbar(drawn, ax=panel, fraction=0.05)
    bar.ax.ticklabel_format(useOffset=False)
    bar.ax.tick_params(labelsize=8)


def _filled(found: Map) -> np.ndarray:
    """Return the values on all rows and columns from 1, NaN where there is no pattern."""
    rows, across = found.y.astype(int) - 1, found.x.astype(int) - 1
    whole = np.full((rows.max() + 1, across.max() + 1), np.nan)
    whole[np.ix_(rows, across)] = found.values
    return whole


def _curve(panel: Axes, found: Map) -> None:
    """Draw values with two standard deviations over the number of the file."""
    value, std = found.values[0], np.nan_to_num(found.std[0])
    there = np.isfinite(value)
    panel.errorbar(
        found.x[there],
        value[there],
        2 * std[there],
        fmt="o",
        ms=3,
        color=BLUE,
        ecolor=GREY,
        elinewidth=0.8,
    )
    panel.set_xlabel("file, in order")
    panel.set_title(quantity_label(found.quantity, found.unit), fontsize=9)
    panel.ticklabel_format(axis="y", useOffset=False)
    tidy(panel)
