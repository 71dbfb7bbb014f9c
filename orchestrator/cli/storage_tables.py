"""Tables of stock and of where things are, readable in 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from orchestrator.store.storage_records import UNLIMITED, Handover, Level, Whereabouts

console = Console(highlight=False)


def print_levels(levels: Sequence[Level]) -> None:
    """Print what is left of each consumable."""
    for scope in dict.fromkeys(level.scope for level in levels):
        table = _table(scope, ("instrument", "consumable"), ("left", "in use", "reserved", "free"))
        notes = []
        for level in (n for n in levels if n.scope == scope):
            unit = "" if level.unit in ("", "1") else f" {level.unit}"
            kept = sum(level.reserved.values())
            free = level.left - level.aside - kept
            mark = "[red]" if free < 0 else ""
            amounts = (f"{level.left:.6g}{unit}", _amount(level.aside), _amount(kept))
            table.add_row(level.instrument, level.consumable, *amounts, f"{mark}{free:.6g}")
            notes += [
                f"{who}: {n:.4g}{unit} {level.consumable}" for who, n in level.reserved.items()
            ]
        console.print(table)
        for note in notes:
            console.print(f"  reserved for {note}", soft_wrap=True)


def print_things(things: Sequence[Whereabouts]) -> None:
    """Print where things are."""
    for scope in dict.fromkeys(thing.scope for thing in things):
        table = _table(scope, ("thing", "kind", "where", "since"))
        here = [thing for thing in things if thing.scope == scope]
        for thing in here:
            since = f"{thing.since:%m-%d %H:%M}"
            table.add_row(thing.thing, thing.kind, _place(thing.holder, thing.slot), since)
        console.print(table)
        for doubt in (thing.doubt for thing in here if thing.doubt is not None):
            console.print(
                f"  [yellow]in doubt:[/] {doubt.thing} may be in "
                f"{_place(doubt.taker, doubt.taker_slot)} since {doubt.offered:%m-%d %H:%M}, for "
                f"{doubt.command_id}",
                soft_wrap=True,
            )


def print_history(handovers: Sequence[Handover]) -> None:
    """Print the hand-overs of one thing, oldest first."""
    table = _table("hand-overs", ("offered", "from", "to", "what became of it", "for"))
    for h in handovers:
        became = "[yellow]in doubt[/]"
        if h.accepted is not None:
            became = f"arrived {h.accepted:%m-%d %H:%M}"
        elif h.withdrawn is not None:
            became = f"never left ({h.withdrawn:%m-%d %H:%M})"
        places = (_place(h.giver, h.giver_slot), _place(h.taker, h.taker_slot))
        command = h.command_id.partition("/")[2] or h.command_id
        table.add_row(f"{h.offered:%m-%d %H:%M}", *places, became, command)
    console.print(table)


def _table(title: str, words: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for word in words:
        table.add_column(word, overflow="fold")
    for number in numbers:
        table.add_column(number, justify="right")
    return table


def _place(holder: str, slot: str) -> str:
    return holder if holder in UNLIMITED or slot == "1" else f"{holder}:{slot}"


def _amount(amount: float) -> str:
    return f"{amount:.4g}" if amount else "–"
