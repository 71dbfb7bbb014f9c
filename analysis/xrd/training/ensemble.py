"""The networks of `xrd.phases`: several, some of which see the pattern as pair distances.

Importing this file imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis.learning.devices import best_device
from analysis.learning.networks import CurveNet, with_dropout
from analysis.xrd.network_input import View

FloatArray = NDArray[np.float64]

FILE = "networks.json"


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One network of an ensemble.

    Attributes
    ----------
    view : what it sees of a pattern.
    network : gives 2 · n_phases numbers: logits of presence, then of the fractions.
    """

    view: View
    network: CurveNet


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """A trained deep ensemble (Lakshminarayanan et al. 2017, arXiv:1612.01474).

    Attributes
    ----------
    names : phases.
    outputs : place of each among the outputs of a member.
    members : at least one of each view; the first sees patterns.
    """

    names: tuple[str, ...]
    outputs: tuple[int, ...]
    members: tuple[Member, ...]

    def only(self, indices: Sequence[int]) -> Networks:
        """Return networks that speak of some of the phases, in the order of `indices`."""
        return Networks(
            tuple(self.names[i] for i in indices),
            tuple(self.outputs[i] for i in indices),
            self.members,
        )

    def draws(
        self, counts: FloatArray, *, passes: int, seed: int, pair_distances: bool = False
    ) -> FloatArray:
        """Return draws of the probability of each phase, (n_draws, n_patterns, n_phases).

        Parameters
        ----------
        counts : (n_patterns, n_points) on the grid of the training.
        passes : dropout passes of every member.
        seed : of the dropout.
        pair_distances : which members are asked, those that see patterns or those that see pair
            distances.
        """
        asked = [m for m in self.members if m.view.pair_distances == pair_distances]
        wanted = list(self.outputs)
        told: list[Tensor] = []
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            for member in asked:
                x = torch.as_tensor(member.view(counts))
                network = with_dropout(member.network)
                told += [torch.sigmoid(network(x)[:, wanted]) for _ in range(passes)]
        return np.asarray(torch.stack(told).numpy(), dtype=np.float64)


def save(folder: Path, networks: Networks) -> None:
    """Write networks into a folder of weights."""
    views = [{"pair_distances": m.view.pair_distances} for m in networks.members]
    first = networks.members[0].network
    shape = {"names": networks.names, "width": first.width, "members": views}
    (folder / FILE).write_text(json.dumps(shape))
    for k, member in enumerate(networks.members):
        torch.save(member.network.state_dict(), folder / f"member_{k}.pt")


def load(folder: Path, *, two_theta: FloatArray, wavelength: float) -> Networks:
    """Return the networks in a folder of weights, ready to predict, on a GPU if there is one.

    Parameters
    ----------
    two_theta : (n_points,) grid of the training [deg].
    wavelength : of the training [Å].
    """
    shape = json.loads((folder / FILE).read_text())
    members = []
    for k, told in enumerate(shape["members"]):
        view = View(two_theta, wavelength, pair_distances=told["pair_distances"])
        network = CurveNet(view.n_points, 2 * len(shape["names"]), width=shape["width"])
        network.load_state_dict(_weights(folder, k))
        members.append(Member(view, network.to(best_device()).eval()))
    names = tuple(shape["names"])
    return Networks(names, tuple(range(len(names))), tuple(members))


def _weights(folder: Path, k: int) -> dict[str, Tensor]:
    path = folder / f"member_{k}.pt"
    return dict(torch.load(path, weights_only=True, map_location="cpu"))
