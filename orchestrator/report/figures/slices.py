"""What is predicted along the settings that matter, and over two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from orchestrator.report.figures.canvas import BLUE, INK, RED, Picture, as_png, new_figure, tidy
from orchestrator.report.labels import axis_label, quantity_label, quantity_name
from planners.explaining import Explanation, Map, Slice
from planners.proposal import Observation
from planners.settable import Value

Numbered = Sequence[tuple[int, Observation]]


def slices(
    explained: Explanation,
    observations: Numbered,
    *,
    units: Mapping[str, str],
    logarithmic: Sequence[str] = (),
) -> Picture | None:
    """Draw the prediction along each name with its 90 % band; None without slices.

    The points are all experiments, wherever their other settings stand, so they need not lie in
    the band.

    Parameters
    ----------
    units : of settings and quantities.
    logarithmic : names drawn on a logarithmic axis.
    """
    drawn = [s for s in explained.slices if any(m is not None for m in s.mean)]
    if not drawn:
        return None
    figure = new_figure(7.6, 3.1)
    panels = figure.subplots(1, len(drawn), sharey=True, squeeze=False)[0]
    figure.subplots_adjust(left=0.1, right=0.985, top=0.87, bottom=0.18, wspace=0.08)
    for axes, one in zip(panels, drawn, strict=True):
        _draw_slice(axes, one)
        _draw_points(axes, one.name, explained.quantity, observations, one.at)
        if one.name in logarithmic:
            axes.set_xscale("log")
        axes.set_xlabel(axis_label(one.name, units.get(one.name, "")), fontsize=9)
        tidy(axes)
    unit = units.get(explained.quantity, "")
    panels[0].set_ylabel(quantity_label(explained.quantity, unit), fontsize=9)
    title = f"Predicted {quantity_name(explained.quantity)} through the best experiment, 90 % band"
    figure.suptitle(title, fontsize=10, x=0.02, ha="left")
    return as_png(figure, title)


def surface(
    explained: Explanation,
    observations: Numbered,
    *,
    units: Mapping[str, str],
    logarithmic: Sequence[str] = (),
) -> Picture | None:
    """Draw mean and std over the two most important names; None without such a map.

    See `slices` for the parameters.
    """
    found = explained.map
    if found is None:
        return None
    figure = new_figure(7.6, 3.5)
    left, right = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.11, right=0.975, top=0.84, bottom=0.16, wspace=0.12)
    name = quantity_label(explained.quantity, units.get(explained.quantity, ""))
    for axes, values, colours, label in (
        (left, found.mean, "viridis", f"{name}: mean"),
        (right, found.std, "cividis", f"{name}: std"),
    ):
        _draw_map(figure, axes, found, _numbers(values), colours, label)
        _draw_tried(axes, found, observations)
        axes.set_xlabel(axis_label(found.names[0], units.get(found.names[0], "")))
        _scale(axes, found, logarithmic)
    left.set_ylabel(axis_label(found.names[1], units.get(found.names[1], "")))
    title = (
        f"Predicted {quantity_name(explained.quantity)}, other settings as in the best experiment"
    )
    figure.suptitle(title, fontsize=10, x=0.02, ha="left")
    return as_png(figure, title, shades=True)


def _draw_slice(axes: Axes, one: Slice) -> None:
    mean = _numbers(one.mean)
    low, high = (_numbers([ends[side] for ends in one.band()]) for side in (0, 1))
    at = _places(one.at, one.at)
    if isinstance(one.at[0], str):
        axes.errorbar(at, mean, [mean - low, high - mean], fmt="_", color=BLUE, markersize=16)
        axes.set_xticks(at, [str(v) for v in one.at], rotation=20, fontsize=8)
        axes.margins(x=0.2)
        return
    axes.fill_between(at, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(at, mean, color=BLUE)


def _draw_points(
    axes: Axes, name: str, quantity: str, observations: Numbered, settings: Sequence[Value]
) -> None:
    known = [o for _, o in observations if quantity in o.outcomes and name in o.values]
    if known:
        at = _places([o.values[name] for o in known], settings)
        axes.plot(
            at, [o.outcomes[quantity] for o in known], "o", markersize=4, color="white",
            markeredgecolor=INK, markeredgewidth=0.9,
        )  # fmt: skip


def _draw_map(
    figure: Figure, axes: Axes, found: Map, values: NDArray[np.float64], colours: str, label: str
) -> None:
    x, y = _places(found.across, found.across), _places(found.up, found.up)
    mesh = axes.pcolormesh(x, y, values.T, cmap=colours, shading="nearest", rasterized=True)
    figure.colorbar(mesh, ax=axes, pad=0.02).ax.tick_params(labelsize=8)
    axes.set_title(label, fontsize=9, loc="left")
    axes.tick_params(labelsize=9)


def _draw_tried(axes: Axes, found: Map, observations: Numbered) -> None:
    across, up = found.names
    tried = [o for _, o in observations if across in o.values and up in o.values]
    limits = axes.get_xlim(), axes.get_ylim()
    for failed, style in ((False, {"marker": "o", "color": "white"}), (True, {"marker": "x"})):
        some = [o for o in tried if o.failed == failed]
        if some:
            x = _places([o.values[across] for o in some], found.across)
            y = _places([o.values[up] for o in some], found.up)
            looks: dict[str, Any] = {"markeredgecolor": RED if failed else INK, **style}
            axes.plot(x, y, linestyle="", markersize=5, **looks)
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])


def _scale(axes: Axes, found: Map, logarithmic: Sequence[str]) -> None:
    for name, settings, side in zip(found.names, (found.across, found.up), "xy", strict=True):
        if isinstance(settings[0], str):
            labels = [str(v) for v in settings]
            getattr(axes, f"set_{side}ticks")(range(len(settings)), labels, fontsize=8)
        elif name in logarithmic:
            getattr(axes, f"set_{side}scale")("log")


def _places(values: Sequence[Value], settings: Sequence[Value]) -> NDArray[np.float64]:
    """Return where values stand on an axis: numbers at themselves, categories in their order."""
    if isinstance(settings[0], str):
        order = {setting: i for i, setting in enumerate(settings)}
        return np.array([order.get(v, np.nan) for v in values], dtype=np.float64)
    return np.array(values, dtype=np.float64)


def _numbers(values: Any) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)  # None becomes NaN
