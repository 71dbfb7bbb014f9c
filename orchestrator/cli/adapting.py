"""`sdlab adapt`: fit the simulations that an agent learns from to patterns as measured here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer


def adapt(
    agent: Annotated[str, typer.Argument(help="The agent, such as `xrd.phases`.")],
    files: Annotated[
        list[Path], typer.Argument(help="Measured files, or folders of them; of any samples.")
    ],
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings", help="TOML file: the agent's settings, or a campaign that uses it."
        ),
    ] = None,
    wavelength: Annotated[
        float | None, typer.Option("--wavelength", help="In Å, for files that do not state it.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="File for the settings, instead of the screen."),
    ] = None,
) -> None:
    """Read from measured patterns what this instrument does to them, for `sdlab train`.

    No labels are needed: widths, background, counts and range are read from the patterns. What is
    printed belongs to the agent's settings, in the campaign as in the file given to `sdlab train`.

    Example: `sdlab adapt xrd.phases scans/ --write ranges.toml`
    """
    from orchestrator.cli.analysed_files import check_alike, find_files, read_files
    from orchestrator.cli.training import settings_of
    from orchestrator.registry import adapter

    fit = adapter(agent)
    options, folder = settings_of(settings, agent)
    read = read_files(
        find_files(files), technique="xrd", wavelength=wavelength, told=lambda _: None
    )
    for file, why in read.bad:
        typer.secho(f"skipped {file}: {why}", err=True, fg="yellow")
    check_alike(read.good)
    found = fit([measurement for _, measurement in read.good], options, folder)
    text = "\n".join(_lines(found, len(read.good), agent)) + "\n"
    if write is None:
        typer.echo(text, nl=False)
        return
    _write(write, text)
    typer.echo(f"{write}; train with: sdlab train {agent} --settings {write} …")


def _lines(found: Mapping[str, object], n: int, agent: str) -> list[str]:
    lines = [f"# read from {n} patterns by sdlab adapt {agent}"]
    for name, value in found.items():
        if isinstance(value, Mapping):
            lines += [f"[{name}]", *(f"{key} = {_told(v)}" for key, v in value.items())]
        else:
            lines.append(f"{name} = {_told(value)}")
    return lines


def _told(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_told(v) for v in value) + "]"
    return repr(value)


def _write(path: Path, text: str) -> None:
    from analysis.errors import AnalysisError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AnalysisError(f"{path} cannot be written ({error.strerror})") from error
