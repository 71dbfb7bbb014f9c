"""A campaign explained as one HTML page that holds its figures and asks nothing of any network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from orchestrator.errors import CampaignError
from orchestrator.report.explained import Chosen, Explained
from orchestrator.report.explained_words import (
    METHOD,
    Rows,
    alternative_rows,
    contribution_rows,
    grounds_rows,
    importance_rows,
    outcome_rows,
)
from orchestrator.report.figures.canvas import Picture
from orchestrator.report.figures.importance import contributions, importance
from orchestrator.report.figures.slices import slices, surface
from orchestrator.report.labels import quantity_name
from orchestrator.report.story import Story
from planners.parameters import ContinuousParameter


@dataclass(frozen=True, slots=True)
class Section:
    """Tables and figures under one heading."""

    heading: str
    tables: list[Rows]
    figures: list[Picture]
    text: str = ""


def explained_sections(explained: Explained, story: Story) -> list[Section]:
    """Return what the page shows, the chosen experiment first."""
    found = [_chosen(explained, story)] if explained.chosen is not None else []
    units, logarithmic = story.units, _logarithmic(story)
    for one in explained.now:
        unit = units.get(one.quantity, "")
        drawn = [
            importance(one, unit=unit),
            slices(one, story.done, units=units, logarithmic=logarithmic),
            surface(one, story.done, units=units, logarithmic=logarithmic),
        ]
        found.append(
            Section(
                heading=quantity_name(one.quantity).capitalize(),
                tables=[importance_rows(one, units)],
                figures=[picture for picture in drawn if picture is not None],
            )
        )
    return found


def write_explanation(explained: Explained, story: Story, path: Path) -> Path:
    """Write the page and return its path.

    Raises
    ------
    CampaignError
        The page cannot be written there.
    """
    page = _templates().get_template("explained.html")
    text = page.render(
        explained=explained,
        method=METHOD,
        sections=explained_sections(explained, story),
        written=datetime.now(UTC),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CampaignError(
            f"the page {path} cannot be written ({error.strerror}); name another file with --html, "
            "or make room"
        ) from error
    return path


def _chosen(explained: Explained, story: Story) -> Section:
    chosen, units = explained.chosen, story.units
    assert chosen is not None
    tables = [outcome_rows(chosen, units)]
    tables += [contribution_rows(why, chosen, q, units) for q, why in chosen.why.items()]
    tables += [grounds_rows(chosen, story.done), alternative_rows(chosen, units)]
    return Section(
        heading=f"Why experiment {chosen.number}",
        text=story.in_words(" ".join(filter(None, (_again(chosen), chosen.reason.text)))),
        tables=[table for table in tables if table is not None],
        figures=[
            contributions(why, quantity, chosen.number, units=units)
            for quantity, why in chosen.why.items()
        ],
    )


def _again(chosen: Chosen) -> str:
    return f"It measures the {chosen.again}." if chosen.again else ""


def _logarithmic(story: Story) -> list[str]:
    assert story.campaign is not None
    return [
        p.name
        for p in story.campaign.space.parameters
        if isinstance(p, ContinuousParameter) and p.log
    ]


def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("orchestrator.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
