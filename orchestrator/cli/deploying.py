"""`sdlab deploy` and `sdlab watch`: campaigns whose turns are taken by workers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.home import HomeOption, home_folder, open_store

if TYPE_CHECKING:
    from orchestrator.store import Store
    from orchestrator.under_prefect.deployment import Deployed

PoolOption = Annotated[
    str, typer.Option("--pool", help="Work pool whose workers take the turns; made if absent.")
]


def deploy(
    campaign: Annotated[
        str | None,
        typer.Argument(
            help="A campaign file, an example, or the id of a recorded campaign that is to go on."
        ),
    ] = None,
    lab: Annotated[
        Path | None,
        typer.Option("--lab", help="Laboratory file; by default the one the campaign names."),
    ] = None,
    pool: PoolOption = "sdlab",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Run on the lab's twin.")] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Another seed than the campaign file's.")
    ] = None,
    experiments: Annotated[
        int | None, typer.Option("--experiments", "-n", help="Another number of experiments.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            help="Write prefect.yaml, compose.yaml, systemd units and secrets to this folder.",
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Have a campaign's turns taken by workers, here or on other machines.

    Records the campaign, makes the work pool and the deployment if they are not there, asks for
    the first turn, and prints what to start where.

    Examples: `sdlab deploy mine.toml` · `sdlab deploy --write lab-server/`
    """
    from orchestrator.errors import CampaignError

    if write is not None:
        from orchestrator.deploy import write_files

        for path in write_files(write, pool=pool):
            typer.echo(path)
    if campaign is None:
        if write is None:
            raise CampaignError("nothing was named; name a campaign file, or a folder with --write")
        return
    from orchestrator.under_prefect.server import ensure_server

    folder = home_folder(home)
    with open_store(folder) as store:
        campaign_id = _recorded(
            campaign, lab, store, dry_run=dry_run, seed=seed, experiments=experiments
        )
        server = ensure_server(folder / "prefect")
        from orchestrator.under_prefect.deployment import deploy as hand_over

        done = asyncio.run(hand_over(campaign_id, store, pool=pool))
    _print_what_to_start(done, server.api_url, folder)


def watch(
    every: Annotated[
        float, typer.Option("--every", min=1.0, help="Seconds between two looks.")
    ] = 30.0,
    once: Annotated[bool, typer.Option("--once", help="Look once, as from a timer.")] = False,
    home: HomeOption = None,
) -> None:
    """Look after deployed campaigns: one whose worker died is given its next turn again.

    Run it on a machine that stays on, or on several; it moves nothing itself.
    """
    from orchestrator.under_prefect.server import ensure_server

    folder = home_folder(home)
    ensure_server(folder / "prefect")
    from orchestrator.under_prefect import watch as prefect_watch

    def show(revived: prefect_watch.Revived) -> None:
        typer.echo(f"{revived.campaign_id}: turn {revived.number} again, {revived.why}")

    with open_store(folder) as store:
        if once:
            asyncio.run(prefect_watch.look_once(store, seen=show))
        else:
            asyncio.run(prefect_watch.watch(store, every=timedelta(seconds=every), seen=show))


def _recorded(
    campaign: str,
    lab: Path | None,
    store: Store,
    *,
    dry_run: bool,
    seed: int | None,
    experiments: int | None,
) -> str:
    """Return the id of a campaign that was recorded before, or is now."""
    from orchestrator.cli.printing import print_plan
    from orchestrator.examples import find_campaign
    from orchestrator.launch import begin, prepare, with_changes

    if campaign in {record.id for record in store.campaigns()}:
        _go_on(store, campaign)
        return campaign
    prepared = prepare(find_campaign(campaign), lab, dry_run=dry_run)
    prepared = with_changes(prepared, seed=seed, experiments=experiments)
    print_plan(prepared)
    return begin(prepared, store).id


def _go_on(store: Store, campaign_id: str) -> None:
    """Have a recorded campaign want turns again."""
    from orchestrator.errors import CampaignError
    from orchestrator.people.asking import this_person

    status = store.campaign(campaign_id).status
    if status in ("finished", "cancelled"):
        raise CampaignError(f"{campaign_id} is {status}; begin a new one with its campaign file")
    if status == "stopped" or store.wishes.find(campaign_id).wish == "stop":
        raise CampaignError(
            f"{campaign_id} was stopped in an emergency; look at the laboratory and release it "
            f"with `sdlab resume {campaign_id}` where it can be seen"
        )
    store.wishes.wish(campaign_id, "run", reason="by the workers", by=this_person())
    store.set_status(campaign_id, "running", "handed to the workers again")


def _print_what_to_start(done: Deployed, api_url: str, folder: Path) -> None:
    from orchestrator.home import ARRAYS_VARIABLE, DATABASE_VARIABLE, database_url

    shared = not database_url(folder).startswith("sqlite")
    typer.echo(f"\n{done.campaign_id}: turn {done.number} waits for a worker of {done.pool!r}.")
    typer.echo("On every machine that is to take turns:")
    typer.echo(f"  export PREFECT_API_URL={api_url}")
    if shared:
        typer.echo(f"  export {DATABASE_VARIABLE}=…      the database that is named here")
        typer.echo(f"  export {ARRAYS_VARIABLE}=…        a folder that all of them mount")
    else:
        typer.echo(f"  export SDLAB_HOME={folder}")
    typer.echo(f"  prefect worker start --pool {done.pool}")
    typer.echo("On one that stays on, so that a campaign outlives a worker that dies:")
    typer.echo("  sdlab watch")
    if not shared:
        typer.echo(
            f"\nThe history is a SQLite file on this machine; for workers elsewhere name a "
            f"PostgreSQL database in {DATABASE_VARIABLE}."
        )
