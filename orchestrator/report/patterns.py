"""Measured curves with their fits, as many as fit into a page that can be mailed."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.insight import Curve
from orchestrator.errors import StoreCorrupt
from orchestrator.report import words
from orchestrator.report.fits import fits, told_apart
from orchestrator.report.labels import axis_label, height_name, quantity_name
from orchestrator.report.rereading import latest, which_reading
from orchestrator.report.story import Story
from orchestrator.store import Store
from orchestrator.store.records import Experiment, InsightSummary

FloatArray = NDArray[np.float64]

BUDGET = 5_000_000
"""Bytes of the page that curves may take."""

BYTES_PER_NUMBER = 16 / 3
"""Four bytes of a single-precision number, written in base 64."""

FEWEST, MOST = 600, 5000
"""Points a curve keeps at least and at most."""

MOST_CURVES = 150
"""Experiments whose curves are read at most."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """The curves of a page.

    Attributes
    ----------
    entries : one an experiment, as the page's script reads it.
    note : what was left out or is damaged, empty if nothing was.
    """

    entries: list[dict[str, Any]]
    note: str


def patterns(story: Story, store: Store) -> Patterns:
    """Return the curves of the experiments, thinned so that they stay within `BUDGET`.

    The best experiment comes first, then the latest, then the others spread over the campaign.
    """
    with_curves = [e for e in story.experiments if _names(e)]
    if not with_curves:
        return Patterns([], "")
    first = story.by_number.get(story.best) if story.best is not None else None
    chosen = _spread(with_curves, first)
    entries: list[dict[str, Any]] = []
    thinned, used = False, 0.0
    damaged: list[str] = []
    share = max(BUDGET / len(chosen), 1.0)
    for experiment in chosen:
        try:
            found = list(_curves(experiment, store))
        except StoreCorrupt as error:
            damaged.append(f"Experiment {experiment.number}: {error}.")
            continue
        for curve, source, insight in found:
            columns = 1 + sum(name != "difference" for name in curve.columns)
            points = int(np.clip(share / (columns * BYTES_PER_NUMBER), FEWEST, MOST))
            cost = min(points, len(curve.x)) * columns * BYTES_PER_NUMBER
            if used + cost > BUDGET and entries:
                continue
            used += cost
            thinned = thinned or len(curve.x) > points
            entry = _entry(story, experiment, thin(curve, points), source, insight)
            entries.append(entry)
    shown = {entry["number"] for entry in entries}
    entries.sort(key=lambda entry: (entry["number"] != story.best, entry["number"]))
    note = _note(len(with_curves) - len(shown) - len(damaged), len(shown), thinned=thinned)
    return Patterns(entries, " ".join([note, *damaged]).strip())


def thin(curve: Curve, points: int) -> Curve:
    """Return a curve of about so many of its points, every peak and dip of the first column kept.

    The axis is cut into equal stretches, and each keeps its lowest and highest point; no value
    is averaged or invented.
    """
    n = len(curve.x)
    if n <= points:
        return curve
    leading = curve.columns.get("observed", next(iter(curve.columns.values())))
    kept = np.unique(
        [
            stretch[i]
            for stretch in np.array_split(np.arange(n), max(points // 2, 1))
            for i in (int(np.argmin(leading[stretch])), int(np.argmax(leading[stretch])))
        ]
        + [0, n - 1]
    )
    columns = {name: values[kept] for name, values in curve.columns.items()}
    return Curve(curve.x[kept], curve.x_name, curve.x_unit, columns, curve.y_unit)


def _names(experiment: Experiment) -> bool:
    return any(i.evidence for i in experiment.insights) or any(
        m.n_points for m in experiment.measurements
    )


def _spread(experiments: Sequence[Experiment], first: Experiment | None) -> list[Experiment]:
    """Return at most `MOST_CURVES` experiments, the most telling ones first."""
    steps = np.linspace(0, len(experiments) - 1, min(len(experiments), MOST_CURVES))
    even = [experiments[i] for i in np.unique(steps.round().astype(int))]
    front = [e for e in (first, experiments[-1]) if e is not None and _names(e)]
    numbered = {e.number: e for e in [*front, *even]}
    return list(numbered.values())[:MOST_CURVES]


def _curves(
    experiment: Experiment, store: Store
) -> Iterator[tuple[Curve, str, InsightSummary | None]]:
    """Yield the fitted patterns of an experiment, and the curves that no agent fitted.

    With each come its source in words and the insight it belongs to. Where an agent asked for
    further measurements its last fit comes first.
    """
    explained: set[str] = set()
    last = latest(experiment)
    for summary in sorted(experiment.insights, key=lambda insight: insight not in last):
        if not summary.evidence:
            continue
        found = fits(store.insight(summary.id).evidence)
        for name, curve in found.items():
            explained.update(summary.measurement_ids)
            source = summary.agent + told_apart(found, name)
            yield curve, source + which_reading(experiment, summary), summary
    for told in experiment.measurements:
        if told.n_points and told.id not in explained:
            m = store.measurement(told.id)
            curve = Curve(m.x, m.x_name, m.x_unit, {"observed": m.y}, m.y_unit or m.y_name)
            yield curve, told.technique, None


def _entry(
    story: Story,
    experiment: Experiment,
    curve: Curve,
    source: str,
    insight: InsightSummary | None,
) -> dict[str, Any]:
    kept = dict(curve.columns)
    if "observed" in kept and "calculated" in kept:
        kept.pop("difference", None)
    return {
        "number": experiment.number,
        "title": _title(story, experiment, source),
        "x_title": words.shown(axis_label(curve.x_name, curve.x_unit)),
        "y_title": words.shown(axis_label(height_name(curve.x_name), curve.y_unit)),
        "x": packed(curve.x),
        "columns": [
            {"name": name, "label": words.shown(_column_label(name)), "y": packed(values)}
            for name, values in kept.items()
        ],
        "caption": _caption(story, experiment, insight),
    }


def _column_label(name: str) -> str:
    return words.plain(name.removeprefix("phase."))


def _title(story: Story, experiment: Experiment, source: str) -> str:
    best = " (best)" if experiment.number == story.best else ""
    failed = experiment.observation is not None and experiment.observation.failed
    return f"experiment {experiment.number}{best}{' (failed)' if failed else ''} · {source}"


def _caption(story: Story, experiment: Experiment, shown: InsightSummary | None) -> str:
    """Return the settings, and what every agent said last; of the one shown what it said then."""
    observation = experiment.observation
    values = experiment.proposal.values if observation is None else observation.values
    parts = [words.settings(values, story.units)]
    told = latest(experiment)
    if shown is not None and shown not in told:
        told = [shown]
    for insight in told:
        figures = {"rwp": "Rwp", "chi2_reduced": "reduced χ²"}
        said = [
            f"{name} {words.number(insight.quality[key], 3)}"
            for key, name in figures.items()
            if math.isfinite(insight.quality.get(key, math.nan))
        ]
        if insight.p_wrong is not None:
            said.append(f"wrong with probability {words.percent(insight.p_wrong)}")
        said += [
            f"{quantity_name(q)} {words.measured(e.value, e.std, e.unit)}"
            for q, e in _wanted(story, insight.estimates)
        ]
        parts += [f"{insight.agent}: {', '.join(said)}"] if said else []
        parts += list(insight.remarks)
    return ". ".join(part.rstrip(".") for part in parts) + "."


def _wanted(story: Story, estimates: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(q, estimates[q]) for q in story.quantities if q in estimates]


def packed(values: FloatArray) -> dict[str, str]:
    """Return numbers as plotly.js reads them without a text of digits."""
    data = np.ascontiguousarray(values, dtype="<f4").tobytes()
    return {"dtype": "f4", "bdata": base64.b64encode(data).decode("ascii")}


def _note(missing: int, shown: int, *, thinned: bool) -> str:
    parts = []
    if missing:
        parts.append(
            f"To keep the page small, {shown} of {shown + missing} experiments are shown, spread "
            "over the campaign."
        )
    if thinned:
        parts.append(
            "Curves are thinned to the lowest and highest point of each short stretch; the "
            "history keeps all points."
        )
    return " ".join(parts)
