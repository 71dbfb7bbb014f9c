"""What the surrogate believes after the last experiment: mean and std over two settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.report import words
from orchestrator.report.labels import quantity_label, quantity_name
from orchestrator.report.plots import BLUE, INK, Plot, Trace, hover
from orchestrator.report.searched import axis_of, important
from orchestrator.report.story import Story

if TYPE_CHECKING:
    from planners.bayesian.landscape import Landscape

FloatArray = NDArray[np.float64]

GRID = 40
"""Points along each setting."""

MOST_EXPERIMENTS = 300
"""Results up to which a surrogate is fitted for the page; more would make it slow to write."""

MOST_TARGETS = 3


def belief_plots(story: Story) -> tuple[list[Plot], str]:
    """Return mean and std for each target with how to read them, or why there is no plot."""
    if story.campaign is None:
        return [], "There is no landscape, because the campaign file cannot be understood."
    if len(story.good) > MOST_EXPERIMENTS:
        return [], (
            f"There is no landscape: fitting a surrogate to {len(story.good)} results takes too "
            f"long for a page; it is drawn for up to {MOST_EXPERIMENTS}."
        )
    names = _names(story)
    plots: list[Plot] = []
    for target in story.campaign.objective.targets[:MOST_TARGETS]:
        found = _landscape(story, names, target.quantity)
        if found is not None:
            plots += _plots(story, found)
    if not plots:
        return [], "There is no landscape: the results so far do not allow a surrogate model."
    return plots, _explained(story, names)


def _names(story: Story) -> tuple[str, ...]:
    """Return the one or two settings that matter most, no two of them from one mixture."""
    assert story.campaign is not None
    space = story.campaign.space
    chosen: list[str] = []
    for name in important(story):
        if all(space.parameter(name) != space.parameter(other) for other in chosen):
            chosen.append(name)
    return tuple(chosen[:2])


def _landscape(story: Story, names: tuple[str, ...], quantity: str) -> Landscape | None:
    assert story.campaign is not None
    if len(story.good) < 2:
        return None
    # The surrogate brings torch, which a page without results need not wait for.
    from planners.bayesian.landscape import landscape

    return landscape(
        story.campaign.space,
        story.campaign.objective,
        [o for _, o in story.done],
        names=names,
        grid=GRID,
        quantity=quantity,
        rng=np.random.default_rng([story.record.seed, len(story.done)]),
    )


def _plots(story: Story, found: Landscape) -> list[Plot]:
    if len(found.names) == 1:
        return [_line(story, found)]
    return [
        _map(story, found, "mean", found.mean, "Viridis"),
        _map(story, found, "std", found.std, "Cividis"),
    ]


def _map(story: Story, found: Landscape, what: str, values: FloatArray, colours: str) -> Plot:
    first, second = found.names
    unit = story.units.get(found.quantity, "")
    name = f"predicted {quantity_name(found.quantity)}"
    heat: Trace = {
        "type": "heatmap",
        "x": [_coordinate(v) for v in found.axes[0]],
        "y": [_coordinate(v) for v in found.axes[1]],
        "z": _numbers(values.T),
        "colorscale": colours,
        "colorbar": {
            "title": {"text": words.shown(quantity_label(what, unit)), "side": "right"},
            "thickness": 12,
        },
        "hovertemplate": f"%{{x:.4g}}, %{{y:.4g}}: %{{z:.4g}}<extra>{what}</extra>",
    }
    slug = story.quantities.index(found.quantity)
    return Plot(
        name=f"landscape-{slug}-{what}",
        label=f"{name}, {what}, over {words.plain(first)} and {words.plain(second)}",
        traces=[heat, _tried(story, first, second)],
        layout={
            "title": {
                "text": words.shown(f"{name}: {what}"),
                "font": {"size": 14},
                "x": 0.02,
                "xanchor": "left",
            },
            "xaxis": {**axis_of(story, first), **_extent(story, first, found.axes[0])},
            "yaxis": {**axis_of(story, second), **_extent(story, second, found.axes[1])},
            "showlegend": False,
        },
        height=400,
    )


def _line(story: Story, found: Landscape) -> Plot:
    (name,) = found.names
    x = [_coordinate(v) for v in found.axes[0]]
    band = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "x": x}
    return Plot(
        name=f"landscape-{story.quantities.index(found.quantity)}-mean",
        label=f"predicted {quantity_name(found.quantity)} against {words.plain(name)}",
        traces=[
            {**band, "y": _numbers(found.mean - found.std), "showlegend": False},
            {
                **band,
                "y": _numbers(found.mean + found.std),
                "fill": "tonexty",
                "fillcolor": "rgba(0, 114, 178, 0.2)",
                "name": "± std",
            },
            {**band, "y": _numbers(found.mean), "line": {"color": BLUE}, "name": "mean"},
            _tried(story, name, found.quantity),
        ],
        layout={
            "xaxis": axis_of(story, name),
            "yaxis": axis_of(story, found.quantity),
        },
    )


def _tried(story: Story, first: str, second: str) -> Trace:
    points = [(n, o) for n, o in story.good if first in o.values]
    sizes = [11 if n == story.best else 7 for n, _ in points]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "experiments",
        "x": [_coordinate(o.values[first]) for _, o in points],
        "y": [_coordinate(o.values.get(second, o.outcomes.get(second))) for _, o in points],
        "marker": {
            "color": "white",
            "size": sizes,
            "opacity": 1,
            "line": {"color": INK, "width": 1.2},
        },
        "text": [hover(story, n, o) for n, o in points],
        "hoverinfo": "text",
    }


def _explained(story: Story, names: tuple[str, ...]) -> str:
    """Return how the landscape is to be read; what does not vary stands at the best experiment."""
    assert story.campaign is not None
    dots = "White dots are experiments"
    dots += ", the large one the best." if story.best is not None else "."
    fixed = [words.plain(name) for name in story.settings if name not in names]
    which = "experiment of the highest utility" if story.is_front else "best experiment"
    held = f" {', '.join(fixed).capitalize()} as in the {which}." if fixed else ""
    return (
        "A Gaussian process fitted to all results, along the settings that matter most. Where the "
        f"std is large, nobody has looked yet. {dots}{held}"
    )


def _extent(story: Story, name: str, axis: NDArray[np.float64] | NDArray[np.str_]) -> Trace:
    """Return the range of an axis that ends where the landscape does; none where it has steps."""
    kind = axis_of(story, name)["type"]
    if axis.dtype.kind not in "fiu" or len(axis) < GRID:
        return {}
    ends = np.asarray(axis[[0, -1]], dtype=np.float64)
    return {"range": [float(v) for v in (np.log10(ends) if kind == "log" else ends)]}


def _coordinate(value: Any) -> Any:
    return words.shown(str(value)) if isinstance(value, str) else float(value)


def _numbers(values: FloatArray) -> list[Any]:
    """Return nested lists with None where there is no number."""
    blank = np.full(values.shape, None, dtype=object)
    known = np.isfinite(values)
    blank[known] = values[known]
    nested: list[Any] = blank.tolist()
    return nested
