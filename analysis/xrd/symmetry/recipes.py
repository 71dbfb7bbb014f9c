"""Settings of `xrd.symmetry`, and the recipes by which its trees are grown."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pydantic import BaseModel, ConfigDict, Field

from analysis import weights
from analysis.trainers import named_recipe
from analysis.xrd.radiation import Radiation
from analysis.xrd.settings import RadiationSettings

AGENT = "xrd.symmetry"
FORMAT = 5
"""Counts up when the same recipe would give other weights."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How trees are grown.

    Attributes
    ----------
    n_examples : simulated patterns, about 0.5 CPU seconds each.
    n_trees : trees of the forest.
    smallest_leaf : least examples in a leaf.
    folds : parts in turn held out, for calibration and for the card.
    """

    name: str
    n_examples: int
    n_trees: int
    smallest_leaf: int = 3
    folds: int = 5


RECIPES = {
    "tiny": Recipe("tiny", n_examples=30, n_trees=40, folds=3),
    "standard": Recipe("standard", n_examples=400, n_trees=400),
}


class SymmetrySettings(BaseModel):
    """What a campaign file says under the agent ``xrd.symmetry``.

    Attributes
    ----------
    radiation : of the instrument.
    recipe, seed : which of the grown forests is asked; ``sdlab train`` makes them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    radiation: RadiationSettings = RadiationSettings()
    recipe: str = "standard"
    seed: int = Field(default=0, ge=0)


def recipe_of(settings: SymmetrySettings) -> Recipe:
    """Return the recipe that settings name.

    Raises
    ------
    BadSettings
        There is no such recipe.
    """
    return named_recipe(settings.recipe, RECIPES, agent=AGENT)


def digest(radiation: Radiation, recipe: Recipe, seed: int) -> str:
    """Return the hash of everything that the weights depend on."""
    return weights.digest_of(
        {
            "format": FORMAT,
            "recipe": asdict(recipe),
            "seed": seed,
            "radiation": asdict(radiation),
        }
    )
