"""What a plug-in that trains an agent must do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Told(Protocol):
    """Hears of progress."""

    def __call__(self, what: str, done: int, of: int) -> None:
        """Hear what is being done, and how much of how much is done."""
        ...


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
