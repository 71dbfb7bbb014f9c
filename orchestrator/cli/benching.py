"""`sdlab bench planner`: how soon would a planner have found the best of a finished table?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from orchestrator.benchmarking import Bench, Found
    from planners.benchmarking import Replay

bench = typer.Typer(no_args_is_help=True, help="Try planners on finished work.")


@bench.command("planner")
def planner(
    pool: Annotated[
        Path, typer.Option("--pool", help="CSV file with a heading line, one experiment a line.")
    ],
    target: Annotated[str, typer.Option("--target", help="The measured column.")],
    goal: Annotated[Literal["max", "min"], typer.Option("--goal", help="Which end is sought.")],
    name: Annotated[
        str, typer.Option("--planner", help="A registered planner; `sdlab plugins` lists them.")
    ] = "bayesian",
    seeds: Annotated[int, typer.Option("--seeds", help="Replays.")] = 20,
    budget: Annotated[
        int | None,
        typer.Option("--budget", help="Evaluations in a replay; by default 60, or half the table."),
    ] = None,
    init: Annotated[
        int, typer.Option("--init", help="Random evaluations before the first choice.")
    ] = 2,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Setting of the planner, key=value; repeatable."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", help="Column that is neither setting nor target; repeatable."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--json", help="Write numbers and rows here.")] = None,
) -> None:
    """Replay a planner on a table of finished experiments, as if each were yet to be made.

    It may choose only what the table holds, and learns the target of what it chose. The table
    printed tells which share of the best 5 % it found on average over the budget (area), when the
    first of them came, and what choice at random would give exactly. Ctrl-C prints what is
    finished. Columns of text are categories.

    Example: `sdlab bench planner --pool yields.csv --target yield --goal max --ignore sample`
    """
    from orchestrator.benchmarking import Bench, as_record
    from planners.benchmarking import pool_from_csv

    table = pool_from_csv(pool, target=target, maximize=goal == "max", ignore=ignore or ())
    asked = Bench(
        pool=table,
        planner=name,
        settings=_parsed(settings or []),
        n_seeds=seeds,
        budget=min(60, len(table) // 2) if budget is None else budget,
        n_starts=init,
    )
    finished = _with_a_bar(asked)
    if not finished:
        typer.secho("interrupted before the first replay was finished", err=True)
        raise typer.Exit(130)
    found = asked.found(finished)
    _show(asked, found)
    if out is not None:
        out.write_text(json.dumps(as_record(asked, found, finished, pool), indent=1))
    if len(finished) < seeds:
        typer.secho(f"interrupted; {len(finished)} of {seeds} replays are told", err=True)
        raise typer.Exit(130)


def _parsed(settings: list[str]) -> dict[str, object]:
    """Return key=value as a mapping; a value is JSON where it can be read so, else text."""
    from orchestrator.errors import CampaignError

    found: dict[str, object] = {}
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign or not key.strip():
            raise CampaignError(
                f"--set {setting!r} was found; expected key=value, such as --set n_initial=5"
            )
        try:
            found[key.strip()] = json.loads(value)
        except json.JSONDecodeError:
            found[key.strip()] = value
    return found


def _with_a_bar(asked: Bench) -> list[Replay]:
    """Return the finished replays, all of them unless a person interrupts."""
    from rich.console import Console
    from rich.progress import Progress

    finished: list[Replay] = []
    each = asked.budget - asked.n_starts
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"{asked.planner} chooses", total=asked.n_seeds * each)
        try:
            for one in asked.replays(lambda: progress.advance(bar)):
                finished.append(one)  # noqa: PERF402  kept one by one, as it may be interrupted
        except KeyboardInterrupt:
            return finished
    return finished


def _show(asked: Bench, found: Found) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    wanted = asked.pool.objective.targets[0]
    console.print(
        f"{wanted.goal} {wanted.quantity} in {asked.pool.name}: {len(asked.pool)} candidates, "
        f"{found.n_top} in the best 5 %; {found.planner.n_seeds} replays of {asked.budget} "
        f"evaluations, {asked.n_starts} of them random"
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("planner", "area %", "90 % of mean", "first hit", "found at end", "CPU s"):
        table.add_column(heading, justify="left" if heading == "planner" else "right", no_wrap=True)
    s = found.planner
    table.add_row(
        asked.planner,
        f"{s.area:.1f}",
        f"{s.low:.1f} … {s.high:.1f}",
        f"{s.first_hit:g}",
        f"{100 * s.found:.0f} %",
        f"{s.cpu_seconds:.3f}",
    )
    table.add_row(
        "by chance, exactly",
        f"{found.random_area:.1f}",
        "",
        str(found.random_first_hit),
        f"{100 * asked.budget / len(asked.pool):.0f} %",
        "",
    )
    console.print(table)
