"""Where trained weights are kept: one folder a recipe, with a card that says how good they are.

Weights are built, never shipped: `sdlab train` makes them from a recipe and a seed. A folder is
named by the agent and a hash of all that its content depends on, and appears in one step when it
is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import platformdirs

from analysis.errors import WeightsNotTrained

VARIABLE = "SDLAB_CACHE"
"""Environment variable that names the cache's folder."""

CARD = "card.json"
LIBRARIES = ("numpy", "scipy", "torch", "scikit-learn", "gemmi")


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of trained weights.

    Attributes
    ----------
    agent, recipe, seed : what was trained, by which recipe.
    digest : hash of everything that the weights depend on.
    figures : name → number, e.g. ``held_out.exact_set``; on data that took no part in training.
    sentences : how it was trained and tested, what it has not seen; for a person.
    reliability : question → (stated probability, frequency, number) of each bin of probabilities,
        on data that took no part in what states them.
    cpu_seconds : of the training.
    versions : library → version.
    """

    agent: str
    recipe: str
    seed: int
    digest: str
    figures: Mapping[str, float] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    reliability: Mapping[str, Sequence[tuple[float, float, int]]] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)


def cache() -> Path:
    """Return the folder of all weights: in `SDLAB_CACHE`, else in the user's cache."""
    named = os.environ.get(VARIABLE)
    return (Path(named) if named else platformdirs.user_cache_path("sdlab")) / "weights"


def digest_of(content: Mapping[str, object]) -> str:
    """Return a hash of JSON-like content: recipe, structures, format; 16 hexadecimal digits.

    Raises
    ------
    TypeError
        The content is not JSON-like.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def folder_of(agent: str, digest: str) -> Path:
    """Return where the weights of an agent stand, whether they are there or not."""
    return cache() / agent / digest


def find(agent: str, digest: str, *, command: str) -> Path:
    """Return the folder of trained weights.

    Parameters
    ----------
    command : what a person types to train them.

    Raises
    ------
    WeightsNotTrained
        They have not been trained here.
    """
    folder = folder_of(agent, digest)
    if not (folder / CARD).exists():
        raise WeightsNotTrained(
            f"{agent} has no weights for these settings in {folder.parent}; train them once with\n"
            f"    {command}"
        )
    return folder


@contextmanager
def building(agent: str, digest: str) -> Iterator[Path]:
    """Yield an empty folder to write weights and card into; it takes its place at the end.

    Whatever stops the training leaves nothing half done. Weights that were there are replaced.
    """
    final = folder_of(agent, digest)
    final.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{digest}-", dir=final.parent))
    try:
        yield made
        if final.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{digest}-old-", dir=final.parent))
            final.replace(old / "weights")
            made.replace(final)
            shutil.rmtree(old)
        else:
            made.replace(final)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write_card(folder: Path, card: Card) -> None:
    """Write the card of weights, library versions filled in."""
    told = asdict(card) | {"versions": dict(card.versions) or _versions()}
    (folder / CARD).write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


def read_card(folder: Path) -> Card:
    """Return the card in a folder of weights."""
    told = json.loads((folder / CARD).read_text())
    return Card(**{**told, "sentences": tuple(told["sentences"])})


def cards() -> list[Card]:
    """Return the cards of all weights that stand in the cache, by agent and recipe."""
    found = [read_card(path.parent) for path in sorted(cache().glob(f"*/[0-9a-f]*/{CARD}"))]
    return sorted(found, key=lambda c: (c.agent, c.recipe, c.seed))


def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
