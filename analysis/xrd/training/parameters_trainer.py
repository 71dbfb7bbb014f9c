"""What `sdlab train xrd.parameters` does: networks, then intervals and doubt, then a card.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis import weights
from analysis.trainers import Told, named_recipe
from analysis.weights import Card
from analysis.xrd.parameter_settings import ParametersSettings
from analysis.xrd.rapid_fit import RapidFit
from analysis.xrd.reading import Reader
from analysis.xrd.training import parameters_calibration as calibration
from analysis.xrd.training.parameters import (
    AGENT,
    RECIPES,
    Recipe,
    digest,
    save,
    train_ensemble,
)
from analysis.xrd.training.parameters_samples import Strangeness
from analysis.xrd.training.phases import stopwatch
from analysis.xrd.training.phases_trainer import strangers
from analysis.xrd.world import World

HELD_OUT = 1_000_003
"""Added to the seed for the patterns of the card."""


def recipe_of(settings: ParametersSettings) -> Recipe:
    """Return the recipe that settings name.

    Raises
    ------
    BadSettings
        There is no such recipe.
    """
    return named_recipe(settings.recipe, RECIPES, agent=AGENT)


def key_of(settings: ParametersSettings, world: World) -> str:
    """Return the hash under which the weights for these settings are kept."""
    return digest(
        world,
        recipe_of(settings),
        background_order=settings.background_order,
        seed=settings.seed,
    )


def train(
    settings: Mapping[str, object], folder: Path, *, recipe: str, seed: int, told: Told
) -> Path:
    """Train for the system in `settings`; return the folder of the weights.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadSettings
        The settings are wrong.
    """
    asked = ParametersSettings.model_validate({**settings, "recipe": recipe, "seed": seed})
    world, chosen = asked.world(folder), recipe_of(asked)
    fit = RapidFit(world, background_order=asked.background_order)
    clock = stopwatch()
    key = key_of(asked, world)
    with weights.building(AGENT, key) as made:
        ensemble = train_ensemble(fit.columns, chosen, seed=seed, told=told)
        save(made, ensemble)
        reader = Reader(ensemble, fit)
        told("intervals and doubt", 0, 1)
        learnt = calibration.learn(
            reader,
            strangers(world.crystals),
            chosen.conditions,
            n=chosen.n_calibration,
            n_unlike=chosen.n_unlike,
            seed=seed,
        )
        calibration.write(made, learnt)
        told("intervals and doubt", 1, 1)
        spent = clock()
        found = _figures(reader, learnt, chosen, seed)
        weights.write_card(made, _card(world, chosen, seed, key, found, spent))
    return weights.folder_of(AGENT, key)


def _figures(
    reader: Reader, learnt: calibration.Calibration, recipe: Recipe, seed: int
) -> dict[str, float]:
    """Return errors and coverage on fresh patterns, like the training's and unlike them."""
    world, n = reader.fit.world, recipe.n_held_out
    like = calibration.try_drawn(
        reader, learnt.factors, recipe.conditions, n=n, seed=seed + HELD_OUT
    )
    samples = calibration.draw_samples(world, (), Strangeness(), n=n, seed=seed + HELD_OUT)
    unlike = calibration.try_samples(reader, learnt.factors, samples)
    found: dict[str, float] = {}
    for name, tried in (("as_trained", like), ("unseen_artefacts", unlike)):
        told = calibration.figures(tried, world)
        found |= {f"{name}.{key}": value for key, value in told.items()}
    return found


def _card(
    world: World,
    recipe: Recipe,
    seed: int,
    key: str,
    found: Mapping[str, float],
    spent: float,
) -> Card:
    n = recipe.members * recipe.steps * recipe.batch
    low, high = world.two_theta
    return Card(
        AGENT,
        recipe.name,
        seed,
        key,
        figures=found,
        sentences=(
            f"{recipe.members} networks, {n} simulated patterns of "
            + ", ".join(c.name for c in world.crystals)
            + f" from {low:g} to {high:g}° at {world.radiation.wavelength:g} Å",
            f"Cell lengths within {world.strain:.2%} of the listed ones, sizes from "
            f"{world.size[0]:g} to {world.size[1]:g} Å, microstrain {world.microstrain:g}, "
            f"displacement up to {world.displacement:g}°, no texture.",
            f"Intervals were calibrated on {recipe.n_calibration} fresh patterns of the same kind "
            f"and {recipe.n_unlike} with other widths, microstrain, texture, leaning peaks, a zero "
            "shift and another background; the doubt was learnt on as many more of these, every "
            "third with a foreign phase.",
            f"Figures are of {recipe.n_held_out} more of either kind, without foreign phases; "
            "errors in Å, °, relative for sizes. No measured pattern took part.",
        ),
        cpu_seconds=spent,
    )
