"""The report: one HTML page with everything in it, for mailing and for the laboratory book."""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from orchestrator.errors import CampaignError
from orchestrator.report.beliefs import belief_plots
from orchestrator.report.calibration import about_calibration, calibration_plots
from orchestrator.report.disagreements import about_disagreements, disagreements
from orchestrator.report.front import front_plots
from orchestrator.report.importance import importance_plots
from orchestrator.report.listing import headings, mishaps, rows
from orchestrator.report.mapped import mapped
from orchestrator.report.parallel import parallel_plot
from orchestrator.report.patterns import patterns
from orchestrator.report.progress import progress_plots
from orchestrator.report.provenance import provenance
from orchestrator.report.searched import choices, opening_axes, scatter_plot
from orchestrator.report.story import Story, read_story
from orchestrator.report.summary import summary
from orchestrator.report.timeline import timeline_plot
from orchestrator.report.trusting import for_people, trust_part
from orchestrator.store import Store

MOST_EVENTS = 500
"""Latest lines of the log that a page shows."""


def write_report(store: Store, campaign_id: str, folder: Path) -> Path:
    """Write a campaign as one HTML page with interactive plots, and return its path.

    The page stands at ``<folder>/<campaign id>.html``, asks nothing of any network (its own
    content policy forbids it), and replaces an earlier one only when it is complete.

    Raises
    ------
    UnknownCampaign
        The store has no such campaign.
    CampaignError
        The page cannot be written there.
    """
    story = read_story(store, campaign_id)
    text = render(story, store)
    path = folder / f"{story.record.id}.html"
    try:
        _write_atomically(path, text)
    except OSError as error:
        raise CampaignError(
            f"the report {path} cannot be written ({error.strerror}); name another folder with "
            "--output, or make room"
        ) from error
    return path


def render(story: Story, store: Store) -> str:
    """Return the page of a campaign."""
    contents = _contents(story, store)
    nonce = hashlib.sha256(repr(contents).encode()).hexdigest()[:32]
    page: str = (
        _templates()
        .get_template("page.html")
        .render(**contents, nonce=nonce, plotly=get_plotlyjs(), written=datetime.now(UTC))
    )
    return page


def _contents(story: Story, store: Store) -> dict[str, Any]:
    beliefs, about_beliefs = belief_plots(story)
    worth, about_worth = importance_plots(story)
    scatter, parallel = scatter_plot(story), parallel_plot(story)
    progress, calibration = progress_plots(story), calibration_plots(story)
    curves, timeline, fronts = patterns(story, store), timeline_plot(story), front_plots(story)
    every = (*fronts, *progress, timeline, scatter, parallel, *worth, *beliefs, *calibration)
    drawn = [p for p in every if p is not None]
    disputed = disagreements(story.events)
    return {
        "summary": summary(story),
        "fronts": fronts,
        "progress": progress,
        "timeline": timeline,
        "scatter": scatter,
        "choices": choices(story),
        "opening": opening_axes(story) if scatter else ("", ""),
        "parallel": parallel,
        "worth": worth,
        "about_worth": about_worth,
        "beliefs": beliefs,
        "about_beliefs": about_beliefs,
        "calibration": calibration,
        "about_calibration": about_calibration(story),
        "map": mapped(story),
        "curves": curves,
        "headings": headings(story),
        "rows": rows(story),
        "has_outcomes": bool(story.good),
        "failed": story.failed,
        "in_words": story.in_words,
        "mishaps": mishaps(story.actions),
        "trust": trust_part(story),
        "disagreements": disputed,
        "about_disagreements": about_disagreements(disputed),
        "events": for_people(story.events)[-MOST_EVENTS:],
        "n_events": len(for_people(story.events)),
        "provenance": provenance(story),
        "data": {
            "plots": {p.name: p.figure for p in drawn},
            "curves": curves.entries,
        },
    }


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("orchestrator.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # NaN is no JSON; a page that holds it would show no plot at all.
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment


def _write_atomically(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
