"""What `sdlab train xrd.symmetry` does: simulated patterns, read; trees; then a card.

Importing this file imports scikit-learn.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis import weights
from analysis.trainers import Told
from analysis.weights import Card
from analysis.xrd.radiation import Radiation
from analysis.xrd.symmetry.recipes import AGENT, Recipe, SymmetrySettings, digest, recipe_of
from analysis.xrd.symmetry.simulation import Example, draw_example
from analysis.xrd.training.symmetry import learn


def train(
    settings: Mapping[str, object], folder: Path, *, recipe: str, seed: int, told: Told
) -> Path:
    """Train for the radiation in `settings`; return the folder of the weights.

    Raises
    ------
    pydantic.ValidationError, BadSettings
        The settings are wrong.
    """
    del folder  # no file is read
    asked = SymmetrySettings.model_validate({**settings, "recipe": recipe, "seed": seed})
    radiation, chosen = asked.radiation.radiation(), recipe_of(asked)
    begin = time.process_time()
    key = digest(radiation, chosen, seed)
    with weights.building(AGENT, key) as made:
        drawn = draw_examples(chosen.n_examples, radiation=radiation, seed=seed, told=told)
        learnt, figures, tables = learn(drawn, chosen, seed=seed)
        learnt.save(made)
        spent = time.process_time() - begin
        weights.write_card(made, _card(chosen, seed, key, figures, tables, spent))
    return weights.folder_of(AGENT, key)


def draw_examples(n: int, *, radiation: Radiation, seed: int, told: Told) -> list[Example]:
    """Return simulated examples, each from a stream of its own."""
    found: list[Example] = []
    for i in range(n):
        found.append(
            draw_example(
                radiation=radiation,
                impurity=found[-1].crystal if found else None,
                rng=np.random.default_rng((seed, i)),
            )
        )
        told("patterns", i + 1, n)
    return found


def _card(
    recipe: Recipe,
    seed: int,
    key: str,
    figures: Mapping[str, float],
    reliability: Mapping[str, Sequence[tuple[float, float, int]]],
    spent: float,
) -> Card:
    return Card(
        AGENT,
        recipe.name,
        seed,
        key,
        figures=figures,
        sentences=(
            f"{recipe.n_trees} extremely randomised trees on {recipe.n_examples} simulated "
            "patterns of random crystals, each searched for cells of six systems, and a logistic "
            "regression on the same; the mean of both counts.",
            f"Held-out figures are from {recipe.folds} folds over those crystals; what calibrates "
            "a fold was fitted on the others.",
            "Random crystals have no chemistry: pseudo-symmetry, as in feldspars, is rarer among "
            "them than in nature. Trigonal crystals count as hexagonal.",
            "Importances are mean decreases of impurity.",
        ),
        reliability=reliability,
        cpu_seconds=spent,
    )
