"""`sdlab replay`: the decisions of a campaign made again, by the same minds or by others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from orchestrator.cli.home import CampaignArgument, HomeOption, home_folder, named, open_store

if TYPE_CHECKING:
    from orchestrator.replay.past import Past

T = TypeVar("T")


def replay(
    campaign_id: CampaignArgument,
    planner: Annotated[
        str | None, typer.Option("--planner", help="What would this planner have proposed?")
    ] = None,
    agents: Annotated[
        str | None,
        typer.Option("--agents", help="What would these have read? Names with commas between."),
    ] = None,
    experiments: Annotated[
        int | None, typer.Option("--experiments", "-n", help="Only so many, from the first.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Make every decision of a campaign again from the stored raw data, and compare bit for bit.

    Agents read the stored measurements again, and the planner chooses again from what it had been
    told then. The exit code is 0 if all is identical and 1 if anything differs. With `--planner`
    or `--agents` it says what others would have decided instead. Nothing is written.

    Examples: `sdlab replay last` · `sdlab replay last --planner random -n 10`
    """
    from orchestrator.cli.replayed import print_other_planner, print_other_readings
    from orchestrator.errors import CampaignError
    from orchestrator.replay.past import Past

    if experiments is not None and experiments < 1:
        raise CampaignError(f"{experiments} experiments were asked for; at least 1 is needed")
    store = open_store(home_folder(home))
    past = Past.of(store, named(store, campaign_id))
    if not past.experiments:
        typer.echo(f"{past.record.id} has decided nothing yet")
        return
    total = min(experiments or len(past.experiments), len(past.experiments))
    if planner is None and agents is None:
        _assert_identical(past, experiments, total)
    if planner is not None:
        from orchestrator.replay.alternatives import other_planner

        proposals = other_planner(past, planner, experiments=experiments)
        print_other_planner(past, planner, list(_shown(proposals, total)))
    if agents is not None:
        from orchestrator.replay.alternatives import other_agents

        names = [name.strip() for name in agents.split(",") if name.strip()]
        readings = other_agents(past, names, experiments=experiments)
        print_other_readings(past, names, list(_shown(readings, total)))


def _assert_identical(past: Past, experiments: int | None, total: int) -> None:
    from orchestrator.cli.replayed import print_differences
    from orchestrator.replay.replaying import replay as decide_again

    decisions = list(_shown(decide_again(past, experiments=experiments), total))
    if print_differences(past, decisions):
        raise typer.Exit(1)


def _shown(found: Iterable[T], total: int) -> Iterator[T]:
    """Yield what is found, while a bar on a terminal counts the experiments."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("deciding again", total=total)
        for one in found:
            progress.update(bar, completed=1 + getattr(one, "number", 0))
            yield one
