"""The map of phases that a campaign asked for, as its page shows it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.report.explained import stream, understood
from orchestrator.report.figures.canvas import Picture
from orchestrator.report.figures.region_map import RegionPlaces, in_triangle, region_map_figure
from orchestrator.report.labels import axis_label
from orchestrator.report.searched import important
from orchestrator.report.story import Story
from planners.encoding import Encoding
from planners.errors import PlanningError
from planners.mapping.charting import chart_of
from planners.mapping.maps import PhaseMap, doubt_of
from planners.mapping.planner import make
from planners.mapping.telling import Legend, legend_of
from planners.proposal import Observation
from planners.sampling import draw_uniform
from planners.space import Point, SearchSpace

logger = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]

MOST_POINTS = 1500
"""Points of the space that are drawn."""

N_COMING = 3
"""Measurements that are told as the next ones."""

WHOLE = 2e-3
"""Relative deviation of a sum of three settings from a constant, up to which they are a mixture."""

WIDE = 0.6
"""Share of a triangle's side over which every component must run for the triangle to be drawn; of
a corner of it two axes show more."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What the page tells of the map.

    Attributes
    ----------
    rows : region, share of the space, experiments in it, the best outcome there and its experiment.
    coming : where would be measured next, with the reason.
    about : how it is to be read.
    """

    picture: Picture | None
    rows: tuple[tuple[str, str, str, str], ...]
    coming: tuple[str, ...]
    about: str


def mapped(story: Story) -> Mapped | None:
    """Return the map of phases, None if the campaign asked for none."""
    if story.campaign is None or story.campaign.objective.phase_map is None:
        return None
    campaign, space = understood(story)
    wish = campaign.objective.phase_map
    assert wish is not None
    told = [o for _, o in story.done]
    encoding = Encoding(space)
    chart = chart_of(encoding, told, of=wish.of)
    if chart is None:
        return Mapped(None, (), (), "There is no map yet: what was read tells of no two regions.")
    points = _points(space, story)
    probabilities = chart.probabilities(encoding.encode(points))
    legend = legend_of(probabilities, chart)
    coming = _coming(story, space, told)
    picture = region_map_figure(
        _places(story, space, points, [p for p, _ in coming]),
        names=legend.names,
        index=legend.index,
        sure=legend.sure,
        doubt=doubt_of(probabilities),
        title=f"map of {len(legend.names)} regions from {chart.n_read} readings, with its doubt",
    )
    words = tuple(
        f"{number}. {_point(point)}: {reason}" for number, (point, reason) in enumerate(coming, 1)
    )
    return Mapped(picture, _rows(story, encoding, chart, legend), words, _about(chart, legend))


def _points(space: SearchSpace, story: Story) -> list[Point]:
    rng = stream(story, len(story.done))
    table = Encoding(space).table
    if table is None:
        return list(draw_uniform(space, MOST_POINTS, rng=rng))
    rows = np.arange(len(table))
    if len(rows) > MOST_POINTS:
        rows = rng.choice(rows, MOST_POINTS, replace=False)
    return [table.point(int(row)) for row in rows]


def _coming(story: Story, space: SearchSpace, told: list[Observation]) -> list[tuple[Point, str]]:
    """Return what the planner of maps would choose next, with its reasons; nothing if it cannot."""
    assert story.campaign is not None
    choice = story.campaign.planner
    settings = choice.settings if choice.use == "phase_map" else {}
    try:
        found = make({"seed": story.campaign.seed, **settings}).propose(
            space,
            story.campaign.objective,
            observations=told,
            n=N_COMING,
            rng=stream(story, len(told)),
        )
    except PlanningError as error:
        logger.info("nothing is told of what comes next: %s", error)
        return []
    return [(p.values, p.reason.text) for p in found]


def _places(
    story: Story, space: SearchSpace, points: list[Point], coming: list[Point]
) -> RegionPlaces:
    names = list(space.names)
    made: list[Point] = [o.values for _, o in story.good]
    if len(names) == 3 and _is_triangle(_table(points, names)):
        at, done, next_ = (in_triangle(_table(some, names)) for some in (points, made, coming))
        return RegionPlaces(at, done, next_, (names[0], names[1], names[2]))
    numeric = [n for n in important(story) if all(not isinstance(p[n], str) for p in points)]
    shown = (numeric * 2)[:2]
    at, done, next_ = (_table(some, shown) for some in (points, made, coming))
    labels = tuple(axis_label(n, story.units.get(n, "")) for n in shown)
    return RegionPlaces(at, done, next_, labels)


def _is_triangle(table: FloatArray) -> bool:
    """Return whether three columns are a mixture that fills much of its triangle."""
    total = table.sum(axis=1)
    whole = abs(float(total.mean()))
    spans = float(np.ptp(table, axis=0).min())
    return bool(np.ptp(total) <= WHOLE * whole and spans >= WIDE * whole)


def _table(points: list[Point], names: list[str]) -> FloatArray:
    return np.array([[float(p[n]) for n in names] for p in points]).reshape(-1, len(names))


def _rows(
    story: Story, encoding: Encoding, chart: PhaseMap, legend: Legend
) -> tuple[tuple[str, str, str, str], ...]:
    values = [o.values for _, o in story.good]
    at = legend_of(chart.probabilities(encoding.encode(values)), chart)
    inside = [at.names[k] for k in at.index]
    found = []
    for name, takes in zip(legend.names, legend.takes, strict=True):
        here = [n for (n, _), region in zip(story.good, inside, strict=True) if region == name]
        found.append((name, f"{takes:.0%}", str(len(here)), _best_of(story, here)))
    return tuple(found)


def _best_of(story: Story, numbers: list[int]) -> str:
    assert story.campaign is not None
    objective = story.campaign.objective
    known = {n: o for n, o in story.good if n in numbers and objective.is_complete(o.outcomes)}
    if not known:
        return "–"
    best = max(known, key=lambda n: objective.rank(known[n].outcomes))
    told = ", ".join(f"{known[best].outcomes[t.quantity]:.4g}" for t in objective.targets)
    return f"{told} (experiment {best})"


def _about(chart: PhaseMap, legend: Legend) -> str:
    kind = "regions, which exclude one another" if chart.exclusive else "phases, alone or together"
    doubtful = f"; {chart.doubted} of them are likelier wrong than right" if chart.doubted else ""
    return (
        f"{len(chart.names)} {kind}, told from {chart.n_read} readings{doubtful}. Over the space "
        f"what is drawn is right with a probability of {float(legend.sure.mean()):.2f} on average. "
        "Stars are what would be measured next, for the map or for the property."
    )


def _point(point: Point) -> str:
    return ", ".join(
        f"{n} = {v if isinstance(v, str) else format(v, '.4g')}" for n, v in point.items()
    )
