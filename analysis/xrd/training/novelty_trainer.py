"""What `sdlab train xrd.novelty` does: reads simulated samples with the networks of `xrd.phases`.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from analysis import weights
from analysis.learning.outlying import area_under_curve
from analysis.physics.crystal import Crystal
from analysis.trainers import Told, named_recipe
from analysis.weights import Card
from analysis.xrd.candidates import PhasesSettings, considered, namer_of, recipe_of
from analysis.xrd.strangeness import Watcher, clouds_of
from analysis.xrd.training import novelty
from analysis.xrd.training.ensemble import Networks, load
from analysis.xrd.training.novelty import AGENT, AMOUNTS, Amounts, Calibration
from analysis.xrd.training.phases import AGENT as NETWORKS
from analysis.xrd.training.phases import TWO_THETA, Recipe, held_out, stopwatch
from analysis.xrd.training.phases import digest as networks_digest
from analysis.xrd.training.phases_trainer import strangers
from analysis.xrd.unexplained import QuickScreen


class NoveltySettings(PhasesSettings):
    """What a campaign file says under the agent ``xrd.novelty``: as for ``xrd.phases``.

    Attributes
    ----------
    false_alarms : share of patterns from the training world that may be called novel.
    """

    false_alarms: float = Field(default=0.05, gt=0, lt=1)


def watched(settings: NoveltySettings, folder: Path) -> tuple[tuple[Crystal, ...], Networks, str]:
    """Return all candidates, their trained networks, and the networks' digest.

    Raises
    ------
    BadPhase, BadSettings
        A candidate cannot be read, or there is no such recipe.
    WeightsNotTrained
        The networks of `xrd.phases` have not been trained; the message names the command.
    """
    crystals = tuple(settings.crystals(folder))
    radiation = settings.radiation.radiation()
    key = networks_digest(crystals, radiation, recipe_of(settings), settings.seed)
    found = weights.find(NETWORKS, key, command=command(NETWORKS, settings))
    return crystals, load(found, two_theta=TWO_THETA, wavelength=radiation.wavelength), key


def quick_screen(
    settings: NoveltySettings, crystals: Sequence[Crystal], networks: Networks
) -> QuickScreen:
    """Return the screen of some candidates."""
    return QuickScreen(
        crystals,
        TWO_THETA,
        namer_of(settings, crystals, networks).columns,
        radiation=settings.radiation.radiation(),
        resolution=settings.resolution.resolution(),
    )


def command(agent: str, settings: NoveltySettings) -> str:
    """Return what a person types to train an agent."""
    return (
        f"sdlab train {agent} --recipe {settings.recipe} --seed {settings.seed} --settings FILE, "
        "with the same phases and radiation in FILE (a campaign file will do)"
    )


def key_of(settings: NoveltySettings, networks: str) -> str:
    """Return the digest of the weights of `xrd.novelty`.

    Raises
    ------
    BadSettings
        There is no such recipe.
    """
    return novelty.digest(networks, named_recipe(settings.recipe, AMOUNTS, agent=AGENT))


def train(
    settings: Mapping[str, object], folder: Path, *, recipe: str, seed: int, told: Told
) -> Path:
    """Calibrate for the candidates in `settings`; return the folder of the weights.

    Candidates that are excluded take part: what is learnt serves with and without them.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadSettings, WeightsNotTrained
        The settings are wrong, or `xrd.phases` has not been trained for them.
    """
    asked = NoveltySettings.model_validate(
        {**settings, "recipe": recipe, "seed": seed, "excluded": ()}
    )
    crystals, networks, networks_key = watched(asked, folder)
    considered(asked, crystals)
    chosen, amounts = recipe_of(asked), named_recipe(recipe, AMOUNTS, agent=AGENT)
    clock, key = stopwatch(), key_of(asked, networks_key)
    radiation, foreign = asked.radiation.radiation(), strangers(crystals)
    world = held_out(
        crystals, radiation, chosen, n=amounts.cloud, seed=seed + 1, ranges=chosen.ranges
    )
    watcher = Watcher(
        networks, clouds_of(networks, world.counts), quick_screen(asked, crystals, networks)
    )
    with weights.building(AGENT, key) as made:
        learnt = novelty.learn(
            watcher,
            crystals,
            foreign,
            radiation,
            ranges=chosen.ranges,
            amounts=amounts,
            seed=seed,
            told=told,
        )
        novelty.write(made, learnt, watcher.clouds)
        found = _figures(watcher, learnt, crystals, foreign, asked, chosen, amounts)
        weights.write_card(made, _card(asked, key, found, learnt, amounts, clock()))
    return weights.folder_of(AGENT, key)


def _figures(
    watcher: Watcher,
    learnt: Calibration,
    crystals: Sequence[Crystal],
    foreign: Sequence[Crystal],
    asked: NoveltySettings,
    chosen: Recipe,
    amounts: Amounts,
) -> dict[str, float]:
    """Return alarms and areas under curves on fresh samples of every kind."""
    radiation = asked.radiation.radiation()

    def scored(who: Sequence[Crystal], which: int, ranges: object) -> tuple[np.ndarray, np.ndarray]:
        drawn = novelty.samples(
            crystals,
            who,
            radiation,
            ranges=ranges,  # type: ignore[arg-type]
            n=amounts.tested,
            seed=(asked.seed, 900 + which),
        )
        signs = [watcher.signs(counts) for counts in drawn]
        areas = np.array([s.rest.area for s in signs])
        return learnt.strange.probability([s.features for s in signs]), areas

    calm, calm_area = scored((), 0, chosen.ranges)
    found = {"in the world.alarms": _alarms(learnt, calm, asked.false_alarms)}
    wider, _ = scored((), 1, chosen.unseen)
    found["wider artefacts.alarms"] = _alarms(learnt, wider, asked.false_alarms)
    outside = novelty.kinds(amounts.tested, chosen.ranges, foreign)
    for k, (name, who, its, _) in enumerate(outside):
        wild, area = scored(who, 2 + k, its)
        found[f"{name}.alarms"] = _alarms(learnt, wild, asked.false_alarms)
        found[f"{name}.auroc"] = area_under_curve(calm, wild)
        found[f"{name}.auroc of the unexplained area"] = area_under_curve(calm_area, area)
    return found


def _alarms(learnt: Calibration, scores: np.ndarray, share: float) -> float:
    return float(np.mean(learnt.known.p_value(scores) <= share))


def _card(
    asked: NoveltySettings,
    key: str,
    found: Mapping[str, float],
    learnt: Calibration,
    amounts: Amounts,
    spent: float,
) -> Card:
    return Card(
        AGENT,
        asked.recipe,
        asked.seed,
        key,
        figures=found,
        sentences=(
            "The networks are those of xrd.phases with the same recipe and seed; nothing of them "
            "was trained again.",
            f"Strangeness was learnt on {amounts.learnt} simulated samples in their world and as "
            "many outside (half with a phase that is no candidate); p-values are conformal, from "
            f"{len(learnt.known.scores)} further samples in the world.",
            f"Figures are of {amounts.tested} fresh samples of each kind; no measured pattern took "
            "part.",
        ),
        cpu_seconds=spent,
    )
