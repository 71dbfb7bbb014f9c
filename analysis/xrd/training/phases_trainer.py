"""What `sdlab train xrd.phases` does: networks, then the decision, then a card.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis import weights
from analysis.errors import BadSettings
from analysis.learning.calibration import expected_calibration_error, reliability
from analysis.physics.crystal import Crystal
from analysis.physics.structures import STRUCTURES, structure
from analysis.trainers import Told
from analysis.weights import Card
from analysis.xrd.candidates import PhasesSettings, namer_of, recipe_of
from analysis.xrd.naming import FEATURES
from analysis.xrd.radiation import Radiation
from analysis.xrd.training import decisions
from analysis.xrd.training.ensemble import Networks, save
from analysis.xrd.training.phases import (
    AGENT,
    Recipe,
    digest,
    figures,
    held_out,
    stopwatch,
    train_networks,
)

N_HELD_OUT = 300
"""Simulated patterns on which the card's figures are found."""

SAME_CELL = 0.02
"""Relative difference of volume per atom below which phases of one formula are taken as alike."""


def train(
    settings: Mapping[str, object], folder: Path, *, recipe: str, seed: int, told: Told
) -> Path:
    """Train for the candidates in `settings`; return the folder of the weights.

    Raises
    ------
    pydantic.ValidationError, BadPhase, BadSettings
        The settings are wrong.
    """
    asked = PhasesSettings.model_validate({**settings, "recipe": recipe, "seed": seed})
    crystals, radiation = asked.crystals(folder), asked.radiation.radiation()
    if len(crystals) < 2:
        raise BadSettings(
            f"{AGENT} chooses among candidates and was given {len(crystals)}; name at least two"
        )
    chosen = recipe_of(asked)
    clock = stopwatch()
    key = digest(crystals, radiation, chosen, seed)
    with weights.building(AGENT, key) as made:
        networks = train_networks(crystals, radiation, chosen, seed=seed, told=told)
        save(made, networks)
        seen = decisions.see(
            namer_of(asked, crystals, networks),
            strangers(crystals),
            radiation,
            ranges=chosen.unseen,
            n=chosen.n_decisions,
            seed=seed,
            told=told,
        )
        learnt = decisions.learn_decisions(seen)
        decisions.write(made, learnt)
        spent = clock()
        trial = decisions.cross_validate(seen)
        found = _figures(crystals, radiation, chosen, networks, learnt, seed) | _of_trial(trial)
        weights.write_card(made, _card(crystals, chosen, seed, key, found, trial, spent))
    return weights.folder_of(AGENT, key)


def strangers(
    crystals: Sequence[Crystal], *, among: Sequence[Crystal] | None = None
) -> list[Crystal]:
    """Return the structures that are no candidates, nor like one.

    Parameters
    ----------
    among : where to look; the structure library if None.
    """
    looked = [structure(name) for name in STRUCTURES] if among is None else among
    return [s for s in looked if not any(_alike(s, c) for c in crystals)]


def _alike(a: Crystal, b: Crystal) -> bool:
    """Return whether two crystals could be one phase: same formula, about the same density."""
    same = sorted(a.composition) == sorted(b.composition)
    return a.name == b.name or (same and abs(a.density / b.density - 1.0) < SAME_CELL)


def _figures(
    crystals: Sequence[Crystal],
    radiation: Radiation,
    recipe: Recipe,
    networks: Networks,
    learnt: decisions.Decisions,
    seed: int,
) -> dict[str, float]:
    """Return figures of the networks alone, and the slopes of the decision."""
    found: dict[str, float] = {}
    for name, ranges in (("as_trained", recipe.ranges), ("unseen_artefacts", recipe.unseen)):
        test = held_out(crystals, radiation, recipe, n=N_HELD_OUT, seed=seed, ranges=ranges)
        told = figures(networks, test, seed=seed)
        found |= {f"networks.{name}.{k}": v for k, v in told.items()}
    slopes = zip(FEATURES, learnt.phase.slopes, strict=True)
    return found | {f"decision.slope.{name}": s for name, s in slopes}


def _of_trial(trial: decisions.Trial) -> dict[str, float]:
    """Return how far the decisions' probabilities are off, by cross-validation."""
    wrong = np.asarray(trial.wrong) - np.asarray(trial.was_wrong, dtype=np.float64)
    return {
        "decision.cross_validated.phase_error": expected_calibration_error(
            trial.phase, trial.present
        ),
        "decision.cross_validated.set_brier": float(np.mean(wrong**2)),
        "decision.cross_validated.sets_wrong": float(np.mean(trial.was_wrong)),
    }


def _rows(stated: Sequence[float], yes: Sequence[bool]) -> list[tuple[float, float, int]]:
    return [(b.stated, b.frequency, b.n) for b in reliability(stated, yes, n_bins=5)]


def _card(
    crystals: Sequence[Crystal],
    recipe: Recipe,
    seed: int,
    key: str,
    found: Mapping[str, float],
    trial: decisions.Trial,
    spent: float,
) -> Card:
    n = (recipe.members * recipe.steps + recipe.second_steps) * recipe.batch
    return Card(
        AGENT,
        recipe.name,
        seed,
        key,
        figures=found,
        sentences=(
            f"{recipe.members} networks that see patterns and one that sees pair distances, {n} "
            f"simulated mixtures of {len(crystals)} candidates: "
            + ", ".join(c.name for c in crystals),
            f"The decision after refinement was learnt on {recipe.n_decisions} samples with wider "
            "artefacts, skewed peaks, a zero shift and, in every third, a phase that is no "
            "candidate.",
            f"Figures are of {N_HELD_OUT} fresh mixtures; no measured pattern took part.",
        ),
        reliability={
            "a phase is there": _rows(trial.phase, trial.present),
            "the set is wrong": _rows(trial.wrong, trial.was_wrong),
        },
        cpu_seconds=spent,
    )
