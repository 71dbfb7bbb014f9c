"""`sdlab analyze`: one agent on one file, without a campaign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from analysis.insight import Insight
    from analysis.protocols import Agent, AgentFactory


def analyze(
    agent: Annotated[str, typer.Argument(help="The agent, such as `xrd.quantify`.")],
    file: Annotated[Path, typer.Argument(help="Pattern: .xy .xye .xrdml .chi .dat .csv")],
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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Write the fit as a .png or .svg picture.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the agent's randomness.")] = 0,
) -> None:
    """Read one pattern with one agent.

    Example: `sdlab analyze xrd.quantify mixture.xye --phases cifs/ --plot fit.png`
    """
    import numpy as np

    from instruments.formats import read_measurement
    from orchestrator.registry import agent_factory

    if plot is not None:
        _check_plot(plot)
    options = _settings(settings)
    if phases:
        options["phases"] = phases if len(phases) > 1 else _one(phases[0])
    made = _make(agent_factory(agent), agent, options)
    measurement = read_measurement(file, technique=made.technique or "xrd", wavelength=wavelength)
    insight = made.analyze([measurement], rng=np.random.default_rng(seed))
    if plot is not None:
        _write_plot(insight, plot)
    if as_json:
        typer.echo(json.dumps(_as_data(insight), indent=2))
    else:
        _print(insight)
    if insight.abstained:
        raise typer.Exit(2)


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


def _as_data(insight: Insight) -> dict[str, object]:
    covariance = None if insight.covariance is None else insight.covariance.tolist()
    return {
        "agent": insight.agent,
        "abstained": insight.abstained,
        "estimates": {
            key: {"value": e.value, "std": e.std, "unit": e.unit}
            for key, e in insight.estimates.items()
        },
        "covariance": {"keys": list(insight.covariance_keys), "matrix": covariance},
        "class_probabilities": {k: dict(v) for k, v in insight.class_probabilities.items()},
        "p_wrong": insight.p_wrong,
        "novelty": insight.novelty,
        "quality": dict(insight.quality),
        "remarks": list(insight.remarks),
    }


def _print(insight: Insight) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(title=insight.agent, title_justify="left", box=None, pad_edge=False)
    for heading, side in (("quantity", "left"), ("value", "right"), ("± std", "right")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    table.add_column("unit")
    for key, e in insight.estimates.items():
        std = "?" if e.std is None else f"{e.std:.2g}"
        table.add_row(key, f"{e.value:.5g}", std, e.unit)
    if insight.estimates:
        console.print(table)
    for name, value in insight.quality.items():
        console.print(f"{name} = {value:.4g}")
    if insight.p_wrong is not None:
        console.print(f"probability that this is wrong: {insight.p_wrong:.0%}")
    for remark in insight.remarks:
        console.print(f"remark: {remark}")


def _check_plot(path: Path) -> None:
    from analysis.errors import AnalysisError

    if path.suffix not in (".png", ".svg"):
        raise AnalysisError(f"{path.name} must end in .png or .svg")
    if not path.parent.is_dir():
        raise AnalysisError(f"there is no folder {path.parent} for the picture; make it first")


def _write_plot(insight: Insight, path: Path) -> None:
    from analysis.errors import AnalysisError
    from orchestrator.report.figures import pattern_figure

    if "pattern" not in insight.evidence:
        raise AnalysisError("the agent gave no fit to draw: " + "; ".join(insight.remarks))
    picture = pattern_figure(insight.evidence["pattern"], format=path.suffix[1:])
    try:
        path.write_bytes(picture)
    except OSError as error:
        raise AnalysisError(f"{path} cannot be written ({error.strerror})") from error
