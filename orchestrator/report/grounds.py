"""What a choice rests on, as headed lists for a page, a terminal or an artifact."""

from __future__ import annotations

from collections.abc import Iterable

from planners.grounds import point_in_words
from planners.proposal import Grounds, Observation

HEADINGS = (
    ("reduces", "It would make surer"),
    ("evidence", "It rests on"),
    ("would_change", "What would have changed it"),
)
"""Field of `Grounds` → heading."""


Numbered = Iterable[tuple[int, Observation]]
"""Finished experiments with their numbers."""


def headed(grounds: Grounds, known: Numbered) -> list[tuple[str, tuple[str, ...]]]:
    """Return heading and sentences of every part that says something.

    Parameters
    ----------
    known : experiments that are called by their number; a planner knows their settings only.
    """
    numbers = {f"{{{point_in_words(o.values)}}}": n for n, o in known}
    parts = [(heading, tuple(getattr(grounds, name))) for name, heading in HEADINGS]
    return [
        (heading, tuple(_numbered(s, numbers) for s in said)) for heading, said in parts if said
    ]


def _numbered(sentence: str, numbers: dict[str, int]) -> str:
    for point, number in numbers.items():
        sentence = sentence.replace(f"the experiment at {point}", f"experiment {number}")
        sentence = sentence.replace(f"at {point}", f"of experiment {number}")
    return sentence


def as_markdown(grounds: Grounds, known: Numbered) -> str:
    """Return headed lists as Markdown; empty if there are no grounds."""
    lists = [
        f"**{heading}**\n\n" + "\n".join(f"- {sentence}" for sentence in said)
        for heading, said in headed(grounds, known)
    ]
    return "\n\n".join(lists)


def as_lines(grounds: Grounds, known: Numbered) -> list[str]:
    """Return indented lines for a terminal."""
    lines = []
    for heading, said in headed(grounds, known):
        lines.append(f"  {heading.lower()}")
        lines += [f"    · {sentence}" for sentence in said]
    return lines
