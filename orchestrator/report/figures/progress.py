"""How the wanted quantities developed from experiment to experiment."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from orchestrator.report.figures.canvas import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    RED,
    Picture,
    as_png,
    new_figure,
    tidy,
)
from orchestrator.report.labels import quantity_label
from planners.objective import Objective, Target
from planners.proposal import Observation

Numbered = Sequence[tuple[int, Observation]]

_MOST_PANELS = 4


def progress(observations: Numbered, objective: Objective, *, title: str) -> Picture:
    """Draw each wanted quantity with its ± std against the number of the experiment.

    The step line follows the best experiment so far (over all targets together, constraints
    met); crosses at the lower edge are experiments that failed or did not tell
    this quantity.
    """
    targets = objective.targets[:_MOST_PANELS]
    figure = new_figure(7.6, 1.1 + 2.2 * len(targets))
    best = best_so_far(observations, objective)
    margin = 0.55 / figure.get_figheight()
    grid = figure.add_gridspec(
        len(targets), 1, hspace=0.12, left=0.11, right=0.985, top=1 - margin, bottom=margin
    )
    axes: Axes | None = None
    for row, target in enumerate(targets):
        axes = figure.add_subplot(grid[row], sharex=axes)
        _draw_target(axes, observations, target, best)
        if row < len(targets) - 1:
            axes.tick_params(labelbottom=False)
        else:
            axes.set_xlabel("experiment")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.axes[0].set_title(title, fontsize=10, loc="left")
    figure.align_ylabels()
    return as_png(figure, title)


def best_so_far(observations: Numbered, objective: Objective) -> list[int | None]:
    """Return, after each experiment, the index of the best one so far; None before the first."""
    best: int | None = None
    highest: tuple[bool, bool, float] | None = None
    course: list[int | None] = []
    for i, (_, observation) in enumerate(observations):
        complete = objective.is_complete(observation.outcomes)
        if complete and objective.is_feasible(observation.outcomes):
            rank = objective.rank(observation.outcomes)
            if highest is None or rank > highest:
                best, highest = i, rank
        course.append(best)
    return course


def _draw_target(
    axes: Axes, observations: Numbered, target: Target, best: Sequence[int | None]
) -> None:
    quantity = target.quantity
    known = [(n, o) for n, o in observations if quantity in o.outcomes]
    _draw_goal(axes, target)
    sure = [(n, o) for n, o in known if quantity in o.stds]
    unsure = [(n, o) for n, o in known if quantity not in o.stds]
    if sure:
        axes.errorbar(
            [n for n, _ in sure],
            [o.outcomes[quantity] for _, o in sure],
            yerr=[o.stds[quantity] for _, o in sure],
            fmt="o",
            color=BLUE,
            markersize=4.5,
            elinewidth=1.1,
            capsize=2,
            label="measured ± std",
        )
    if unsure:
        axes.plot(
            [n for n, _ in unsure],
            [o.outcomes[quantity] for _, o in unsure],
            "o",
            color=BLUE,
            markersize=4.5,
            markerfacecolor="white",
            label="measured, std unknown",
        )
    course = [
        (observations[i][0], observations[b][1].outcomes[quantity])
        for i, b in enumerate(best)
        if b is not None
    ]
    if course:
        axes.step(*zip(*course, strict=True), where="post", color=ORANGE, label="best so far")
    failed = [n for n, o in observations if quantity not in o.outcomes]
    if failed:
        edge = axes.get_xaxis_transform()
        axes.plot(failed, [0.04] * len(failed), "x", color=RED, transform=edge, label="no value")
    axes.set_ylabel(quantity_label(quantity, target.unit))
    axes.legend(fontsize=8, frameon=False, ncols=4, loc="best")
    tidy(axes)


def _draw_goal(axes: Axes, target: Target) -> None:
    """Shade what satisfies the target, or draw its level."""
    if target.value is None:
        return
    if target.goal == "match" and target.tolerance:
        low, high = target.value - target.tolerance, target.value + target.tolerance
        axes.axhspan(low, high, color=GREEN, alpha=0.18, linewidth=0, label="target")
    axes.axhline(target.value, color=INK if target.goal != "match" else GREEN, linewidth=0.8)
