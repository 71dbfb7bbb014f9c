"""Why an answer was given: what each part of what was read adds to its probability."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from analysis.insight import Curve
from orchestrator.report.figures.canvas import BLUE, GREY, INK, ORANGE, as_file, new_figure, tidy

AVERAGE = "average"
MOST_BARS = 8
"""Parts drawn one by one at most; the others are put together."""


def attribution_figure(
    curve: Curve,
    probabilities: Mapping[str, float],
    *,
    format: str = "png",  # noqa: A002
    title: str = "",
) -> bytes:
    """Return a figure of the way from the average to the two most probable answers.

    Parameters
    ----------
    curve : a point an answer; the column ``average``, and one for what each part adds to it.
    probabilities : answer → probability, in the order of the curve's points.

    Raises
    ------
    KeyError
        There is no column ``average``.
    ValueError
        There are not as many answers as points.
    """
    if len(probabilities) != len(curve.x):
        raise ValueError(f"{len(probabilities)} answers for {len(curve.x)} points of attribution")
    answers = list(probabilities)
    first = sorted(answers, key=lambda answer: -probabilities[answer])[:2]
    figure = new_figure(7.6, 1.1 + 0.36 * min(len(curve.columns), MOST_BARS + 1))
    parts = _largest(curve, [answers.index(answer) for answer in first])
    panels = figure.subplots(1, len(first), sharey=True, squeeze=False)[0]
    inch = 1 / figure.get_figheight()
    figure.subplots_adjust(
        left=0.4, right=0.98, top=1 - 0.62 * inch, bottom=0.5 * inch, wspace=0.08
    )
    for axes, answer in zip(panels, first, strict=True):
        place = answers.index(answer)
        steps = {part: float(values[place]) for part, values in parts.items()}
        _waterfall(axes, float(curve.columns[AVERAGE][place]), steps)
        axes.set_title(f"{answer} {probabilities[answer]:.2f}", fontsize=9, loc="left")
        axes.set_xlabel("probability (dotted: average)", fontsize=9)
    panels[0].set_ylim(len(parts) - 0.4, -0.6)
    figure.suptitle(title, fontsize=10, x=0.02, ha="left")
    return as_file(figure, format)


def _largest(curve: Curve, places: list[int]) -> dict[str, np.ndarray]:
    """Return the parts that add most to some answers, and the sum of the others."""
    parts = {name: values for name, values in curve.columns.items() if name != AVERAGE}
    order = sorted(parts, key=lambda name: -float(np.abs(parts[name][places]).max()))
    found = {name: parts[name] for name in order[:MOST_BARS]}
    if order[MOST_BARS:]:
        found["all others"] = np.sum([parts[name] for name in order[MOST_BARS:]], axis=0)
    return found


def _waterfall(axes: Axes, average: float, steps: Mapping[str, float]) -> None:
    here = average
    for y, step in enumerate(steps.values()):
        axes.barh(y, step, left=here, height=0.6, color=BLUE if step >= 0 else ORANGE)
        axes.plot([here, here], [y - 0.7, y + 0.3], color=GREY, linewidth=0.6)
        here += step
    axes.axvline(average, color=INK, linestyle=":", linewidth=1)
    axes.axvline(here, color=INK, linewidth=1)
    axes.set_yticks(range(len(steps)), list(steps), fontsize=8)
    way = average + np.cumsum(list(steps.values()))  # may leave the range from 0 to 1 for a while
    axes.set_xlim(min(0.0, way.min()) - 0.03, max(1.0, way.max()) + 0.03)
    axes.set_xticks((0.0, 0.5, 1.0))
    tidy(axes)
