"""A measured pattern with its fit, background, phases and difference."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.insight import Curve
from orchestrator.report.figures.canvas import (
    GREY,
    INK,
    ORANGE,
    SERIES,
    Picture,
    as_file,
    as_png,
    new_figure,
    tidy,
)
from orchestrator.report.labels import axis_label, height_name

FloatArray = NDArray[np.float64]

_PLAIN = {"observed", "calculated", "target", "difference", "background", "sigma", "weight"}
_MOST_PHASES = 6
_TICK_ROW = 0.05
"""Height of a row of ticks, as a share of the upper panel."""


def pattern(curve: Curve, *, title: str) -> Picture:
    """Draw the evidence of a fit: dots observed, line calculated, difference below.

    Parameters
    ----------
    curve : with the columns ``observed`` and, as far as known, ``calculated``, ``difference``,
        ``background``; every other column is the contribution of a phase
        of that name, with or without ``phase.`` before it.

    Raises
    ------
    KeyError
        There is no column ``observed``.
    """
    return as_png(_compose(curve, title), title)


def pattern_figure(
    curve: Curve,
    *,
    format: str = "png",  # noqa: A002
    title: str = "",
    ticks: Mapping[str, FloatArray] | None = None,
) -> bytes:
    """Return the same figure as the bytes of a file, ``png`` or ``svg``.

    Parameters
    ----------
    ticks : phase → (n_reflections,) positions in the unit of the axis, drawn as rows of ticks
        under the pattern.
    """
    return as_file(_compose(curve, title, ticks or {}), format)


def _compose(
    curve: Curve, title: str, ticks: Mapping[str, FloatArray] = MappingProxyType({})
) -> Figure:
    columns = curve.columns
    has_difference = "difference" in columns or "calculated" in columns
    figure = new_figure(7.6, 4.4)
    grid = figure.add_gridspec(
        2 if has_difference else 1,
        1,
        height_ratios=(4, 1) if has_difference else None,
        hspace=0.06,
        left=0.11,
        right=0.985,
        top=0.92,
        bottom=0.115,
    )
    upper = figure.add_subplot(grid[0])
    colours = _draw_phases(upper, curve)
    upper.plot(curve.x, columns["observed"], ".", color=INK, markersize=1.8, label="observed")
    if "calculated" in columns:
        upper.plot(curve.x, columns["calculated"], color=ORANGE, linewidth=1.0, label="calculated")
    if "target" in columns:
        upper.plot(curve.x, columns["target"], color=ORANGE, linewidth=1.0, label="target")
    if "background" in columns:
        upper.plot(
            curve.x, columns["background"], "--", color=GREY, linewidth=1.0, label="background"
        )
    _draw_ticks(upper, ticks, colours)
    upper.set_ylabel(axis_label(height_name(curve.x_name), curve.y_unit))
    upper.legend(fontsize=8, frameon=False, ncols=2, markerscale=4)
    upper.set_title(title, fontsize=10, loc="left")
    lowest = upper
    if has_difference:
        lowest = figure.add_subplot(grid[1], sharex=upper)
        upper.tick_params(labelbottom=False)
        lowest.plot(curve.x, _difference(curve), color="#0072b2", linewidth=0.7)
        lowest.axhline(0.0, color=GREY, linewidth=0.6)
        lowest.set_ylabel("obs − target" if "target" in columns else "obs − calc")
        tidy(lowest)
    lowest.set_xlabel(axis_label(curve.x_name, curve.x_unit))
    upper.set_xlim(float(curve.x[0]), float(curve.x[-1]))
    tidy(upper)
    figure.align_ylabels()
    return figure


def _difference(curve: Curve) -> np.ndarray:
    if "difference" in curve.columns:
        return curve.columns["difference"]
    return curve.columns["observed"] - curve.columns["calculated"]


def _draw_ticks(axes: Axes, ticks: Mapping[str, FloatArray], colours: Mapping[str, str]) -> None:
    """Draw a row of ticks for each phase, in its colour, in room made below the curves."""
    if not ticks:
        return
    low, high = axes.get_ylim()
    share = _TICK_ROW * len(ticks) / (1 - _TICK_ROW * len(ticks))
    axes.set_ylim(low - share * (high - low), high)
    for row, (phase, positions) in enumerate(list(ticks.items())[::-1]):
        axes.vlines(
            positions,
            _TICK_ROW * (row + 0.2),
            _TICK_ROW * (row + 0.9),
            transform=axes.get_xaxis_transform(),
            color=colours.get(phase, GREY),
            linewidth=0.8,
        )


def _draw_phases(axes: Axes, curve: Curve) -> dict[str, str]:
    """Fill under the strongest phases, each on top of the background; return their colours."""
    base = curve.columns.get("background", np.zeros_like(curve.x))
    phases = sorted(
        (name for name in curve.columns if name not in _PLAIN),
        key=lambda name: -float(np.sum(curve.columns[name])),
    )
    colours: dict[str, str] = {}
    for name, colour in zip(phases[:_MOST_PHASES], SERIES, strict=False):
        colours[name.removeprefix("phase.")] = colour
        top, label = base + curve.columns[name], name.removeprefix("phase.")
        axes.fill_between(
            curve.x,
            base,
            top,
            color=colour,
            alpha=0.45,
            linewidth=0,
            label=label,
        )
    return colours
