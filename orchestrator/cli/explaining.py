"""`sdlab explain`: which settings matter, and why an experiment was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.home import CampaignArgument, HomeOption, home_folder, named, open_store

if TYPE_CHECKING:
    from orchestrator.report.explained import Explained
    from orchestrator.report.explained_words import Rows
    from orchestrator.report.story import Story

WIDE = 200
"""Columns where the output goes to a file or a pipe."""


def explain(
    campaign_id: CampaignArgument,
    experiment: Annotated[
        int | None,
        typer.Option("--experiment", "-e", help="Why this one; by default the latest."),
    ] = None,
    quantity: Annotated[
        str | None,
        typer.Option("--quantity", "-q", help="Only this quantity; by default all that count."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page with figures, too.")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", help="Folder for the figures as PNG.")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the numbers, too.")] = None,
    home: HomeOption = None,
) -> None:
    """Explain which settings matter, and why an experiment was chosen.

    Where the campaign file allows `actions`, an experiment may also make an earlier recipe once
    more, or measure an earlier sample again: then it says what each was worth.

    Example: `sdlab explain last -e 12 --html why.html`
    """
    from orchestrator.report.explained import explain_campaign
    from orchestrator.report.story import read_story

    store = open_store(home_folder(home))
    story = read_story(store, named(store, campaign_id))
    explained = explain_campaign(store, story, experiment=experiment, quantity=quantity)
    _print(explained, story)
    for path in _written(explained, story, html=html, figures=figures, json=json):
        typer.echo(path)


def _print(explained: Explained, story: Story) -> None:
    from rich.console import Console
    from rich.text import Text

    from orchestrator.report.explained_words import (
        METHOD,
        alternative_rows,
        contribution_rows,
        importance_rows,
        outcome_rows,
    )
    from orchestrator.report.grounds import as_lines

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    console.print(f"[bold]{explained.name}[/]  {explained.campaign}")
    units, chosen = story.units, explained.chosen
    for one in explained.now:
        _print_rows(console, importance_rows(one, units))
    if explained.now:
        console.print(Text(f"  {METHOD}", style="dim"))
    if explained.no_model:
        console.print(f"\n  no model yet: {explained.no_model}", markup=False)
    if chosen is None:
        console.print("  no experiment yet")
        return
    console.print(f"\n[bold]experiment {chosen.number}[/]  chosen by {chosen.reason.planner}")
    if chosen.again:
        console.print(f"  measures  {chosen.again}", markup=False)
    console.print(f"  why       {chosen.reason.text}", markup=False)
    for line in as_lines(chosen.reason.grounds, story.done):
        console.print(line, markup=False)
    for quantity, why in chosen.why.items():
        _print_rows(console, contribution_rows(why, chosen, quantity, units))
    if chosen.no_model:
        console.print(f"\n  no model then: {chosen.no_model}", markup=False)
    for rows in (alternative_rows(chosen, units), outcome_rows(chosen, units)):
        if rows is not None:
            _print_rows(console, rows)


def _print_rows(console: object, rows: Rows) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    assert isinstance(console, Console)
    console.print(Text(f"\n{rows.title}", style="bold"))
    table = Table(box=None, pad_edge=False)
    for i, heading in enumerate(rows.headings):
        table.add_column(Text(heading), justify="left" if i == 0 else "right", no_wrap=True)
    for row in rows.cells:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    if rows.note:
        console.print(Text(f"  {rows.note}", style="dim"))


def _written(
    explained: Explained,
    story: Story,
    *,
    html: Path | None,
    figures: Path | None,
    json: Path | None,
) -> list[Path]:
    written: list[Path] = []
    if json is not None:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_text(explained.model_dump_json(indent=1), encoding="utf-8")
        written.append(json)
    if html is None and figures is None:
        return written
    from orchestrator.report.explained_page import explained_sections, write_explanation

    if html is not None:
        written.append(write_explanation(explained, story, html))
    if figures is not None:
        figures.mkdir(parents=True, exist_ok=True)
        drawn = [p for section in explained_sections(explained, story) for p in section.figures]
        for i, picture in enumerate(drawn, start=1):
            path = figures / f"{i:02d}.png"
            path.write_bytes(picture.data)
            written.append(path)
    return written
