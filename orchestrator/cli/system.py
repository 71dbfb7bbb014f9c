"""`sdlab ui`, `examples`, `plugins` and `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from orchestrator.cli.home import HomeOption, home_folder, open_store


def ui(
    campaign_id: Annotated[
        str, typer.Argument(help="Campaign to open; by default the newest.")
    ] = "last",
    stop: Annotated[bool, typer.Option("--stop", help="Stop the server instead.")] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, open no browser.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Start the Prefect server on this machine only, and open the campaign in the browser.

    It talks to nobody outside. It keeps running in the background until `sdlab ui --stop`.
    """
    from rich.console import Console

    from orchestrator.under_prefect.server import campaign_page, ensure_server, stop_server

    folder = home_folder(home)
    if stop:
        stopped = stop_server(folder / "prefect")
        typer.echo("stopped" if stopped else "no server of ours is running")
        return
    store = open_store(folder)
    records = store.campaigns()
    wanted = records[0] if campaign_id == "last" and records else None
    if campaign_id != "last":
        wanted = store.campaign(campaign_id)
    with Console(stderr=True).status("looking for the Prefect server") as status:
        server = ensure_server(
            folder / "prefect",
            progress=lambda text, waited: status.update(f"{text} ({waited:.0f} s)"),
        )
    address = server.url if wanted is None else campaign_page(server, wanted.id)
    typer.echo(address)
    if not no_browser:
        typer.launch(address)


def examples(
    copy: Annotated[
        str | None, typer.Option("--copy", help="Copy this example and its laboratory file …")
    ] = None,
    folder: Annotated[Path, typer.Argument(help="… into this folder.")] = Path(),
) -> None:
    """List the campaigns that come with sdlab, or copy one to start from."""
    from orchestrator import examples as shipped
    from orchestrator.toml_source import read_toml

    if copy is not None:
        for path in shipped.copy(copy, folder):
            typer.echo(path)
        return
    for name in shipped.names():
        data = read_toml(shipped.find_campaign(name)).data
        typer.echo(f"{name:<16} {data['description']}")


def plugins() -> None:
    """List the installed plug-ins of every kind, and who brings them."""
    from orchestrator.registry import Group, available

    for group in get_args(Group):
        typer.echo(f"{group}:")
        for name, owner in available(group).items():
            typer.echo(f"  {name:<26} {owner}")


def doctor(home: HomeOption = None) -> None:
    """Check this installation: versions, history, plug-ins, server; say what to mend."""
    from orchestrator.doctor import examine

    worst = 0
    for finding in examine(home_folder(home)):
        colour = {"ok": "green", "note": "yellow", "fault": "red"}[finding.level]
        typer.echo(typer.style(f"{finding.level:<6}", fg=colour) + finding.text)
        worst = max(worst, int(finding.level == "fault"))
    raise typer.Exit(worst)
