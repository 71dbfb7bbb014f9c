"""`sdlab run`, `sdlab resume` and `sdlab settle`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.home import CampaignArgument, HomeOption, home_folder, named, open_store

if TYPE_CHECKING:
    from orchestrator.control import Ending
    from orchestrator.launch import Prepared
    from orchestrator.people.attending import Attendance
    from orchestrator.run import Run
    from orchestrator.store import Store

NoPrefect = Annotated[
    bool,
    typer.Option("--no-prefect", help="Run without Prefect; the history is kept all the same."),
]

Ask = Annotated[
    bool,
    typer.Option(
        "--ask", help="Ask for approval in a simulated laboratory too, where nothing can break."
    ),
]

NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait", help="End when a person must answer, instead of waiting for the answer."
    ),
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
    ask: Ask = False,
    no_wait: NoWait = False,
    home: HomeOption = None,
) -> None:
    """Run a campaign until its targets, its budget or its stop rules end it.

    Ctrl-C stops after the present experiment; a second one stops at once. Either way
    `sdlab resume` goes on where it stopped.

    Where the campaign file allows `actions`, earlier samples are measured again, or longer, if that
    is worth more than a new one: see `sdlab examples --copy tio2_actions my-campaign/`.

    Examples: `sdlab run tio2` · `sdlab run mine.toml --lab furnace-2.toml --dry-run`
    """
    from orchestrator.cli.printing import print_forecast, print_plan, print_schedule
    from orchestrator.examples import find_campaign
    from orchestrator.forecast import look_ahead
    from orchestrator.launch import begin, prepare, with_changes
    from orchestrator.people.attending import Attendance
    from orchestrator.sharing.schedule import expected_schedule
    from orchestrator.storage.supplies import as_stocked

    prepared = prepare(find_campaign(campaign), lab, dry_run=dry_run)
    prepared = with_changes(prepared, seed=seed, experiments=experiments)
    print_plan(prepared)
    expected = look_ahead(prepared.campaign, prepared.laboratory, prepared.match)
    folder = home_folder(home)
    store = open_store(folder)
    print_forecast(as_stocked(expected, prepared.laboratory, store), prepared.laboratory)
    if dry_run:
        print_schedule(expected_schedule(prepared.campaign, prepared.match, expected))
    _announce_questions(prepared, ask=ask)
    started = begin(prepared, store, expected=expected)
    attendance = Attendance(waits=not no_wait, asks_in_simulation=ask)
    _carry_out(started, store, folder, attendance, prefect=not (no_prefect or dry_run))


def resume(
    campaign_id: CampaignArgument,
    no_prefect: NoPrefect = False,
    ask: Ask = False,
    no_wait: NoWait = False,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over", help="Take it from a process that seems to live; that one ends."
        ),
    ] = False,
    home: HomeOption = None,
) -> None:
    """Go on with a campaign where it stopped, was paused, or was waiting; also after a crash.

    What was done is not done again. If a device was sent a command and nobody knows whether it
    acted, the campaign asks you instead of guessing (see `sdlab settle`).
    """
    from orchestrator.launch import reopen
    from orchestrator.people.attending import Attendance
    from orchestrator.people.wishing import go_on
    from orchestrator.storage.supplies import secure_again

    folder = home_folder(home)
    store = open_store(folder)
    record = store.campaign(named(store, campaign_id))
    if record.status == "finished":
        typer.echo(f"{record.id} has ended already: {record.message}")
        return
    if not take_over and go_on(store, record.id):
        typer.echo(f"{record.id} goes on in the process that was paused")
        return
    run = reopen(record.id, store)
    twin = bool(record.config.get("twin"))
    attendance = Attendance(waits=not no_wait, asks_in_simulation=ask)
    _carry_out(
        run,
        store,
        folder,
        attendance,
        prefect=not (no_prefect or twin),
        take_over=take_over,
        before=lambda: secure_again(run, store),
    )


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
    from orchestrator.people.asking import this_person
    from orchestrator.people.settling import settle_by_person

    store = open_store(home_folder(home))
    name = named(store, campaign_id)
    for line in settle_by_person(store, name, outcome, by=this_person(), reason=reason):
        typer.echo(line)


def _announce_questions(prepared: Prepared, *, ask: bool) -> None:
    """Say what a person will not be asked because nothing moves."""
    gates = prepared.campaign.approval.ask != "never" or prepared.campaign.prompts
    if prepared.laboratory.simulated and gates and not ask:
        typer.echo("  approve  nobody is asked in a simulated laboratory; use --ask to be asked")


def _carry_out(
    run: Run,
    store: Store,
    folder: Path,
    attendance: Attendance,
    *,
    prefect: bool,
    take_over: bool = False,
    before: Callable[[], None] = lambda: None,
) -> None:
    """Run to the end with a live display, then print the summary."""
    from orchestrator.cli.printing import print_summary
    from orchestrator.cli.screen import Screen
    from orchestrator.session import run_session
    from orchestrator.sharing.holding import hold
    from orchestrator.under_prefect.server import server_status

    for remark in run.storeroom.remarks:
        typer.secho(remark, fg="yellow")
    with hold(store, run.id, take_over=take_over) as held, Screen(run) as screen:
        watched = replace(screen.watching(run), token=held.token)
        ending: Ending = asyncio.run(
            run_session(
                watched,
                store,
                folder,
                prefect=prefect,
                say=screen.say,
                attendance=attendance,
                before=before,
            )
        )
    shown = prefect and server_status(folder / "prefect").state == "running"
    print_summary(watched, store, folder, ending, prefect=shown)
    if ending.status != "finished":
        raise typer.Exit(130 if ending.status == "interrupted" else 3)
