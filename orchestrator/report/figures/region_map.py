"""The map of phases that a campaign made: regions, how doubtful they are, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from orchestrator.report.figures.canvas import GREY, INK, SERIES, Picture, as_png, new_figure, tidy
from orchestrator.report.figures.phase_map import CORNERS

FloatArray = NDArray[np.float64]

MOST_NAMED = len(SERIES)
"""Regions with a colour of their own, those that take most space; the others are grey."""

PALEST = 0.25
"""How much colour a point of no certainty keeps."""


@dataclass(frozen=True, slots=True, eq=False)
class RegionPlaces:
    """Points of a map, in the plane of the paper.

    Attributes
    ----------
    at : (n_points, 2); of three components, their shares turned into places of a triangle.
    made, coming : (n, 2) where was measured, and where would be measured next, first of all first.
    axes : labels of both axes, or names of three corners.
    """

    at: FloatArray
    made: FloatArray
    coming: FloatArray
    axes: tuple[str, ...]


def region_map_figure(
    places: RegionPlaces,
    *,
    names: Sequence[str],
    index: NDArray[np.int64],
    sure: FloatArray,
    doubt: FloatArray,
    title: str,
) -> Picture:
    """Return a picture with the likeliest regions on the left and their doubt on the right.

    Parameters
    ----------
    names : of the regions, the largest first.
    index, sure, doubt : (n_points,) the region of each point, how probable it is, and its doubt.
    title : alternative text.
    """
    figure = new_figure(9.4, 4.4)
    figure.set_layout_engine("constrained")
    left, right = figure.subplots(1, 2)
    size = float(np.clip(9000 / len(places.at), 8, 60))
    left.scatter(*places.at.T, c=_colours(index, sure), s=size, lw=0)
    left.scatter(*places.made.T, s=16, fc="none", ec=INK, lw=0.9)
    left.set_title("likeliest region; paler where it is less sure", fontsize=10, pad=12)
    drawn = right.scatter(*places.at.T, c=doubt, s=size, lw=0, cmap="cividis", vmin=0)
    right.scatter(*places.made.T, s=16, fc="none", ec="white", lw=0.9)
    right.set_title("doubt, and what would be measured next", fontsize=10, pad=12)
    for number, place in enumerate(places.coming, start=1):
        right.scatter(*place, s=150, marker="*", fc="white", ec=INK, lw=1.1)
        right.annotate(
            str(number),
            place,
            xytext=(7, 6),
            textcoords="offset points",
            fontsize=10,
            fontweight="bold",
            color=INK,
        )
    figure.colorbar(drawn, ax=right, fraction=0.04, label="Σ p (1 − p)")
    for panel in (left, right):
        _frame(panel, places.axes)
    _named(figure, names)
    return as_png(figure, title, shades=True)


def in_triangle(shares: FloatArray) -> FloatArray:
    """Return places in the plane of rows of three shares, (n, 2)."""
    return np.asarray(shares / shares.sum(axis=1, keepdims=True) @ CORNERS)


def _colours(index: NDArray[np.int64], sure: FloatArray) -> FloatArray:
    full = np.array([to_rgb(c) for c in SERIES] + [to_rgb(GREY)])[np.minimum(index, MOST_NAMED)]
    kept = (PALEST + (1 - PALEST) * np.clip(sure, 0, 1))[:, None]
    return np.asarray(kept * full + (1 - kept))


def _named(figure: Figure, names: Sequence[str]) -> None:
    entries = [
        Line2D([], [], marker="o", ls="", color=SERIES[k], label=name)
        for k, name in enumerate(names[:MOST_NAMED])
    ]
    if len(names) > MOST_NAMED:
        entries.append(Line2D([], [], marker="o", ls="", color=GREY, label="others"))
    entries.append(Line2D([], [], marker="o", ls="", mfc="none", color=INK, label="measured"))
    figure.legend(handles=entries, loc="outside lower center", ncols=5, frameon=False, fontsize=9)


def _frame(panel: Axes, axes: tuple[str, ...]) -> None:
    if len(axes) == 2:
        panel.set_xlabel(axes[0])
        panel.set_ylabel(axes[1])
        tidy(panel)
        return
    panel.set_axis_off()
    panel.plot(*CORNERS[[0, 1, 2, 0]].T, color=GREY, linewidth=0.8)
    aligned = (("right", "top", -0.03), ("left", "top", -0.03), ("center", "bottom", 0.03))
    for corner, name, (across, down, lift) in zip(CORNERS, axes, aligned, strict=True):
        panel.text(corner[0], corner[1] + lift, name, ha=across, va=down, color=INK, fontsize=9)
    panel.set_aspect("equal")
    panel.margins(0.12)
