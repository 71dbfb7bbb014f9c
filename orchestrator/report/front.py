"""The front of a campaign that trades targets against each other: plots, and its size in words."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np

from orchestrator.fronts import Array, Front, front_of
from orchestrator.report import words
from orchestrator.report.labels import quantity_name, unit_text
from orchestrator.report.plots import BLUE, GREY, ORANGE, Plot, Trace, hover, title
from orchestrator.report.story import Story
from planners.objective import Objective, Target
from planners.proposal import Observation

MOST_PAIRS = 6
"""Pairs of targets that are drawn; four targets have six."""


def front_plots(story: Story) -> list[Plot]:
    """Return each pair of targets with the front marked, then the hypervolume in time."""
    objective = story.objective
    found = None if objective is None else front_of(objective, [o for _, o in story.done])
    if objective is None or found is None:
        return []
    pairs = list(combinations(range(len(objective.targets)), 2))[:MOST_PAIRS]
    plots = [_pair(story, found, first, second) for first, second in pairs]
    return [*plots, _volume(story, objective, found)]


def size_in_words(objective: Objective, front: Front) -> str:
    """Return how much of the space a front dominates, with the points it is measured between."""
    worst, best = (_point(objective, gains) for gains in (front.reference, front.ideal))
    between = f"between the worst value of each target ({worst}) and the best ({best})"
    if front.share is None:
        return f"Nothing lies {between}, so the front has no size yet."
    units = [unit_text(t.unit) for t in objective.targets if unit_text(t.unit)]
    scales = np.prod([_scale(t) for t in objective.targets])
    volume = words.number(float(front.course[-1] * scales))
    unit = f" {'·'.join(units)}" if units else ""
    return (
        f"The front dominates {words.percent(front.share)} of the box {between}: hypervolume "
        f"{volume}{unit}."
    )


def _point(objective: Objective, gains: Array) -> str:
    return ", ".join(
        f"{quantity_name(t.quantity)} {_far(t)}{words.number(_shown(t, float(gain)))}"
        f"{words.spaced(t.unit)}"
        for t, gain in zip(objective.targets, gains, strict=True)
    )


def _far(target: Target) -> str:
    return "off by " if target.goal == "match" else ""


def _scale(target: Target) -> float:
    return target.scale or target.tolerance or 1.0


def _shown(target: Target, gain: float) -> float:
    """Return the value that has a gain: of the quantity, or its distance from the wanted value."""
    sign = 1.0 if target.goal == "maximize" else -1.0
    return sign * gain * _scale(target) + 0.0


def _value(target: Target, observation: Observation) -> float:
    return _shown(target, target.utility(observation.outcomes[target.quantity]))


def _axis(story: Story, target: Target) -> dict[str, object]:
    name, unit = quantity_name(target.quantity), story.units.get(target.quantity, "")
    if target.goal == "match":
        name = f"distance of {name} from {words.number(target.value or 0.0)}"
    aim = "→" if target.goal == "maximize" else "←"
    shown = title(name, unit)
    return {"title": {**shown, "text": f"{shown['text']}, better {aim}"}}


def _pair(story: Story, front: Front, first: int, second: int) -> Plot:
    objective = story.objective
    assert objective is not None
    across, up = objective.targets[first], objective.targets[second]
    members = set(front.members)
    behind = [i for i in front.counted if i not in members]
    useless = [
        i
        for i, (_, o) in enumerate(story.done)
        if objective.is_complete(o.outcomes) and not objective.is_feasible(o.outcomes)
    ]
    marks = [
        ("breaks a constraint", useless, {"color": GREY, "symbol": "circle-open"}),
        ("beaten", behind, {"color": BLUE, "symbol": "circle"}),
        ("on the front", list(front.members), {"color": ORANGE, "symbol": "diamond"}),
    ]
    traces = [_points(story, across, up, name, where, mark) for name, where, mark in marks if where]
    alone = len(objective.targets) == 2
    caption = "What is on the front may look beaten here: it is better in another target."
    if alone:
        traces.insert(0, _steps(front, across, up))
        caption = (
            "The line bounds what the front beats. Noise makes lucky experiments look better than "
            "they are."
        )
    return Plot(
        name=f"front-{first}-{second}",
        label=f"{quantity_name(up.quantity)} against {quantity_name(across.quantity)}, with the "
        "experiments on the front marked",
        traces=traces,
        layout={"xaxis": _axis(story, across), "yaxis": _axis(story, up)},
        caption=caption,
        height=440,
    )


def _points(
    story: Story, across: Target, up: Target, name: str, where: list[int], mark: dict[str, str]
) -> Trace:
    points = [story.done[i] for i in where]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [_value(across, o) for _, o in points],
        "y": [_value(up, o) for _, o in points],
        "error_x": _bars(across, points),
        "error_y": _bars(up, points),
        "marker": {"size": 9, **mark},
        "text": [hover(story, n, o) for n, o in points],
        "hoverinfo": "text",
    }


def _bars(target: Target, points: list[tuple[int, Observation]]) -> dict[str, object]:
    stds = [o.stds.get(target.quantity) or 0.0 for _, o in points]
    return {"type": "data", "array": stds, "thickness": 1, "width": 0, "visible": any(stds)}


def _steps(front: Front, across: Target, up: Target) -> Trace:
    """Return the staircase that bounds what the front of two targets beats."""
    rows = dict(zip(front.counted, front.gains, strict=True))
    corners = sorted((tuple(rows[i]) for i in front.members), reverse=True)
    worst_x, worst_y = front.reference
    edge = [(corners[0][0], worst_y), corners[0]]
    for (_, low), (left, high) in pairwise(corners):
        edge += [(left, low), (left, high)]
    edge.append((worst_x, corners[-1][1]))
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "front",
        "x": [_shown(across, x) for x, _ in edge],
        "y": [_shown(up, y) for _, y in edge],
        "line": {"color": ORANGE, "width": 2},
        "hoverinfo": "skip",
    }


def _volume(story: Story, objective: Objective, front: Front) -> Plot:
    box = front.box if front.box > 0 else 1.0
    return Plot(
        name="hypervolume",
        label="share of the space that the front dominates, against the number of the experiment",
        traces=[
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": "hypervolume",
                "x": [story.done[i][0] for i in front.counted],
                "y": [float(v) / box for v in front.course],
                "line": {"color": ORANGE, "width": 2, "shape": "hv"},
                "marker": {"size": 5},
            }
        ],
        layout={
            "xaxis": {"title": title("experiment"), "tickformat": "d"},
            "yaxis": {"title": title("hypervolume, share of the box"), "rangemode": "tozero"},
        },
        caption=size_in_words(objective, front),
    )
