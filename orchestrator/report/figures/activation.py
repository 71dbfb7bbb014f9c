"""Where on a pattern a network looked for each phase that it named."""

from __future__ import annotations

from matplotlib.figure import Figure

from analysis.insight import Curve
from orchestrator.report.figures.canvas import INK, as_file, new_figure, tidy
from orchestrator.report.labels import axis_label

PREFIX = "activation."
_ROW, _MARGINS = 0.95, 0.85
"""Heights [inch] of a phase's row, and of title and axis together."""


def activation_figure(curve: Curve, *, format: str = "png", title: str = "") -> bytes:  # noqa: A002
    """Return a figure with a row a phase: the pattern, shaded where it spoke for the phase.

    Parameters
    ----------
    curve : with the columns ``observed`` and, between 0 and 1, ``activation.<phase>``.

    Raises
    ------
    KeyError
        There is no column ``observed``.
    ValueError
        There is no activation.
    """
    return as_file(_compose(curve, title), format)


def _compose(curve: Curve, title: str) -> Figure:
    heats = {k.removeprefix(PREFIX): v for k, v in curve.columns.items() if k.startswith(PREFIX)}
    if not heats:
        raise ValueError("the curve holds no activation of a phase")
    observed = curve.columns["observed"]
    figure = new_figure(7.6, _MARGINS + _ROW * len(heats))
    height = figure.get_size_inches()[1]
    rows = figure.subplots(len(heats), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    figure.subplots_adjust(
        left=0.11, right=0.985, top=1 - 0.35 / height, bottom=0.5 / height, hspace=0.12
    )
    low, high = float(observed.min()), float(observed.max())
    step = float(curve.x[1] - curve.x[0])
    span = (float(curve.x[0]) - step / 2, float(curve.x[-1]) + step / 2, low, high)
    for axes, (phase, heat) in zip(rows, heats.items(), strict=True):
        axes.imshow(
            heat[None], extent=span, aspect="auto", cmap="Oranges", vmin=0, vmax=1.4, origin="lower"
        )
        axes.plot(curve.x, observed, color=INK, linewidth=0.7)
        axes.set_title(phase, fontsize=9, loc="right", y=0.7, x=0.99)
        axes.set_yticks([])
        tidy(axes)
    rows[0].set_xlim(span[0], span[1])
    rows[0].set_ylim(low, high * 1.05)
    figure.supylabel(axis_label("intensity", curve.y_unit), fontsize=10, x=0.06)
    rows[-1].set_xlabel(axis_label(curve.x_name, curve.x_unit))
    rows[0].text(0.0, 1.12, title, transform=rows[0].transAxes, fontsize=10)
    return figure
