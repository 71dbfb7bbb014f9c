"""What a person reads before a campaign starts and after it ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from orchestrator.acting.current import current
from orchestrator.cli.gantt import gantt
from orchestrator.control import Ending, best, spent
from orchestrator.forecast import Forecast
from orchestrator.fronts import front_of, is_front
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.laboratories.reporting import reporters
from orchestrator.launch import Prepared
from orchestrator.report.front import size_in_words
from orchestrator.report.words import duration
from orchestrator.run import Run
from orchestrator.sharing.schedule import Schedule
from orchestrator.space_tables import columns_left_out
from orchestrator.store import Store
from orchestrator.telling import in_words
from planners.objective import Objective, Target
from planners.proposal import Observation
from planners.space import SearchSpace

console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
"""Breaks lines between words on a terminal, and leaves them whole for a file."""

_VERBS = {
    "finished": "ended",
    "interrupted": "was interrupted",
    "waiting": "waits for you",
    "stopped": "was stopped",
    "cancelled": "was cancelled",
}

MARGIN = "  "

WIDEST = 120
"""Columns of the widest chart."""


def print_plan(prepared: Prepared) -> None:
    """Print what is sought and with what."""
    campaign, laboratory = prepared.campaign, prepared.laboratory
    time = "virtual time" if laboratory.clock.is_virtual else "the time of its hosts"
    kind = f"simulated or recorded, in {time}" if laboratory.simulated else "real instruments"
    title = "[bold]dry run of[/] " if prepared.dry_run else ""
    console.print(f"{title}[bold]{campaign.name}[/]  on {laboratory.name}, {kind}")
    for target in campaign.objective.targets:
        console.print(f"  wanted   {wanted(target)}")
    for p in campaign.space.parameters:
        if p.names[0] not in campaign.space.listed:
            console.print(f"  search   {_range(p)}")
    if campaign.space.candidates is not None:
        listed = campaign.space.candidates
        console.print(f"  search   {len(listed)} candidates over {', '.join(listed.columns)}")
        for line in list_lines(campaign.space, columns_left_out(prepared.campaign_source)):
            console.print(f"           {line}")
    for line in context_lines(prepared):
        console.print(f"  context  {line}")
    agents = ", ".join(prepared.match.agents)
    console.print(f"  means    {campaign.planner.use} planner · {agents} · seed {campaign.seed}")


def list_lines(space: SearchSpace, left_out: Sequence[str]) -> list[str]:
    """Return which names are free beside a list, and what of its table is not used."""
    free = [name for name in space.names if name not in space.listed]
    lines = [f"free, with any row of the list: {', '.join(free)}"] if free else []
    both = [name for name in left_out if name in free]
    if both:
        lines.append(
            f"{', '.join(both)}: free although the table has a column of that name; name it under "
            "`columns` if only the table's values can be made"
        )
    rest = [name for name in left_out if name not in free]
    if rest:
        lines.append(f"columns of the table that are not used: {', '.join(rest)}")
    return lines


def context_lines(prepared: Prepared) -> list[str]:
    """Return who reports each context variable."""
    matched, laboratory = prepared.match, prepared.laboratory
    makers = {name: laboratory.describe(name) for name in matched.synthesizers}
    told = {v.name: reporters(v, matched.agents, makers) for v in prepared.campaign.space.context}
    return [
        f"{name}, reported by {', '.join(found)}"
        if found
        else f"{name}: nobody declares to report it; an agent's answers may, else it is not used"
        for name, found in told.items()
    ]


def wanted(target: Target) -> str:
    """Return a target for a person."""
    unit = f" {target.unit}" if target.unit else ""
    if target.goal == "match":
        tolerance = f" ± {target.tolerance:g}" if target.tolerance else ""
        return f"{target.quantity} = {target.value:g}{tolerance}{unit}"
    if target.goal == "boundary":
        return f"find where {target.quantity} = {target.value:g}{unit}"
    if target.goal == "explore":
        return f"map {target.quantity}"
    level = ""
    if target.value is not None:
        level = f" {'≥' if target.goal == 'maximize' else '≤'} {target.value:g}{unit}"
    return f"{target.goal} {target.quantity}{level}"


def print_forecast(expected: Forecast, laboratory: Laboratory) -> None:
    """Print what the whole budget will take."""
    console.print(
        f"  takes    {duration(expected.hours)} ± {duration(expected.hours_std)} of instruments' "
        f"time for {expected.experiments} experiments, about {expected.money:.0f} "
        f"{laboratory.currency}"
    )
    for name, hours in expected.instrument_hours.items():
        console.print(f"           {name:<18} {duration(hours):>9}")
    several = len({s.instrument for s in expected.supplies}) > 1
    for s in expected.supplies:
        unit = "" if s.unit == "1" else f" {s.unit}"
        what = f"{s.instrument} {s.name}" if several else s.name
        mark = "" if s.is_enough else "  [red]not enough[/]"
        console.print(f"           {what:<18} {s.needed:>9.4g}{unit} of {s.stock:g} in stock{mark}")


def print_schedule(expected: Schedule) -> None:
    """Print when the instruments will work for which experiment."""
    for line in gantt(expected, width=min(console.width, WIDEST) - len(MARGIN)):
        console.print(Text(MARGIN) + line, soft_wrap=True)


def print_summary(run: Run, store: Store, folder: Path, ending: Ending, *, prefect: bool) -> None:
    """Print how the campaign ended, its best experiment, and where to look next."""
    ended = store.observations(run.id)
    known = current(ended)
    used = spent(run)
    verb = _VERBS[ending.status]
    console.print(f"\n[bold]{run.campaign.name}[/] {verb}: {ending.reason}")
    failed = sum(o.failed for _, o in ended)
    console.print(
        f"  used     {len(ended)} experiments ({failed} failed), "
        f"{duration(used.hours)} of laboratory time, {used.money:.0f} {run.laboratory.currency}"
    )
    print_front(run.campaign.objective, known)
    is_one = not is_front(run.campaign.objective)
    index = best(run.campaign, [o for _, o in known]) if is_one else None
    if index is not None:
        number, observation = known[index]
        console.print(f"  best     experiment {number}: {in_words(run, observation.values)}")
        for line in outcome_lines(run.campaign.objective, observation):
            console.print(f"           {line}")
    if ending.status in ("interrupted", "waiting", "stopped"):
        console.print(f"  go on    sdlab resume {run.id}")
    from orchestrator.report import write_report

    path = write_report(store, run.id, folder / "reports")
    console.print(f"  report   {path}", soft_wrap=True)
    console.print(f"  look     sdlab show {run.id}" + (f" · sdlab ui {run.id}" if prefect else ""))


def print_front(objective: Objective, known: Sequence[tuple[int, Observation]]) -> None:
    """Print the experiments that no other beats in every target, and how much they dominate.

    Parameters
    ----------
    known : what is known of each sample, under the number of the experiment that made it.
    """
    found = front_of(objective, [o for _, o in known])
    if found is None:
        return
    console.print("  front    experiments that no other beats in every target")
    for number, observation in (known[i] for i in found.members):
        shown = " · ".join(outcome_lines(objective, observation))
        console.print(f"           {number:>3}  {shown}")
    console.print(f"           {size_in_words(objective, found)}")


def outcome_lines(objective: Objective, observation: Observation) -> list[str]:
    """Return every known quantity of an experiment, with a doubt worth a warning."""
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
