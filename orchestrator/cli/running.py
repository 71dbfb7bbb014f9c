"""`sdlab run`, `sdlab resume` and `sdlab settle`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.home import CampaignArgument, HomeOption, home_folder, named, open_store

if TYPE_CHECKING:
    from orchestrator.control import Ending
    from orchestrator.run import Run
    from orchestrator.store import Store

NoPrefect = Annotated[
    bool,
    typer.Option("--no-prefect", help="Run without Prefect; the history is kept all the same."),
]


def run(
    campaign: Annotated[
        str, typer.Argument(help="A campaign file, or the name of an example such as `tio2`.")
    ],
    lab: Annotated[
        Path | None,
        typer.Option("--lab", help="Laboratory file; by default the one the campaign names."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="State what it will take, then run on the lab's twin."),
    ] = False,
    no_prefect: NoPrefect = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Another seed than the campaign file's.")
    ] = None,
    experiments: Annotated[
        int | None, typer.Option("--experiments", "-n", help="Another number of experiments.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Run a campaign until its targets, its budget or its stop rules end it.

    Ctrl-C stops after the present experiment; a second one stops at once. Either way
    `sdlab resume` goes on where it stopped.

    Examples: `sdlab run tio2` · `sdlab run mine.toml --lab furnace-2.toml --dry-run`
    """
    from orchestrator.cli.printing import print_forecast, print_plan
    from orchestrator.examples import find_campaign
    from orchestrator.forecast import look_ahead
    from orchestrator.launch import begin, prepare, with_changes
    from orchestrator.supplies import as_stocked

    prepared = prepare(find_campaign(campaign), lab, dry_run=dry_run)
    prepared = with_changes(prepared, seed=seed, experiments=experiments)
    print_plan(prepared)
    expected = look_ahead(prepared.campaign, prepared.laboratory, prepared.match)
    folder = home_folder(home)
    store = open_store(folder)
    print_forecast(as_stocked(expected, prepared.laboratory, store), prepared.laboratory)
    started = begin(prepared, store, expected=expected)
    _carry_out(started, store, folder, prefect=not (no_prefect or dry_run))


def resume(
    campaign_id: CampaignArgument,
    no_prefect: NoPrefect = False,
    home: HomeOption = None,
) -> None:
    """Go on with a campaign where it stopped, also after a crash.

    What was done is not done again. If a device was sent a command and nobody knows whether it
    acted, the campaign asks you instead of guessing (see `sdlab settle`).
    """
    from orchestrator.launch import reopen
    from orchestrator.supplies import secure_again

    folder = home_folder(home)
    store = open_store(folder)
    record = store.campaign(named(store, campaign_id))
    if record.status == "finished":
        typer.echo(f"{record.id} has ended already: {record.message}")
        return
    run = reopen(record.id, store)
    secure_again(run, store)
    twin = bool(record.config.get("twin"))
    _carry_out(run, store, folder, prefect=not (no_prefect or twin))


def settle(
    campaign_id: CampaignArgument,
    outcome: Annotated[
        str,
        typer.Argument(
            help="What you saw: `done`, `failed`, `not-done` to have it sent again, or "
            "`look-again` to have the instrument asked once more."
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="What you saw, in your words.")] = "",
    home: HomeOption = None,
) -> None:
    """Say what became of the command whose end nobody knows, after looking at the device.

    A campaign that waits for it goes on at once; one that ended goes on with `sdlab resume`.
    """
    from orchestrator.asking import this_person
    from orchestrator.settling import settle_by_person

    store = open_store(home_folder(home))
    name = named(store, campaign_id)
    for line in settle_by_person(store, name, outcome, by=this_person(), reason=reason):
        typer.echo(line)


def _carry_out(run: Run, store: Store, folder: Path, *, prefect: bool) -> None:
    """Run to the end with a live display, then print the summary."""
    from orchestrator.cli.printing import print_summary
    from orchestrator.cli.screen import Screen
    from orchestrator.holding import hold
    from orchestrator.prefect_server import server_status
    from orchestrator.session import run_session

    for remark in run.storeroom.remarks:
        typer.secho(remark, fg="yellow")
    with hold(store, run.id) as held, Screen(run) as screen:
        watched = replace(screen.watching(run), token=held.token)
        ending: Ending = asyncio.run(
            run_session(watched, store, folder, prefect=prefect, say=screen.say)
        )
    shown = prefect and server_status(folder / "prefect").state == "running"
    print_summary(watched, store, folder, ending, prefect=shown)
    if ending.status == "interrupted":
        raise typer.Exit(130)
