"""Reliability diagram: how often came true what was said to be so likely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from orchestrator.report.figures.canvas import GREY, SERIES, as_file, new_figure, tidy

Row = tuple[float, float, int]


def reliability_figure(
    tables: Mapping[str, Sequence[Row]],
    *,
    format: str = "png",  # noqa: A002
    title: str = "",
) -> bytes:
    """Return a panel a question: frequency against stated probability, with counts.

    After Murphy & Winkler (1977), doi:10.2307/2346866. Bars are ± one standard deviation of the
    binomial share (n + 2 trials, one success and one failure added, so that none is 0).

    Parameters
    ----------
    tables : question → (stated probability, frequency, number) of each bin.
    """
    figure = new_figure(3.6 * max(len(tables), 1) + 0.4, 3.8)
    panels = figure.subplots(1, max(len(tables), 1), squeeze=False)[0]
    figure.subplots_adjust(left=0.11, right=0.98, top=0.84, bottom=0.14, wspace=0.28)
    for axes, (question, rows), colour in zip(panels, tables.items(), SERIES, strict=False):
        stated, frequency, n = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
        share = (frequency * n + 1) / (n + 2)
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--")
        axes.errorbar(
            stated,
            frequency,
            yerr=np.sqrt(share * (1 - share) / (n + 2)),
            fmt="o-",
            color=colour,
            linewidth=1.0,
            markersize=5,
            capsize=2,
        )
        for x, y, count in zip(stated, frequency, n, strict=True):
            axes.annotate(
                f"{count:.0f}", (x, y), (6, -9), textcoords="offset points", fontsize=7, color=GREY
            )
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.03)
        axes.set_aspect("equal")
        axes.set_xlabel("stated probability")
        axes.set_title(question, fontsize=9, loc="left")
        tidy(axes)
    panels[0].set_ylabel("came true")
    figure.suptitle(title, fontsize=10, x=0.11, ha="left")
    return as_file(figure, format)
