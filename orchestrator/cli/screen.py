"""What a person sees while a campaign runs: now, best so far, time left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Literal

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.acting.current import current
from orchestrator.acting.words import again_in_words
from orchestrator.control import best
from orchestrator.fronts import front
from orchestrator.report.words import duration
from orchestrator.run import Run, Step
from planners.parameters import Value
from planners.proposal import Observation, Proposal

NARROWEST = 7
"""Width of a column of numbers."""


class Screen:
    """A live display on a terminal; where the output goes to a file, the table of results alone."""

    def __init__(self, run: Run, console: Console | None = None) -> None:
        self._run = run
        self._console = console or Console(highlight=False)
        self._now = "starting"
        self._note = ""
        self._done = run.history.observations(run.id)
        self._already = len(self._done)
        self._since = datetime.now().astimezone()
        self._headed = False
        self._live = Live(
            console=self._console,
            refresh_per_second=8,
            get_renderable=self._draw,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Screen:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        if self._console.is_terminal:
            self._live.stop()
        return False

    def watching(self, run: Run) -> Run:
        """Return the run with this screen as its watcher."""
        self._run = replace(run, watch=self.watch)
        return self._run

    def say(self, sentence: str) -> None:
        """Show a sentence that is not a step: a line that stays, or while time counts, a note."""
        news = sentence.partition(" (")[0] != self._note.partition(" (")[0]
        waits = sentence.endswith(" s)")
        self._note = sentence
        if (news and not self._console.is_terminal) or not waits:
            self._line(f"  {sentence}")
        if not waits and self._run.laboratory.clock.is_virtual:
            self._note = ""  # what a person is asked for stays in sight; the rest was said

    def watch(self, step: Step) -> None:
        """Show a step; each finished experiment leaves a row behind, each failure a line."""
        self._now = f"experiment {step.number} · {step.verb} · {step.text}"
        if step.verb == "propose":
            self._note = ""
        if step.state == "failed":
            self._line(f"{step.number:>4}  {step.verb} failed: {step.text}", style="red")
        elif step.verb == "score":
            self._row(step.number)
        if step.verb == "score":
            self._done = self._run.history.observations(self._run.id)

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)

    def _row(self, number: int) -> None:
        """Print settings and outcomes of an experiment under a heading of their names."""
        experiment = self._run.history.experiment(self._run.id, number)
        if experiment is None or experiment.observation is None:
            return
        names, quantities = self._run.campaign.space.names, self._run.campaign.objective.quantities
        heads = self._heads()
        widths = [max(NARROWEST, *map(len, head)) for head in heads[: len(names)]]
        widths += [max(2 * NARROWEST + 1, *map(len, head)) for head in heads[len(names) :]]
        if not self._headed:
            self._headed = True
            self._line(_row_of("#", [h[0] for h in heads], widths), style="bold")
            if any(h[1] for h in heads):
                self._line(_row_of("", [h[1] for h in heads], widths), style="dim")
        cells = [_setting(experiment.proposal, n) for n in names]
        cells += [_outcome(experiment.observation, q) for q in quantities]
        row = _row_of(str(number), cells, widths)
        again = experiment.proposal.measure_again
        told = "" if again is None else f"  {again_in_words(again, self._run.campaign)}"
        self._line(row + told)

    def _heads(self) -> list[tuple[str, str]]:
        """Return two lines of heading for each column: name over unit, quantity over phase."""
        space, objective = self._run.campaign.space, self._run.campaign.objective
        settings = [(name, space.parameter(name).unit) for name in space.names]
        return settings + [_over(_short(q)) for q in objective.quantities]

    def _draw(self) -> Group:
        campaign, done = self._run.campaign, self._done
        known = current(done)
        told = [observation for _, observation in known]
        total = campaign.budget.experiments
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True, min_width=len("progress"))
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row("now", Text(self._now))
        if several := front(campaign, told):
            listed = ", ".join(str(known[i][0]) for i in several)
            grid.add_row("front", Text(f"experiments {listed}"))
        elif (index := best(campaign, told)) is not None:
            quantities = campaign.objective.quantities  # value first: a cut takes the name
            shown = [f"{_outcome(told[index], q)} {_short(q)}" for q in quantities]
            grid.add_row("best", Text(f"experiment {known[index][0]} · " + " · ".join(shown)))
        grid.add_row("progress", f"{len(done)} of at most {total} experiments{self._left()}")
        if self._note:
            grid.add_row("note", Text(self._note))
        bar = Table.grid()  # a bar by itself ends without a new line
        bar.add_row(ProgressBar(total=total, completed=len(done), width=60))
        return Group(Text(), bar, grid)

    def _left(self) -> str:
        """Return the time left, from how long the experiments of this session took."""
        here = len(self._done) - self._already
        if not here:
            return ""
        now = datetime.now().astimezone()
        each = (now - self._since).total_seconds() / 3600 / here
        left = each * (self._run.campaign.budget.experiments - len(self._done))
        until = f", until {now + timedelta(hours=left):%a %H:%M}"
        is_virtual = self._run.laboratory.clock.is_virtual
        return f" · at most {duration(left)} left{'' if is_virtual else until}"


def _short(quantity: str) -> str:
    """Return ``rutile weight_fraction`` for ``xrd.weight_fraction.rutile``."""
    return " ".join(reversed(quantity.split(".")[1:])) or quantity


def _over(text: str) -> tuple[str, str]:
    """Return ``(weight_fraction, rutile)`` for ``rutile weight_fraction``."""
    phase, _, kind = text.rpartition(" ")
    return kind, phase


def _row_of(number: str, cells: list[str], widths: list[int]) -> str:
    cells = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    return "  ".join([f"{number:>3}", *cells])


def _setting(proposal: Proposal, name: str) -> str:
    value: Value = proposal.values[name]
    return value if isinstance(value, str) else f"{value:.4g}"


def _outcome(observation: Observation, quantity: str) -> str:
    if quantity not in observation.outcomes:
        return "–"
    std = observation.stds.get(quantity)
    error = "" if std is None else f"±{std:.2g}"
    return f"{observation.outcomes[quantity]:.4g}{error}"
