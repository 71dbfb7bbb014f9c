"""`sdlab analyze`: one agent on files and folders, without a campaign."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from analysis.errors import BadPattern
    from analysis.insight import Insight
    from analysis.protocols import Agent, AgentFactory
    from instruments.measurement import Measurement
    from orchestrator.cli.analysed_output import Output

ABSTAINED, SKIPPED = 2, 3
"""Exit codes: an agent declined to answer; a file could not be read or analysed."""

MOST_ZEROS = 3
"""Estimates of exactly 0 that are listed; more are told in one line."""


def analyze(
    agent: Annotated[str, typer.Argument(help="The agent, such as `xrd.quantify`.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files or folders: .xy .xye .xrdml .chi .dat .txt .csv .fxye .gr .sq .fq .iq"
        ),
    ],
    phases: Annotated[
        list[str] | None,
        typer.Option(
            "--phases",
            help="Folder of CIFs, a CIF, or a built-in structure such as `anatase`; repeatable.",
        ),
    ] = None,
    wavelength: Annotated[
        float | None,
        typer.Option("--wavelength", help="Å; where the file does not say it."),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", help="TOML file with further settings of the agent."),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", help="One setting, `name=value` as in TOML; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json-file", help="Write every insight into this file.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write a table, one row a file.")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", help="Folder for a picture of each fit.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Write the one fit as a .png or .svg picture.")
    ] = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", help="Draw every quantity over the files, a .png or .svg picture."),
    ] = None,
    columns: Annotated[
        int | None,
        typer.Option("--columns", min=1, help="Patterns in a row of the map, taken row by row."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the agent's randomness.")] = 0,
) -> None:
    """Read files with one agent; a folder is taken in natural order, as a series.

    What is written grows file by file, so that Ctrl-C keeps what is done. The exit code is 2 if the
    agent abstained, 3 if a file was skipped.

    Example: `sdlab analyze xrd.quantify scans/ --phases cifs/ --csv cells.csv --figures fits/`
    """
    from orchestrator.cli.analysed_files import check_alike, find_files, read_files
    from orchestrator.cli.analysed_output import Output, as_data, write_figures, write_map
    from orchestrator.cli.analysed_settings import assigned
    from orchestrator.registry import agent_factory

    factory = agent_factory(agent)
    if plot is not None:
        _check_plot(plot, files)
    if map_file is not None:
        _check_picture(map_file)
    options = assigned(_settings(settings), assignments or [])
    if phases:
        options["phases"] = phases if len(phases) > 1 else _one(phases[0])
    made = _make(factory, agent, options)
    found = find_files(files)
    with _Progress("reading", len(found)) as progress:
        read = read_files(
            found,
            technique=made.technique or "xrd",
            wavelength=wavelength,
            told=lambda _: progress.step(),
        )
    check_alike(read.good)
    for file, why in read.bad:
        typer.secho(f"skipped {file}: {why}", err=True, fg="yellow")
    with Output(
        json_file=json_file, csv_file=csv_file, figures=figures, quantities=list(made.quantities)
    ) as output:
        insights = _analyse(made, read.good, output, seed=seed)
    if plot is not None:
        write_figures(insights[0], plot)
    if map_file is not None:
        place = {m.id: found.index(file) for file, m in read.good}
        write_map(
            insights,
            map_file,
            quantities=list(made.quantities),
            places=[place[insight.measurement_ids[-1]] for insight in insights],
            columns=columns,
        )
    if as_json:
        data = [as_data(insight) for insight in insights]
        typer.echo(json.dumps(data[0] if len(found) == 1 else data, indent=2))
    else:
        for insight in insights:
            _print(insight, named=len(found) > 1)
    if read.bad or len(insights) < len(read.good):
        raise typer.Exit(SKIPPED)
    if any(insight.abstained for insight in insights):
        raise typer.Exit(ABSTAINED)


def _analyse(
    agent: Agent, read: Sequence[tuple[Path, Measurement]], output: Output, *, seed: int
) -> list[Insight]:
    """Return the insights, each written as it came; a file that is no pattern is told."""
    from analysis.errors import BadPattern
    from planners.threads import one_thread

    made: list[Insight] = []
    try:
        with one_thread(), _Progress(agent.name, len(read)) as progress:
            for file, found in _insights(agent, read, seed=seed):
                if not isinstance(found, BadPattern):
                    output.add(file, found)
                    made.append(found)
                elif len(read) == 1:
                    raise found
                else:
                    typer.secho(f"skipped {file}: {found}", err=True, fg="yellow")
                progress.step()
    except KeyboardInterrupt:
        kept = f"interrupted: {len(made)} of {len(read)} files were analysed and written"
        typer.secho(kept, err=True, fg="yellow")
        raise
    return made


def _insights(
    agent: Agent, read: Sequence[tuple[Path, Measurement]], *, seed: int
) -> Iterator[tuple[Path, Insight | BadPattern]]:
    """Yield each file's insight: as a series, all at once, or one by one, as the agent can."""
    import numpy as np

    from analysis.errors import BadPattern

    rng = np.random.default_rng(seed)
    files, measurements = [file for file, _ in read], [m for _, m in read]
    for way in ("analyze_series", "analyze_together"):
        if len(read) > 1 and hasattr(agent, way):
            yield from zip(files, getattr(agent, way)(measurements, rng=rng), strict=True)
            return
    for file, measurement in read:
        try:
            yield file, agent.analyze([measurement], rng=np.random.default_rng(seed))
        except BadPattern as error:
            yield file, error


