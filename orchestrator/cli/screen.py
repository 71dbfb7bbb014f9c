"""What a person sees while a campaign runs: now, best so far, time left; and the summary."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.control import Ending, best, spent
from orchestrator.forecast import Forecast
from orchestrator.laboratory import Laboratory
from orchestrator.launch import Prepared
from orchestrator.report.words import duration
from orchestrator.run import Run, Step
from orchestrator.store import Store
from orchestrator.telling import in_words
from planners.objective import Objective, Target
from planners.proposal import Observation

console = Console(highlight=False, soft_wrap=True)


def print_plan(prepared: Prepared) -> None:
    """Print what is sought and with what."""
    campaign, laboratory = prepared.campaign, prepared.laboratory
    kind = "simulated or recorded, in virtual time" if laboratory.simulated else "real instruments"
    title = "[bold]dry run of[/] " if prepared.dry_run else ""
    console.print(f"{title}[bold]{campaign.name}[/]  on {laboratory.name}, {kind}")
    for target in campaign.objective.targets:
        console.print(f"  wanted   {wanted(target)}")
    for p in campaign.space.parameters:
        if campaign.space.candidates is None:
            console.print(f"  search   {_range(p)}")
    if campaign.space.candidates is not None:
        n = len(campaign.space.candidates)
        console.print(f"  search   {n} candidates over {', '.join(campaign.space.names)}")
    agents = ", ".join(prepared.match.agents)
    console.print(f"  means    {campaign.planner.use} planner · {agents} · seed {campaign.seed}")


def wanted(target: Target) -> str:
    """Return a target for a person."""
    unit = f" {target.unit}" if target.unit else ""
    if target.goal == "match":
        tolerance = f" ± {target.tolerance:g}" if target.tolerance else ""
        return f"{target.quantity} = {target.value:g}{tolerance}{unit}"
    level = ""
    if target.value is not None:
        level = f" {'≥' if target.goal == 'maximize' else '≤'} {target.value:g}{unit}"
    return f"{target.goal} {target.quantity}{level}"


def print_forecast(expected: Forecast, laboratory: Laboratory) -> None:
    """Print what the whole budget will take."""
    console.print(
        f"  takes    {duration(expected.hours)} ± {duration(expected.hours_std)} of laboratory "
        f"time for {expected.experiments} experiments, about {expected.money:.0f} "
        f"{laboratory.currency}"
    )
    for name, hours in expected.instrument_hours.items():
        share = hours / expected.hours if expected.hours else 0.0
        console.print(f"           {name:<18} {duration(hours):>9}  {share:>4.0%} of the time")
    for s in expected.supplies:
        unit = "" if s.unit == "1" else f" {s.unit}"
        mark = "" if s.is_enough else "  [red]not enough[/]"
        console.print(
            f"           {s.name:<18} {s.needed:>9.4g}{unit} of {s.stock:g} in stock{mark}"
        )


def print_summary(run: Run, store: Store, folder: Path, ending: Ending, *, prefect: bool) -> None:
    """Print how the campaign ended, its best experiment, and where to look next."""
    observations = [o for _, o in store.observations(run.id)]
    used = spent(run)
    verb = "ended" if ending.status == "finished" else "was interrupted"
    console.print(f"\n[bold]{run.campaign.name}[/] {verb}: {ending.reason}")
    failed = sum(o.failed for o in observations)
    console.print(
        f"  used     {len(observations)} experiments ({failed} failed), "
        f"{duration(used.hours)} of laboratory time, {used.money:.0f} {run.laboratory.currency}"
    )
    index = best(run.campaign, observations)
    if index is not None:
        console.print(f"  best     experiment {index}: {in_words(run, observations[index].values)}")
        for line in _outcome_lines(run.campaign.objective, observations[index]):
            console.print(f"           {line}")
    if ending.status == "interrupted":
        console.print(f"  go on    sdlab resume {run.id}")
    from orchestrator.report import write_report

    path = write_report(store, run.id, folder / "reports")
    console.print(f"  report   {path}")
    console.print(f"  look     sdlab show {run.id}" + (f" · sdlab ui {run.id}" if prefect else ""))


class Screen:
    """A live display on a terminal; a line an experiment where the output goes to a file."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._now = "starting"
        self._note = ""
        self._point = ""
        self._done = [o for _, o in run.history.observations(run.id)]
        self._already = len(self._done)
        self._since = datetime.now().astimezone()
        self._live = Live(
            console=console, auto_refresh=True, refresh_per_second=8, get_renderable=self._draw
        )

    def __enter__(self) -> Screen:
        if console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        if console.is_terminal:
            self._live.stop()
        return False

    def watching(self, run: Run) -> Run:
        """Return the run with this screen as its watcher."""
        self._run = replace(run, watch=self.watch)
        return self._run

    def say(self, sentence: str) -> None:
        """Show a sentence that is not a step; in a file, not again when only its time changed."""
        news = sentence.partition(" (")[0] != self._note.partition(" (")[0]
        self._note = sentence
        if news and not console.is_terminal:
            console.print(f"  {sentence}")

    def watch(self, step: Step) -> None:
        """Show a step; each finished experiment leaves a line behind."""
        self._now = f"experiment {step.number} · {step.verb} · {step.text}"
        if step.verb == "propose":
            self._note = ""
            self._point = step.text if step.state == "finished" else ""
        if step.verb == "score":
            self._done = [o for _, o in self._run.history.observations(self._run.id)]
        if step.verb == "score" or step.state == "failed":
            style = "red" if step.state == "failed" else ""
            label = f"{self._point}  →  " if step.verb == "score" else f"{step.verb}: "
            console.print(Text(f"{step.number:>5}  {label}{step.text}", style=style))

    def _draw(self) -> Group:
        campaign, done = self._run.campaign, self._done
        total = campaign.budget.experiments
        grid = Table.grid(padding=(0, 2))
        grid.add_row("now", Text(self._now, overflow="ellipsis", no_wrap=True))
        index = best(campaign, done)
        if index is not None:
            lines = _outcome_lines(campaign.objective, done[index])
            grid.add_row("best", Text(f"experiment {index} · " + " · ".join(lines)))
        grid.add_row("progress", f"{len(done)} of at most {total} experiments{self._left()}")
        if self._note:
            grid.add_row("note", self._note)
        return Group(ProgressBar(total=total, completed=len(done), width=60), grid)

    def _left(self) -> str:
        """Return the time left, from how long the experiments of this session took."""
        here = len(self._done) - self._already
        if not here:
            return ""
        now = datetime.now().astimezone()
        each = (now - self._since).total_seconds() / 3600 / here
        left = each * (self._run.campaign.budget.experiments - len(self._done))
        until = (
            ""
            if self._run.laboratory.simulated
            else f", until {now + timedelta(hours=left):%a %H:%M}"
        )
        return f" · at most {duration(left)} left{until}"


