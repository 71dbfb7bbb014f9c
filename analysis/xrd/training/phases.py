"""Training of `xrd.phases`: an ensemble of networks that name the phases of a mixture.

Importing this file imports torch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis import weights
from analysis.learning.calibration import expected_calibration_error
from analysis.learning.fitting import Batch, Schedule, train
from analysis.learning.networks import CurveNet, with_dropout
from analysis.physics.crystal import Crystal
from analysis.trainers import Told
from analysis.xrd.artefacts import Ranges
from analysis.xrd.dataset import Mixtures, Variants, draw_variants, mix
from analysis.xrd.network_input import network_input
from analysis.xrd.radiation import Radiation

FloatArray = NDArray[np.float64]

AGENT = "xrd.phases"
FORMAT = 3
"""Raised when weights of an older form can no longer be read."""

LOW, HIGH, STEP = 10.0, 80.0, 0.05
TWO_THETA = np.round(np.arange(LOW, HIGH + STEP / 2, STEP), 6)
"""(n_points,) grid [deg] on which the networks look."""

FRACTION_SHARE = 0.3
"""Weight of the fractions' cross-entropy beside that of the phases."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the networks are trained.

    Attributes
    ----------
    n_variants : patterns of each phase that are mixed.
    most_phases : in a mixture.
    members : networks of the deep ensemble (Lakshminarayanan et al. 2017, arXiv:1612.01474).
    steps, batch : of each.
    n_decisions : simulated patterns from which the decision after refinement is learnt.
    """

    name: str
    n_variants: int
    members: int
    steps: int
    n_decisions: int
    batch: int = 128
    width: int = 32
    dropout: float = 0.3
    most_phases: int = 4
    ranges: Ranges = field(default_factory=Ranges)


RECIPES = {
    "tiny": Recipe("tiny", n_variants=12, members=2, steps=100, n_decisions=12, batch=64, width=16),
    "standard": Recipe("standard", n_variants=200, members=2, steps=1600, n_decisions=60, width=24),
}

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
"""Wider than anything trained with: what held-out patterns are made of."""


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """A trained ensemble.

    Attributes
    ----------
    names : phases in the order of the outputs.
    members : each gives 2 · n_phases numbers: logits of presence, then of the fractions.
    """

    names: tuple[str, ...]
    members: tuple[CurveNet, ...]

    def draws(self, counts: FloatArray, *, passes: int, seed: int) -> FloatArray:
        """Return draws of the probability of each phase, (n_draws, n_patterns, n_phases).

        Parameters
        ----------
        counts : (n_patterns, n_points) on `TWO_THETA`.
        passes : dropout passes of every member.
        seed : of the dropout.
        """
        x = torch.as_tensor(network_input(counts, step=STEP))
        n = len(self.names)
        told: list[Tensor] = []
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            for member in self.members:
                with_dropout(member)
                told += [torch.sigmoid(member(x)[:, :n]) for _ in range(passes)]
        return np.asarray(torch.stack(told).numpy(), dtype=np.float64)


def digest(crystals: Sequence[Crystal], radiation: Radiation, recipe: Recipe, seed: int) -> str:
    """Return the hash of everything that the weights depend on."""
    return weights.digest_of(
        {
            "format": FORMAT,
            "recipe": asdict(recipe),
            "seed": seed,
            "radiation": {"lines": radiation.lines, "two_theta": radiation.monochromator_two_theta},
            "crystals": [_content(c) for c in crystals],
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
    members = tuple(_member(variants, recipe, (seed, 1 + k), told) for k in range(recipe.members))
    return Networks(tuple(c.name for c in crystals), members)


def held_out(
    crystals: Sequence[Crystal],
    radiation: Radiation,
    recipe: Recipe,
    *,
    n: int,
    seed: int,
    ranges: Ranges = UNSEEN,
) -> Mixtures:
    """Return mixtures of fresh variants, with artefacts beyond those of the training."""
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


def save(folder: Path, networks: Networks) -> None:
    """Write networks into a folder of weights."""
    first = networks.members[0]
    shape = {"names": networks.names, "width": first.features[0].out_channels}
    (folder / "networks.json").write_text(json.dumps(shape | {"members": len(networks.members)}))
    for k, member in enumerate(networks.members):
        torch.save(member.state_dict(), folder / f"member_{k}.pt")


def load(folder: Path) -> Networks:
    """Return the networks in a folder of weights, ready to predict."""
    shape = json.loads((folder / "networks.json").read_text())
    members = []
    for k in range(shape["members"]):
        member = CurveNet(len(TWO_THETA), 2 * len(shape["names"]), width=shape["width"])
        member.load_state_dict(torch.load(folder / f"member_{k}.pt", weights_only=True))
        members.append(member.eval())
    return Networks(tuple(shape["names"]), tuple(members))


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


def _member(variants: Variants, recipe: Recipe, seed: tuple[int, int], told: Told) -> CurveNet:
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
            torch.as_tensor(network_input(made.counts, step=STEP)),
            torch.as_tensor(made.visible, dtype=torch.float32),
            torch.as_tensor(made.fractions, dtype=torch.float32),
            torch.as_tensor(~hidden, dtype=torch.float32),
        )

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1000 * seed[0] + seed[1])
        network = CurveNet(len(TWO_THETA), 2 * n_phases, width=recipe.width, dropout=recipe.dropout)
        train(
            network,
            batches,
            _loss,
            Schedule(recipe.steps),
            told=lambda done, of: told(f"network {seed[1]} of {recipe.members}", done, of),
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


def _content(crystal: Crystal) -> dict[str, object]:
    return {
        "name": crystal.name,
        "cell": list(crystal.cell),
        "group": crystal.space_group,
        "sites": [
            [s.element.name, *(round(float(v), 6) for v in s.fract.tolist()), s.occ, s.u_iso]
            for s in crystal.structure.sites
        ],
    }
