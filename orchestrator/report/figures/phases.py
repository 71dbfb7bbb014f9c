"""What the samples consisted of, experiment by experiment."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.ticker import MaxNLocator

from analysis.insight import Estimate
from orchestrator.report.figures.canvas import SERIES, Picture, as_png, new_figure, tidy

_MARKERS = "osD^vP*X"


def phase_fractions(fractions: Mapping[int, Mapping[str, Estimate]], *, title: str) -> Picture:
    """Draw the fraction of each phase with its ± std against the number of the experiment.

    A phase that was found nowhere is left out.

    Parameters
    ----------
    fractions : experiment → phase → fraction.
    """
    every = dict.fromkeys(phase for found in fractions.values() for phase in found)
    phases = [p for p in every if any(f[p].value > 0 for f in fractions.values() if p in f)]
    figure = new_figure(7.6, 3.4)
    axes = figure.add_axes((0.11, 0.15, 0.875, 0.74))
    for i, phase in enumerate(phases):
        numbers = [n for n, found in fractions.items() if phase in found]
        estimates = [fractions[n][phase] for n in numbers]
        axes.errorbar(
            numbers,
            [e.value for e in estimates],
            yerr=[e.std or 0.0 for e in estimates],
            fmt=_MARKERS[i % len(_MARKERS)],
            color=SERIES[i % len(SERIES)],
            markersize=4.5,
            elinewidth=1.0,
            capsize=2,
            label=phase,
        )
    unit = next((e.unit for found in fractions.values() for e in found.values() if e.unit), "")
    axes.set_ylabel(f"fraction ({unit})" if unit not in ("", "1") else "fraction")
    axes.set_xlabel("experiment")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(title, fontsize=10, loc="left")
    if phases:
        axes.legend(fontsize=8, frameon=False, ncols=4)
    tidy(axes)
    return as_png(figure, title)