class _Progress:
    """A bar on the error stream, for more than one file."""

    def __init__(self, what: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), disable=total < 2)
        self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self) -> None:
        """Note one more file."""
        self._bar.advance(self._task)


def _one(phase: str) -> object:
    return phase if Path(phase).is_dir() else [phase]


def _settings(path: Path | None) -> dict[str, object]:
    if path is None:
        return {}
    from orchestrator.toml_source import read_toml

    return read_toml(path).data


def _make(factory: AgentFactory, name: str, options: dict[str, object]) -> Agent:
    from pydantic import ValidationError

    from analysis.errors import BadSettings

    try:
        return factory(options, Path.cwd())
    except ValidationError as error:
        lines = [_fault(e["type"], ".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        raise BadSettings(f"{name} refuses its settings: " + "; ".join(lines)) from error


def _fault(kind: str, key: str, message: str) -> str:
    if kind == "missing":
        option = "--phases or " if key == "phases" else ""
        return f"{key} is missing; give it with {option}--settings FILE"
    if kind == "extra_forbidden":
        return f"{key} is no setting that it knows; look for a misspelling"
    return f"{key}: {message}"


def _print(insight: Insight, *, named: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    title = ", ".join(insight.measurement_ids) if named else insight.agent
    if named and not insight.estimates:
        console.print(title)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading, side in (("quantity", "left"), ("value", "right"), ("± std", "right")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    table.add_column("unit")
    silent = [e.std or 0.0 for e in insight.estimates.values() if e.value == 0]
    for key, e in insight.estimates.items():
        if e.value == 0 and len(silent) > MOST_ZEROS:
            continue
        std = "?" if e.std is None else f"{e.std:.2g}"
        table.add_row(key, f"{e.value:.5g}", std, e.unit)
    if insight.estimates:
        console.print(table)
    if len(silent) > MOST_ZEROS:
        console.print(f"{len(silent)} others are 0, each ± {max(silent):.2g} or less")
    for name, value in insight.quality.items():
        console.print(f"{name} = {value:.4g}")
    if insight.p_wrong is not None:
        console.print(f"probability that this is wrong: {insight.p_wrong:.0%}")
    if insight.abstained:
        console.print("the agent abstains")
    for remark in insight.remarks:
        console.print(f"remark: {remark}")


def _check_plot(path: Path, files: Sequence[Path]) -> None:
    from analysis.errors import AnalysisError

    _check_picture(path)
    if len(files) > 1 or files[0].is_dir():
        raise AnalysisError("--plot draws one file; for several give a folder with --figures")


def _check_picture(path: Path) -> None:
    from analysis.errors import AnalysisError
    from orchestrator.cli.analysed_output import check_folder

    if path.suffix not in (".png", ".svg"):
        raise AnalysisError(f"{path.name} must end in .png or .svg")
    check_folder(path)
