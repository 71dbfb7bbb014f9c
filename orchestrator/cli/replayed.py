"""What a replay found, as text on a terminal."""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.insight import Estimate
from orchestrator.replay.alternatives import OtherProposal, OtherReading
from orchestrator.replay.past import Past
from orchestrator.replay.replaying import Decision
from orchestrator.store import software_versions
from planners.proposal import Proposal

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 140)
"""As wide as the terminal; a file gets whole lines."""

SAME = 1e-9
"""Distance in the unit cube below which two proposals count as one."""


def print_differences(past: Past, decisions: Sequence[Decision]) -> bool:
    """Print which decisions are not what is recorded; return whether there are any."""
    different = [d for d in decisions if d.differs]
    counts = Counter(d.kind for d in decisions)
    kinds = ", ".join(f"{n} {kind}{'s' * (n != 1)}" for kind, n in counts.items())
    if not different:
        console.print(f"all {len(decisions)} decisions identical: {kinds}")
        return False
    console.print(f"{len(different)} of {len(decisions)} decisions differ: {kinds}")
    table = _table("#", "decision", "by")
    table.add_column("then → now", overflow="fold")
    for d in different:
        table.add_row(str(d.number), d.kind, d.by, Text("\n".join(_first(d.differs))))
    console.print(table)
    _print_versions(past)
    return True


def print_other_planner(past: Past, name: str, found: Sequence[OtherProposal]) -> None:
    """Print proposal by proposal what another planner would have chosen."""
    names = past.campaign.space.names
    table = _table("#", "planner", *names, "expected", "distance")
    for one in found:
        other = _cells(one.other, names) if one.other else ["–"] * (len(names) + 1)
        distance = "–" if one.distance is None else f"{one.distance:.3f}"
        table.add_row(str(one.number), one.then.reason.planner, *_cells(one.then, names), "")
        table.add_row("", name, *other, distance)
    console.print(table)
    distances = [one.distance for one in found if one.distance is not None]
    same = sum(d < SAME for d in distances)
    console.print(
        f"{name} would have chosen the same point in {same} of {len(found)} experiments"
        + (
            f"; median distance {statistics.median(distances):.3f} of the space's diagonal"
            if distances
            else ""
        )
    )
    for one in found:
        if one.other is None:
            console.print(f"  experiment {one.number}: {one.why}")


def print_other_readings(past: Past, names: Sequence[str], found: Sequence[OtherReading]) -> None:
    """Print quantity by quantity what other agents would have read."""
    table = _table("#", "quantity", "then", "other", "difference")
    for one in found:
        deviation = "–" if one.deviation is None else f"{one.deviation:+.1f} σ"
        table.add_row(
            str(one.number), one.quantity, _estimate(one.then), _estimate(one.other), deviation
        )
    own = ", ".join(choice.use for choice in past.campaign.agents)
    console.print(f"then: {own}   other: {', '.join(names)}")
    console.print(table)
    both = [abs(one.deviation) for one in found if one.deviation is not None]
    told = sum(one.other is not None for one in found)
    console.print(
        f"{', '.join(names)} could tell {told} of {len(found)} quantities"
        + (f"; {sum(d > 3 for d in both)} of {len(both)} differ by more than 3 σ" if both else "")
    )
    for number, why in {one.number: one.why for one in found if one.other is None}.items():
        console.print(Text(f"  experiment {number}: {why or 'its agents say nothing of it'}"))


def _print_versions(past: Past) -> None:
    now = software_versions()
    then = past.record.versions
    changed = [n for n in dict.fromkeys([*then, *now]) if then.get(n) != now.get(n)]
    if not changed:
        console.print("the software is the one the campaign ran with")
        return
    table = _table("software", "then", "now")
    for name in changed:
        table.add_row(name, then.get(name, "absent"), now.get(name, "absent"))
    console.print(table)


def _first(differs: Sequence[str], most: int = 4) -> list[str]:
    more = [f"… and {len(differs) - most} more"] if len(differs) > most else []
    return [*differs[:most], *more]


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _cells(proposal: Proposal, names: Sequence[str]) -> list[str]:
    values = [proposal.values[n] for n in names]
    shown = [v if isinstance(v, str) else f"{v:.4g}" for v in values]
    predicted = proposal.reason.predicted.values()
    return [*shown, "\n".join(f"{p.mean:.4g} ± {p.std:.2g}" for p in predicted) or "–"]


def _estimate(estimate: Estimate | None) -> str:
    return "–" if estimate is None else str(estimate)
