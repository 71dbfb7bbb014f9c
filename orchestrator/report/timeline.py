"""When each instrument worked for which experiment, as it was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchestrator.report import words
from orchestrator.report.plots import BLUE, ORANGE, Plot, Trace, title
from orchestrator.report.story import Story
from orchestrator.store.records import ActionRecord

MOST = 2_000
"""Actions that a page shows at most; more make it slow."""

ROW, AROUND = 34, 150
"""Height of an instrument's row, and of everything around the rows, in CSS pixels."""


def timeline_plot(story: Story) -> Plot | None:
    """Return the timeline of the laboratory; None before the first action has ended."""
    done = [a for a in story.actions if a.started is not None and a.finished is not None]
    if not done:
        return None
    shown = done[-MOST:]
    start = min(a.started for a in done if a.started is not None)
    names = list(dict.fromkeys(a.instrument for a in shown))
    good = [a for a in shown if a.settled == "succeeded"]
    bad = [a for a in shown if a.settled != "succeeded"]
    latest = f" The latest {MOST} of {len(done)}." if len(done) > MOST else ""
    return Plot(
        name="timeline",
        label="hours at which each instrument worked, a bar an action",
        traces=[
            *_bars(good, start, name="succeeded", colour=BLUE),
            *_bars(bad, start, name="came to nothing", colour=ORANGE),
        ],
        layout={
            "barmode": "overlay",
            "xaxis": {"title": title("laboratory time", "h"), "rangemode": "tozero"},
            "yaxis": {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": [words.shown(words.plain(name)) for name in reversed(names)],
            },
        },
        caption=f"A bar is one action; point at it for its experiment.{latest}",
        height=AROUND + ROW * len(names),
    )


def _bars(
    actions: Sequence[ActionRecord], start: datetime, *, name: str, colour: str
) -> list[Trace]:
    if not actions:
        return []
    return [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": [words.shown(words.plain(a.instrument)) for a in actions],
            "base": [_hours(a.started, start) for a in actions],
            "x": [_hours(a.finished, start) - _hours(a.started, start) for a in actions],
            "text": [str(a.number) for a in actions],
            "textposition": "inside",
            "insidetextanchor": "start",
            "hovertext": [_told(a, start) for a in actions],
            "hoverinfo": "text",
            "marker": {"color": colour, "line": {"color": "white", "width": 1}},
        }
    ]


def _told(action: ActionRecord, start: datetime) -> str:
    began, ended = _hours(action.started, start), _hours(action.finished, start)
    lines = [
        f"<b>experiment {action.number}</b>",
        words.shown(f"{action.instrument}: {action.step}, attempt {action.attempt + 1}"),
        f"{began:.2f} h to {ended:.2f} h",
    ]
    if action.error:
        lines.append(words.shown(f"{action.fault or action.settled}: {action.error}"))
    return "<br>".join(lines)


def _hours(moment: datetime | None, start: datetime) -> float:
    assert moment is not None
    return (moment - start).total_seconds() / 3600
