"""What agents disagreed on in a campaign, and what became of it, from its log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.agreeing.noting import AROSE, SETTLED, STANDS
from orchestrator.store.records import Event

State = Literal["settled", "open", "under way"]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One quantity or question of one sample on which agents contradicted each other.

    Attributes
    ----------
    number : of the experiment.
    about : the quantity in words.
    said : who said what.
    state : ``settled``; ``open`` where nothing more was measured; or ``under way``.
    became : what it was settled at, or what stands; empty while under way.
    """

    number: int
    about: str
    said: str
    state: State
    became: str


def disagreements(events: Sequence[Event], *, number: int | None = None) -> list[Disagreement]:
    """Return every dispute that the log of a campaign tells of, in the order in which they arose.

    Parameters
    ----------
    number : of one experiment; None for all.
    """
    later: dict[tuple[int, str], tuple[State, str]] = {}
    for event in events:
        if event.number is not None and event.kind in (SETTLED, STANDS):
            about, said = _parts(event)
            later[event.number, about] = ("settled" if event.kind == SETTLED else "open", said)
    found = []
    for event in events:
        if event.kind != AROSE or event.number is None or number not in (None, event.number):
            continue
        about, said = _parts(event)
        state, became = later.get((event.number, about), ("under way", ""))
        found.append(Disagreement(event.number, about, said, state, became))
    return found


def about_disagreements(found: Sequence[Disagreement]) -> str:
    """Return a sentence that counts them, empty without any."""
    if not found:
        return ""
    settled = sum(d.state == "settled" for d in found)
    n = len({d.number for d in found})
    samples = "one sample" if n == 1 else f"{n} samples"
    return (
        f"On {samples} agents contradicted each other, {len(found)} times in all; "
        f"{settled} of them were settled by further measurements."
    )


def _parts(event: Event) -> tuple[str, str]:
    about, _, said = event.message.partition(":")
    return about, said.strip()
