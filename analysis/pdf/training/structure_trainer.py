"""What `sdlab train pdf.structure` does: shapes, curves, a network, its calibration and card.

Importing this file imports torch.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from analysis import weights
from analysis.pdf.clusters import Cluster, ideal_clusters
from analysis.pdf.dataset import SimulatedCurves
from analysis.pdf.structure.network import StructureNet
from analysis.pdf.structure.settings import (
    AGENT,
    Recipe,
    StructureSettings,
    digest,
    recipe_of,
)
from analysis.pdf.structure.shapes import Shape, learnt_shapes
from analysis.pdf.structure.trained import Plane, save
from analysis.pdf.training.structure import Lesson, fit
from analysis.pdf.training.structure_calibration import (
    Case,
    calibrated,
    cases,
    doubts,
    figures,
    strangers,
)
from analysis.trainers import Told
from analysis.weights import Card

_FOLDS = 5
_STRANGE = 4
"""Curves that calibrate for every mixture of two clusters besides."""
_SMALLEST = 12
_CALIBRATED = (13, 200)
"""Fewest and most atoms of clusters that calibrate."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Regular clusters, by what they are for.

    Attributes
    ----------
    learnt, calibration, test : clusters; no parent stands in two.
    """

    learnt: list[Cluster]
    calibration: list[Cluster]
    test: list[Cluster]


def parts(recipe: Recipe, seed: int) -> Parts:
    """Return which regular clusters are learnt, which calibrate, which are for tests alone."""
    clusters = ideal_clusters(most_atoms=recipe.most_atoms)
    order = np.random.default_rng((seed, 5)).permutation(np.arange(len(clusters)) % _FOLDS)
    return Parts(
        [c for c, fold in zip(clusters, order, strict=True) if fold > 1],
        [c for c, fold in zip(clusters, order, strict=True) if fold == 1],
        [c for c, fold in zip(clusters, order, strict=True) if fold == 0],
    )


def train(
    settings: Mapping[str, object], folder: Path, *, recipe: str, seed: int, told: Told
) -> Path:
    """Train, calibrate, and return the folder of the weights.

    Raises
    ------
    pydantic.ValidationError, BadSettings
        The settings are wrong.
    """
    del folder  # no file is read
    asked = StructureSettings.model_validate({**settings, "recipe": recipe, "seed": seed})
    chosen = recipe_of(asked.recipe)
    begin = time.process_time()
    key = digest(chosen, seed)
    split = parts(chosen, seed)
    shapes = shapes_to_learn(chosen, split, seed)
    network = taught(shapes, chosen, seed=seed, told=told)
    few = [c for c in split.calibration if _CALIBRATED[0] <= len(c) <= _CALIBRATED[1]]
    rng = np.random.default_rng((seed, 7))
    answers = cases(network, few, chosen.n_calibration, rng=rng, told=partial(told, "calibration"))
    n_mixed = max(2, chosen.n_calibration // _STRANGE)
    mixed = strangers(network, few, n_mixed, rng=rng, told=partial(told, "strangers"))
    with weights.building(AGENT, key) as made:
        save(made, network, calibrated([*answers, *mixed]), Plane.of(network, shapes))
        spent = time.process_time() - begin
        weights.write_card(made, _card(chosen, seed, answers, mixed, split, shapes, spent))
    return weights.folder_of(AGENT, key)


def shapes_to_learn(recipe: Recipe, split: Parts, seed: int) -> list[Shape]:
    """Return what the network learns; random shapes that repeat a kept cluster are left out."""
    return learnt_shapes(
        split.learnt,
        [*split.calibration, *split.test],
        count=recipe.random_shapes,
        rng=np.random.default_rng((seed, 0)),
        atoms=(_SMALLEST, recipe.most_atoms),
    )


def taught(shapes: Sequence[Shape], recipe: Recipe, *, seed: int, told: Told) -> StructureNet:
    """Return a network that has learnt these shapes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = StructureNet(width=recipe.width)
        fit(
            network,
            Lesson.of(shapes),
            SimulatedCurves(shapes),
            steps=recipe.steps,
            batch=recipe.batch,
            rate=recipe.rate,
            rng=np.random.default_rng((seed, 1)),
            told=partial(told, "training"),
        )
    return network


def _card(
    recipe: Recipe,
    seed: int,
    answers: Sequence[Case],
    mixed: Sequence[Case],
    split: Parts,
    shapes: Sequence[Shape],
    spent: float,
) -> Card:
    """Return the card; its figures are of the second half of answers, calibrated on the first."""
    half = len(answers) // 2
    calibration, rest = calibrated([*answers[:half], *mixed[::2]]), answers[half:]
    return Card(
        AGENT,
        recipe.name,
        seed,
        digest(recipe, seed),
        figures={f"unseen.{k}": v for k, v in figures(rest, calibration).items()},
        sentences=_sentences(recipe, split, shapes),
        reliability={"the structure is wrong": doubts([*rest, *mixed[1::2]], calibration)},
        cpu_seconds=spent,
    )


def _sentences(recipe: Recipe, split: Parts, shapes: Sequence[Shape]) -> tuple[str, ...]:
    n_clusters = len(split.learnt) + len(split.calibration) + len(split.test)
    return (
        f"A conditional variational autoencoder with a plane of two numbers, {recipe.steps} steps "
        f"of {recipe.batch} curves of {len(shapes)} shapes: regular clusters up to "
        f"{recipe.most_atoms} atoms, the same with atoms missing, random polyhedra and ellipsoids.",
        f"Of {n_clusters} regular clusters a fifth was kept for calibration and a fifth for tests, "
        "by parent; neither was learnt, nor random shapes equal to one of them.",
        f"Figures are of {recipe.n_calibration - recipe.n_calibration // 2} simulated G(r) with "
        "slow errors, noise, noise that grows with Q, or another Q_damp, most of clusters with "
        "atoms missing; calibrated on as many others. What is kept was calibrated on all.",
        "Wrong means another lattice, a mean position error above 0.5 Å, or a curve of two "
        "clusters of different lattices, as every fifth that calibrates doubt.",
    )
