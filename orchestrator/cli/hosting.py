"""`sdlab host`: serve instruments next to their cables."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.home import HomeOption, home_folder


def host(
    laboratory: Annotated[Path, typer.Argument(help="The laboratory file that names the host.")],
    name: Annotated[
        str | None,
        typer.Option("--name", help="Which of its [hosts] this is; needed if there are several."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Serve the instruments that live on this computer, until Ctrl-C.

    What a campaign sends goes on and is remembered here, whatever happens to the campaign's
    process; after a crash it asks what became of its commands. Ctrl-C stops what runs and leaves
    the instruments safe.

    Example: `sdlab host lab.toml --name furnace_pc`
    """
    from instruments.clock import FasterClock
    from instruments.hosting.security import Address
    from instruments.hosting.server import serve
    from orchestrator.laboratories.hosting import plan_host
    from orchestrator.laboratories.laboratory import load_laboratory

    file, source = load_laboratory(laboratory)
    plan = plan_host(file, source, name, home=home_folder(home))

    def ready(address: Address) -> None:
        pace = f", at speed {plan.clock.speed:g}" if isinstance(plan.clock, FasterClock) else ""
        guarded = "with a token" if plan.access.token else "without a token"
        typer.echo(f"{plan.name} listens on {address}, {guarded}{pace}; Ctrl-C ends it")
        for instrument in plan.instruments:
            described = instrument.describe()
            kind = "simulated" if described.simulated else "real"
            typer.echo(f"  {instrument.name}: {described.role}, {kind}")
        typer.echo(f"  commands are kept in {plan.folder}")

    asyncio.run(
        serve(
            plan.instruments,
            address=plan.address,
            log_folder=plan.folder,
            access=plan.access,
            clock=plan.clock,
            say=lambda line: typer.echo(f"{plan.clock.now():%Y-%m-%d %H:%M:%S} {line}"),
            ready=ready,
        )
    )
    typer.echo(f"{plan.name} has ended; its instruments are at rest")
