"""Phases of a composition spread: a ternary map of each, and their patterns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from orchestrator.report.figures.canvas import GREY, INK, SERIES, as_file, new_figure, tidy
from orchestrator.report.labels import axis_label

FloatArray = NDArray[np.float64]

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
"""Of the composition triangle, in the plane."""

_PANEL, _ACROSS = 2.1, 4
"""Width [inch] of a map, and how many stand side by side at most."""


def phase_map_figure(
    composition: FloatArray,
    fractions: FloatArray,
    *,
    corners: Sequence[str],
    names: Sequence[str] = (),
    format: str = "png",  # noqa: A002
) -> bytes:
    """Return a figure with a ternary map of every phase's fraction.

    Parameters
    ----------
    composition : (n_samples, 3) shares of the three components, rows sum to a positive number.
    fractions : (n_samples, n_phases), 0 … 1.
    corners : names of the three components.
    names : of the phases; ``phase 1`` … if there are none.

    Raises
    ------
    ValueError
        There are not three components, or the tables differ in length.
    """
    if composition.shape != (len(fractions), 3) or len(corners) != 3:
        raise ValueError(
            f"composition {composition.shape} with {len(corners)} names and {len(fractions)} rows "
            "of fractions; a row of three shares a sample, and three names, were expected"
        )
    n_phases = fractions.shape[1]
    titles = names or [f"phase {k + 1}" for k in range(n_phases)]
    across = min(n_phases, _ACROSS)
    down = -(-n_phases // across)
    figure = new_figure(_PANEL * across + 0.9, _PANEL * down + 0.3)
    figure.set_layout_engine("constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    at = composition / composition.sum(axis=1, keepdims=True) @ CORNERS
    for panel in panels:
        panel.set_axis_off()
    for panel, title, column in zip(panels, titles, fractions.T, strict=False):
        _triangle(panel, corners)
        order = np.argsort(column)
        drawn = panel.scatter(
            *at[order].T, c=column[order], s=9, vmin=0, vmax=1, cmap="YlGnBu", ec=GREY, lw=0.2
        )
        panel.set_title(title, fontsize=10, pad=10)
    bar = figure.colorbar(drawn, ax=panels.tolist(), fraction=0.03, aspect=30)
    bar.set_label("share of the highest peaks")
    return as_file(figure, format)


def phase_patterns_figure(
    x: FloatArray,
    patterns: FloatArray,
    *,
    x_name: str,
    x_unit: str,
    names: Sequence[str] = (),
    format: str = "png",  # noqa: A002
) -> bytes:
    """Return a figure with each phase's pattern above the last, all of one height.

    Parameters
    ----------
    x : (n_points,) axis.
    patterns : (n_phases, n_points), at least 0, none all 0.
    names : of the phases; ``phase 1`` … if there are none.
    """
    figure = new_figure(7.0, 0.6 + 0.7 * len(patterns))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    for k, pattern in enumerate(patterns):
        base = -1.15 * k
        axes.plot(x, base + pattern / pattern.max(), color=SERIES[k % len(SERIES)], linewidth=0.9)
        name = names[k] if names else f"phase {k + 1}"
        axes.text(0.995, base + 0.6, name, transform=axes.get_yaxis_transform(), ha="right")
    axes.set_yticks([])
    axes.set_xlim(x[0], x[-1])
    axes.set_xlabel(axis_label(x_name, x_unit))
    axes.set_ylabel("intensity, each to its highest peak")
    tidy(axes)
    return as_file(figure, format)


def _triangle(panel: Axes, corners: Sequence[str]) -> None:
    panel.plot(*CORNERS[[0, 1, 2, 0]].T, color=GREY, linewidth=0.8)
    sides = (("right", "top"), ("left", "top"), ("center", "bottom"))
    for corner, name, (across, down) in zip(CORNERS, corners, sides, strict=True):
        lifted = corner + np.array([0.0, 0.03 if down == "bottom" else -0.03])
        panel.text(lifted[0], lifted[1], name, ha=across, va=down, color=INK, fontsize=9)
    panel.set_aspect("equal")
    panel.margins(0.12)
