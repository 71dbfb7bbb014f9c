"""`sdlab train`: build the weights that an agent needs, once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Options = dict[str, object]


def train(
    agent: Annotated[str, typer.Argument(help="The agent, such as `xrd.phases`.")],
    recipe: Annotated[
        str, typer.Option("--recipe", help="`standard` for use, `tiny` to try it out.")
    ] = "standard",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of everything drawn.")] = 0,
    phases: Annotated[
        list[str] | None,
        typer.Option(
            "--phases",
            help="Candidates: folder of CIFs, a CIF, or a built-in structure; repeatable.",
        ),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings", help="TOML file: the agent's settings, or a campaign that uses it."
        ),
    ] = None,
) -> None:
    """Train an agent's networks on simulated measurements and keep them in the cache.

    Weights belong to their settings: other candidates or another wavelength need their own. Nothing
    is left half done when it is stopped. `SDLAB_CACHE` moves the cache.

    Example: `sdlab train xrd.phases --phases cifs/ --recipe standard`
    """
    from analysis import weights
    from orchestrator.registry import trainer

    options, folder = settings_of(settings, agent)
    if phases:
        options["phases"] = phases if len(phases) > 1 or not Path(phases[0]).is_dir() else phases[0]
        folder = Path.cwd()
    teach = trainer(agent)
    with _Progress() as told:
        place = teach(options, folder, recipe=recipe, seed=seed, told=told)
    _print(weights.read_card(place), place)


def settings_of(path: Path | None, agent: str) -> tuple[Options, Path]:
    """Return an agent's settings, in a file of their own or a campaign's, and their folder."""
    if path is None:
        return {}, Path.cwd()
    from analysis.errors import BadSettings
    from orchestrator.toml_source import read_toml

    found = read_toml(path).data
    listed = found.get("agents")
    if listed is None:
        return dict(found), path.resolve().parent
    used = listed if isinstance(listed, list) else []
    mine = [a for a in used if isinstance(a, dict) and a.get("use") == agent]
    if not mine:
        others = ", ".join(str(a.get("use")) for a in used if isinstance(a, dict)) or "none"
        raise BadSettings(f"{path} uses no agent {agent}; its agents are: {others}")
    return dict(mine[0].get("settings", {})), path.resolve().parent


class _Progress:
    """A bar for each kind of work, on the error stream."""

    def __enter__(self) -> _Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        self._bars: dict[str, object] = {}
        self._progress = Progress(
            TextColumn("{task.description:32}"),
            BarColumn(),
            MofNCompleteColumn(),
            Remaining(),
            console=Console(stderr=True),
        )
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, what: str, done: int, of: int) -> None:
        bar = self._bars.get(what)
        if bar is None:
            bar = self._bars[what] = self._progress.add_task(what, total=of)
        self._progress.update(bar, completed=done)  # type: ignore[arg-type]


def _print(card: object, place: Path) -> None:
    from rich.console import Console

    from analysis.weights import Card

    assert isinstance(card, Card)
    console = Console(highlight=False)
    console.print(
        f"{card.agent}, recipe {card.recipe}, seed {card.seed}: {card.cpu_seconds:.0f} CPU s"
    )
    for sentence in card.sentences:
        console.print(f"  {sentence}")
    for name, number in card.figures.items():
        console.print(f"  {name} = {number:.3g}")
    console.print(f"kept in {place}", soft_wrap=True)
    if card.reliability:
        from orchestrator.report.figures import reliability_figure

        picture = place / "calibration.png"
        title = f"{card.agent}, recipe {card.recipe}: what was said, and what came true"
        picture.write_bytes(reliability_figure(card.reliability, title=title))
        console.print(f"its calibration is drawn in {picture}", soft_wrap=True)
