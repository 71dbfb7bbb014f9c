"""What the planner believes: mean and uncertainty over two parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from orchestrator.report.figures.canvas import INK, RED, Picture, as_png, new_figure
from orchestrator.report.labels import axis_label, quantity_name
from planners.proposal import Observation

FloatArray = NDArray[np.float64]


class Map(Protocol):
    """A quantity predicted on a grid over two parameters.

    Attributes
    ----------
    names : the two parameters.
    axes : (n_first,) and (n_second,) values of each.
    mean, std : (n_first, n_second) prediction.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The two parameters."""
        ...

    @property
    def axes(self) -> tuple[NDArray[Any], ...]:
        """Grid values of each parameter."""
        ...

    @property
    def mean(self) -> FloatArray:
        """Predicted mean."""
        ...

    @property
    def std(self) -> FloatArray:
        """Predicted standard deviation."""
        ...

    @property
    def quantity(self) -> str:
        """What is predicted."""
        ...


def landscape(
    belief: Map,
    observations: Sequence[tuple[int, Observation]],
    *,
    units: tuple[str, str],
    title: str,
) -> Picture:
    """Draw mean and std side by side, with the experiments on top.

    White dots are experiments with a result, the ringed one is the latest, crosses failed.

    Parameters
    ----------
    units : of the two parameters.
    """
    figure = new_figure(7.6, 3.5)
    left, right = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.09, right=0.975, top=0.85, bottom=0.15, wspace=0.12)
    name = quantity_name(belief.quantity)
    _draw(figure, left, belief, belief.mean, "viridis", f"{name}: mean")
    _draw(figure, right, belief, belief.std, "cividis", f"{name}: std")
    for axes in (left, right):
        _draw_experiments(axes, belief, observations)
        axes.set_xlabel(axis_label(belief.names[0], units[0]))
    left.set_ylabel(axis_label(belief.names[1], units[1]))
    figure.suptitle(title, fontsize=10, x=0.02, ha="left")
    return as_png(figure, title, shades=True)


def _draw(
    figure: Figure, axes: Axes, belief: Map, values: FloatArray, colours: str, label: str
) -> None:
    x, y = belief.axes
    mesh = axes.pcolormesh(x, y, values.T, cmap=colours, shading="nearest", rasterized=True)
    bar = figure.colorbar(mesh, ax=axes, pad=0.02)
    bar.ax.tick_params(labelsize=8)
    axes.set_title(label, fontsize=9, loc="left")
    axes.tick_params(labelsize=9)
    axes.set_xlim(float(x.min()), float(x.max()))
    axes.set_ylim(float(y.min()), float(y.max()))


def _draw_experiments(
    axes: Axes, belief: Map, observations: Sequence[tuple[int, Observation]]
) -> None:
    first, second = belief.names
    points = [
        (float(o.values[first]), float(o.values[second]), o.failed)
        for _, o in observations
        if first in o.values and second in o.values
    ]
    good = [(x, y) for x, y, failed in points if not failed]
    bad = [(x, y) for x, y, failed in points if failed]
    if good:
        axes.plot(*zip(*good, strict=True), "o", color="white", markeredgecolor=INK, markersize=5)
    if bad:
        axes.plot(*zip(*bad, strict=True), "x", color=RED, markersize=6, markeredgewidth=1.8)
    if points:
        axes.plot(
            points[-1][0], points[-1][1], "o", markerfacecolor="none", markeredgecolor=RED,
            markersize=11, markeredgewidth=1.6,
        )  # fmt: skip
