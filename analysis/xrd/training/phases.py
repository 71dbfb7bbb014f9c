"""Training of `xrd.phases`: an ensemble of networks that name the phases of a mixture.

Importing this file imports torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis import weights
from analysis.learning.calibration import expected_calibration_error
from analysis.learning.fitting import Batch, Schedule, train
from analysis.learning.networks import CurveNet
from analysis.physics.crystal import Crystal
from analysis.trainers import Told
from analysis.xrd.artefacts import Ranges
from analysis.xrd.dataset import Mixtures, Variants, draw_variants, mix
from analysis.xrd.network_input import View
from analysis.xrd.radiation import Radiation
from analysis.xrd.training.contents import content
from analysis.xrd.training.ensemble import Member, Networks

FloatArray = NDArray[np.float64]

AGENT = "xrd.phases"
FORMAT = 8
"""Raised when weights of an older form can no longer be read."""

LOW, HIGH, STEP = 10.0, 80.0, 0.05
TWO_THETA = np.round(np.arange(LOW, HIGH + STEP / 2, STEP), 6)
"""(n_points,) grid [deg] on which the networks look."""

FRACTION_SHARE = 0.3
"""Weight of the fractions' cross-entropy beside that of the phases."""


UNSEEN = Ranges(
    strain=0.012,
    size=(70.0, 3000.0),
    microstrain=(5e-5, 4e-3),
    w=(1.5e-3, 1.8e-2),
    texture=(0.3, 3.0),
    textured=0.7,
    displacement=0.25,
    background=(0.05, 5.0),
    order=7,
    rise=(0.0, 5.0),
    counts=(500.0, 1e5),
)
"""Wider than anything trained with: what held-out patterns are made of, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the networks are trained.

    Attributes
    ----------
    n_variants : patterns of each phase that are mixed.
    most_phases : in a mixture.
    members : networks that see patterns.
    steps : of each of them.
    second_steps : of the network that sees pair distances, the second opinion.
    batch : patterns a step.
    n_decisions : simulated patterns from which the decision after refinement is learnt.
    ranges : of the artefacts that the networks learn from.
    unseen : wider ones, for that decision and for held-out patterns.
    """

    name: str
    n_variants: int
    members: int
    steps: int
    second_steps: int
    n_decisions: int
    batch: int = 128
    width: int = 16
    dropout: float = 0.3
    most_phases: int = 4
    ranges: Ranges = field(default_factory=Ranges)
    unseen: Ranges = UNSEEN


RECIPES = {
    "tiny": Recipe(
        "tiny", 12, members=2, steps=100, second_steps=40, n_decisions=12, batch=64, width=8
    ),
    "standard": Recipe("standard", 200, members=2, steps=1300, second_steps=500, n_decisions=100),
}


def digest(crystals: Sequence[Crystal], radiation: Radiation, recipe: Recipe, seed: int) -> str:
    """Return the hash of everything that the weights depend on."""
    return weights.digest_of(
        {
            "format": FORMAT,
            "recipe": asdict(recipe),
            "seed": seed,
            "radiation": asdict(radiation),
            "crystals": [content(c) for c in crystals],
        }
    )


def train_networks(
    crystals: Sequence[Crystal],
    radiation: Radiation,
    recipe: Recipe,
    *,
    seed: int,
    told: Told,
) -> Networks:
    """Return networks trained on simulated mixtures of the candidates."""
    variants = _variants(crystals, radiation, recipe.n_variants, recipe.ranges, (seed, 0), told)
    members = []
    for k in range(recipe.members + 1):
        second = k == recipe.members
        view = View(TWO_THETA, radiation.wavelength, pair_distances=second)
        steps = recipe.second_steps if second else recipe.steps
        network = _network(view, variants, recipe, steps, (seed, 1 + k), told)
        members.append(Member(view, network))
    names = tuple(c.name for c in crystals)
    return Networks(names, tuple(range(len(names))), tuple(members))


def held_out(
    crystals: Sequence[Crystal],
    radiation: Radiation,
    recipe: Recipe,
    *,
    n: int,
    seed: int,
    ranges: Ranges,
) -> Mixtures:
    """Return mixtures of fresh variants, with artefacts of these ranges."""
    quiet: Told = lambda what, done, of: None  # noqa: E731, ARG005
    variants = _variants(crystals, radiation, max(n // 20, 4), ranges, (seed, 100), quiet)
    rng = np.random.default_rng([seed, 101])
    return mix(variants, n, most_phases=recipe.most_phases, ranges=ranges, rng=rng)


def figures(networks: Networks, test: Mixtures, *, seed: int) -> dict[str, float]:
    """Return how well the networks alone name the phases of simulated mixtures."""
    probability = networks.draws(test.counts, passes=5, seed=seed).mean(axis=0)
    named = probability > 0.5
    right = (named & test.visible).sum()
    return {
        "exact_set": float((named == test.visible).all(axis=1).mean()),
        "precision": float(right / max(named.sum(), 1)),
        "recall": float(right / max(test.visible.sum(), 1)),
        "calibration_error": expected_calibration_error(
            probability[probability > 0.01], test.visible[probability > 0.01]
        ),
    }


def stopwatch() -> Callable[[], float]:
    """Return a function that tells the CPU seconds since now."""
    begin = time.process_time()
    return lambda: time.process_time() - begin


def _variants(
    crystals: Sequence[Crystal],
    radiation: Radiation,
    n: int,
    ranges: Ranges,
    seed: tuple[int, int],
    told: Told,
) -> Variants:
    return draw_variants(
        crystals,
        TWO_THETA,
        radiation=radiation,
        n=n,
        ranges=ranges,
        rng=np.random.default_rng(seed),
        told=lambda done, of: told("patterns of single phases", done, of),
    )


def _network(
    view: View,
    variants: Variants,
    recipe: Recipe,
    steps: int,
    seed: tuple[int, int],
    told: Told,
) -> CurveNet:
    n_phases = len(variants.columns)

    def batches(step: int) -> Batch:
        made = mix(
            variants,
            recipe.batch,
            most_phases=recipe.most_phases,
            ranges=recipe.ranges,
            rng=np.random.default_rng([*seed, step]),
        )
        hidden = (made.fractions > 0) & ~made.visible
        return (
            torch.as_tensor(view(made.counts)),
            torch.as_tensor(made.visible, dtype=torch.float32),
            torch.as_tensor(made.fractions, dtype=torch.float32),
            torch.as_tensor(~hidden, dtype=torch.float32),
        )

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1000 * seed[0] + seed[1])
        network = CurveNet(view.n_points, 2 * n_phases, width=recipe.width, dropout=recipe.dropout)
        train(
            network,
            batches,
            _loss,
            Schedule(steps),
            told=lambda done, of: told(f"network {seed[1]} of {recipe.members + 1}", done, of),
        )
    return network


def _loss(outputs: Tensor, batch: Batch) -> Tensor:
    """Return the loss of phases and fractions; a phase that is there but unseen does not count."""
    _, visible, fractions, counted = batch
    n = visible.shape[1]
    apart = torch.nn.functional.binary_cross_entropy_with_logits(
        outputs[:, :n], visible, reduction="none"
    )
    shares = -(fractions * torch.log_softmax(outputs[:, n:], dim=1)).sum(dim=1).mean()
    return (apart * counted).sum(dim=1).mean() + FRACTION_SHARE * shares
