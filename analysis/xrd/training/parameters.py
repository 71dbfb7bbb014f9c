"""Training of `xrd.parameters`: an ensemble of networks from a pattern to cells, sizes, fractions.

Importing this file imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from analysis import weights
from analysis.learning.devices import best_device
from analysis.learning.fitting import Batch, Schedule, train
from analysis.learning.heteroscedastic import gaussian_loss, pooled
from analysis.learning.networks import CurveNet
from analysis.trainers import Told
from analysis.xrd.parameter_patterns import Conditions, Drawn, draw_patterns
from analysis.xrd.rapid import RapidColumns
from analysis.xrd.training.contents import content
from analysis.xrd.world import World

AGENT = "xrd.parameters"
FORMAT = 1
"""Raised when weights of an older form can no longer be read."""

VISIBLE = 6.0
"""Signal over noise from which a phase's cell and size are asked of the network."""

BETA = 0.5
"""Exponent of the variance in the loss, see `gaussian_loss`."""

POOL = 2
"""Points that are averaged before the network."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the networks are trained.

    Attributes
    ----------
    members : networks of the deep ensemble.
    steps, batch : of each.
    width : channels of the first layer.
    n_calibration : patterns on which intervals are calibrated.
    n_unlike : patterns unlike the training's, for the intervals and again for the doubt.
    n_held_out : patterns of either kind for the card.
    conditions : of the patterns.
    """

    name: str
    members: int
    steps: int
    n_calibration: int
    n_unlike: int
    n_held_out: int
    batch: int = 128
    width: int = 16
    conditions: Conditions = field(default_factory=Conditions)


RECIPES = {
    "tiny": Recipe(
        "tiny", 2, steps=60, n_calibration=128, n_unlike=60, n_held_out=60, batch=64, width=8
    ),
    "standard": Recipe(
        "standard", 2, steps=400, n_calibration=4000, n_unlike=1000, n_held_out=1000
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """What an ensemble says of patterns.

    Attributes
    ----------
    z, z_std : (n, n_numbers) the world's numbers.
    fractions, fractions_std : (n, n_phases) weight fractions.
    disagreement : (n,) spread of the members' means over the stated deviation, root mean square.
    """

    z: Tensor
    z_std: Tensor
    fractions: Tensor
    fractions_std: Tensor
    disagreement: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Trained networks.

    Attributes
    ----------
    n_phases, n_numbers : of the world.
    members : each gives means, then logarithms of variances, of the numbers and the fractions.
    """

    n_phases: int
    n_numbers: int
    members: tuple[CurveNet, ...]

    def start(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return z and the members' disagreement, as a `Reader` asks."""
        proposal = self.propose(counts)
        return proposal.z, proposal.disagreement

    def propose(self, counts: Tensor) -> Proposal:
        """Return what the networks make of counts, (n, n_points), on the world's grid."""
        x = network_input(counts)
        with torch.no_grad():
            mean, variance, apart = pooled([member(x) for member in self.members])
        k, std = self.n_numbers, variance.sqrt()
        return Proposal(
            z=mean[:, :k].clamp(-1, 1),
            z_std=std[:, :k],
            fractions=mean[:, k:].clamp(0, 1),
            fractions_std=std[:, k:],
            disagreement=(apart / variance).mean(dim=1).sqrt(),
        )


def network_input(counts: Tensor) -> Tensor:
    """Return √(counts over their mean) − 1, averaged over `POOL` points, (n, n_points // POOL)."""
    root = (counts.clamp_min(0) / counts.mean(dim=1, keepdim=True).clamp_min(1e-12)).sqrt()
    whole = root.shape[1] // POOL * POOL
    return root[:, :whole].reshape(len(root), -1, POOL).mean(dim=2) - 1


def digest(world: World, recipe: Recipe, *, background_order: int, seed: int) -> str:
    """Return the hash of everything that the weights depend on."""
    return weights.digest_of(
        {
            "format": FORMAT,
            "recipe": asdict(recipe),
            "seed": seed,
            "background_order": background_order,
            "radiation": asdict(world.radiation),
            "resolution": asdict(world.resolution),
            "two_theta": world.two_theta,
            "ranges": [world.strain, *world.size, world.microstrain, world.displacement],
            "crystals": [content(c) for c in world.crystals],
        }
    )


def train_ensemble(columns: RapidColumns, recipe: Recipe, *, seed: int, told: Told) -> Ensemble:
    """Return networks trained on simulated patterns, each on its own."""
    world = columns.world
    members = tuple(_member(columns, recipe, (seed, 1 + k), told) for k in range(recipe.members))
    return Ensemble(len(world.crystals), len(world.numbers), members)


def targets(drawn: Drawn, phases: Sequence[int | None]) -> tuple[Tensor, Tensor]:
    """Return what the networks shall say, and whether it counts, (n, n_numbers + n_phases) each.

    Parameters
    ----------
    phases : which phase each number belongs to, None for the instrument.
    """
    seen = torch.stack(
        [
            torch.ones(len(drawn.z)) if i is None else (drawn.visibility[:, i] > VISIBLE).float()
            for i in phases
        ],
        dim=1,
    )
    counted = torch.cat([seen, torch.ones_like(drawn.fractions)], dim=1)
    return torch.cat([drawn.z, drawn.fractions], dim=1), counted


def save(folder: Path, ensemble: Ensemble) -> None:
    """Write networks into a folder of weights."""
    first = ensemble.members[0]
    shape = {
        "n_phases": ensemble.n_phases,
        "n_numbers": ensemble.n_numbers,
        "width": first.features[0].out_channels,
        "members": len(ensemble.members),
    }
    (folder / "networks.json").write_text(json.dumps(shape))
    for k, member in enumerate(ensemble.members):
        torch.save(member.state_dict(), folder / f"member_{k}.pt")


def load(folder: Path, world: World) -> Ensemble:
    """Return the networks in a folder of weights, ready to predict, on a GPU if there is one."""
    shape = json.loads((folder / "networks.json").read_text())
    members = []
    for k in range(shape["members"]):
        member = _network(world, shape["width"])
        path = folder / f"member_{k}.pt"
        member.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        members.append(member.to(best_device()).eval())
    return Ensemble(shape["n_phases"], shape["n_numbers"], tuple(members))


def _network(world: World, width: int) -> CurveNet:
    n_outputs = 2 * (len(world.numbers) + len(world.crystals))
    return CurveNet(len(world.grid) // POOL, n_outputs, width=width, dropout=0.0)


def _member(columns: RapidColumns, recipe: Recipe, seed: tuple[int, int], told: Told) -> CurveNet:
    phases = [number.phase for number in columns.world.numbers]

    def batches(step: int) -> Batch:
        drawn = draw_patterns(
            columns,
            recipe.batch,
            conditions=recipe.conditions,
            rng=np.random.default_rng([*seed, step]),
        )
        return (network_input(drawn.counts), *targets(drawn, phases))

    def loss(outputs: Tensor, batch: Batch) -> Tensor:
        return gaussian_loss(outputs, batch[1], batch[2], beta=BETA)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1000 * seed[0] + seed[1])
        network = _network(columns.world, recipe.width)
        train(
            network,
            batches,
            loss,
            Schedule(recipe.steps),
            told=lambda done, of: told(f"network {seed[1]} of {recipe.members}", done, of),
        )
    return network
