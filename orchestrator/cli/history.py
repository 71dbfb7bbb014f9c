"""`sdlab list`, `show`, `report` and `export`: reading what happened."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.home import CampaignArgument, HomeOption, home_folder, named, open_store


class Listed(StrEnum):
    """What can be listed."""

    campaigns = "campaigns"
    agents = "agents"


def list_some(
    what: Annotated[
        Listed, typer.Argument(help="The campaigns in the history, or the installed agents.")
    ] = Listed.campaigns,
    home: HomeOption = None,
) -> None:
    """List the campaigns in the history, newest first; or the agents and what they answer.

    Example: `sdlab list agents`
    """
    if what is Listed.agents:
        from orchestrator.cli.agents import list_agents

        list_agents()
    else:
        list_campaigns(home)


def list_campaigns(home: Path | None) -> None:
    """Print the campaigns in the history, newest first."""
    from rich.console import Console
    from rich.text import Text

    from orchestrator.people.wishing import how_it_stands

    store = open_store(home_folder(home))
    records = store.campaigns()
    if not records:
        typer.echo("no campaign yet; start one with `sdlab run tio2`")
        return
    console = Console(highlight=False)
    longest = max(len(record.id) for record in records)
    counts = store.progress()
    for record in records:
        progress = counts[record.id]
        failed = f" ({progress.failed} failed)" if progress.failed else ""
        kind = "dry run of " if record.config.get("twin") else ""
        status, message = how_it_stands(store, record)
        stands = f"{kind}{record.name}" + (f": {message}" if message else "")
        line = Text(f"{record.id:<{longest}}", style="bold")
        line.append(f"  {record.created:%Y-%m-%d %H:%M}  {status:<11}", style="not bold")
        line.append(f"  {progress.ended} experiments{failed}", style="not bold")
        console.print(line, soft_wrap=True)
        console.print(Text(f"  {stands}"), soft_wrap=True)


def show(
    campaign_id: CampaignArgument,
    experiment: Annotated[
        int | None, typer.Option("--experiment", "-e", help="Show one experiment in full.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Show a campaign's experiments, or one of them with the reason for it.

    Example: `sdlab show last -e 7`
    """
    from orchestrator.cli.showing import show_campaign, show_experiment

    store = open_store(home_folder(home))
    record = store.campaign(named(store, campaign_id))
    if experiment is None:
        show_campaign(store, record)
    else:
        show_experiment(store, record, experiment)


def report(
    campaign_id: CampaignArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the page.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write a campaign as one HTML page with interactive plots that needs no network."""
    from orchestrator.report import write_report

    folder = home_folder(home)
    store = open_store(folder)
    target = output or folder / "reports"
    typer.echo(write_report(store, named(store, campaign_id), target))


def export(
    campaign_id: CampaignArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to make; by default the campaign's id."),
    ] = None,
    as_zip: Annotated[bool, typer.Option("--zip", help="Pack the folder as one file.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Write into a folder that is not empty.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Write tables (CSV, Parquet), patterns and an RO-Crate description for archives and ELNs."""
    from orchestrator.export import export_campaign

    store = open_store(home_folder(home))
    name = named(store, campaign_id)
    written = export_campaign(store, name, output or Path(name), zipped=as_zip, overwrite=overwrite)
    for path in written:
        typer.echo(path)
