"""`sdlab list agents`: what each agent answers, by which method, and how well it is trained."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.weights import Card

_PAPER = re.compile(r"doi:10\.\S+?(?=[),;.:]*(?:\s|$))|arXiv:[\d.]+\d")


@dataclass(frozen=True, slots=True)
class Described:
    """An installed agent.

    Attributes
    ----------
    name : as a campaign uses it.
    technique : what its measurements are of; ``any`` for an agent without one.
    question : what it answers, the first line of its module.
    method : the first paragraph below; empty if there is none.
    papers : DOIs and arXiv numbers in both.
    """

    name: str
    technique: str
    question: str
    method: str
    papers: tuple[str, ...]


def described() -> list[Described]:
    """Return the installed agents by name, read from their source without importing it."""
    found = sorted(entry_points(group="sdlab.agents"), key=lambda entry: entry.name)
    return [describe(entry.name, _docstring(entry.module)) for entry in found]


def describe(name: str, docstring: str) -> Described:
    """Return what a module's docstring says of the agent in it."""
    first, *others = [" ".join(part.split()) for part in docstring.split("\n\n")]
    return Described(
        name=name,
        technique=name.split(".")[0] if "." in name else "any",
        question=first.removeprefix(f"{name}: ").rstrip("."),
        method=others[0] if others else "",
        papers=tuple(dict.fromkeys(_PAPER.findall(docstring))),
    )


def list_agents() -> None:
    """Print the installed agents, each with its question, method, papers and cards."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from analysis.weights import cards

    console, trained = Console(highlight=False), cards()
    for agent in described():
        console.print(Text(f"{agent.name}  ", style="bold").append(agent.technique, "not bold"))
        for line in [agent.question, agent.method, ", ".join(agent.papers)]:
            if line:
                console.print(Padding(Text(line), (0, 0, 0, 2)))
        for line in card_lines([card for card in trained if card.agent == agent.name]):
            console.print(Padding(Text(line), (0, 0, 0, 2)))


def card_lines(cards: Sequence[Card]) -> list[str]:
    """Return a line a card: recipe, seed and the figures measured on held-out data."""
    return [
        f"trained: {card.recipe}, seed {card.seed}"
        + "".join(f", {name} = {value:.3g}" for name, value in card.figures.items())
        for card in cards
    ]


def _docstring(module: str) -> str:
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return "its source is not here; reinstall the package that brings it"
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return ast.get_docstring(tree) or "it does not say what it answers"
