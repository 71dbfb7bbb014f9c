"""What a plug-in that trains an agent, or fits its training to an instrument, must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from analysis.errors import BadSettings
from instruments.measurement import Measurement


class Told(Protocol):
    """Hears of progress."""

    def __call__(self, what: str, done: int, of: int) -> None:
        """Hear what is being done, and how much of how much is done."""
        ...


R = TypeVar("R")


def named_recipe(name: str, recipes: Mapping[str, R], *, agent: str) -> R:
    """Return the recipe of that name.

    Raises
    ------
    BadSettings
        There is no such recipe.
    """
    if name not in recipes:
        raise BadSettings(f"{agent} has no recipe {name!r}; there are {', '.join(recipes)}")
    return recipes[name]


class Trainer(Protocol):
    """What an entry point of the group ``sdlab.trainers`` names; it bears the agent's name."""

    def __call__(
        self,
        settings: Mapping[str, object],
        folder: Path,
        *,
        recipe: str,
        seed: int,
        told: Told,
    ) -> Path:
        """Train with an agent's settings, keep the weights, and return their folder.

        Parameters
        ----------
        settings, folder : as an agent's factory takes them.
        recipe, seed : which recipe, with which seed; the same ones give the same weights.
        told : hears of the progress.

        Raises
        ------
        pydantic.ValidationError, AnalysisError
            The settings are wrong.
        """
        ...


class Adapter(Protocol):
    """What an entry point of the group ``sdlab.adapters`` names; it bears the agent's name."""

    def __call__(
        self, measurements: Sequence[Measurement], settings: Mapping[str, object], folder: Path
    ) -> dict[str, object]:
        """Return settings that make the simulations of the training look like measurements.

        Parameters
        ----------
        measurements : as they are made here, of any samples, without labels.
        settings, folder : as an agent's factory takes them.

        Raises
        ------
        pydantic.ValidationError, AnalysisError
            The settings are wrong, or the measurements cannot be read.
        """
        ...