def _outcome_lines(objective: Objective, observation: Observation) -> list[str]:
    lines = []
    for quantity in objective.quantities:
        if quantity not in observation.outcomes:
            continue
        value, std = observation.outcomes[quantity], observation.stds.get(quantity)
        error = f" ± {std:.2g}" if std is not None else ""
        lines.append(f"{quantity} = {value:.4g}{error}")
    if observation.p_wrong > 0.2:
        lines.append(f"the analysis is wrong with probability {observation.p_wrong:.0%}")
    return lines


def _range(parameter: object) -> str:
    from planners.parameters import CategoricalParameter, ContinuousParameter, DiscreteParameter

    if isinstance(parameter, ContinuousParameter):
        how = (" log" if parameter.log else "") + (
            f" step {parameter.step:g}" if parameter.step else ""
        )
        return f"{parameter.name} {parameter.low:g} … {parameter.high:g} {parameter.unit}{how}"
    if isinstance(parameter, DiscreteParameter):
        listed = ", ".join(f"{v:g}" for v in parameter.values)
        return f"{parameter.name} {listed} {parameter.unit}"
    if isinstance(parameter, CategoricalParameter):
        return f"{parameter.name}: {', '.join(parameter.categories)}"
    from planners.parameters import MixtureParameter

    assert isinstance(parameter, MixtureParameter)
    return f"{' + '.join(parameter.components)} = {parameter.total:g} {parameter.unit}"
