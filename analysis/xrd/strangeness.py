"""Strangeness: numbers by which a pattern inside the training world differs from one outside.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.learning.embedding import Cloud, embedding, fit_cloud
from analysis.xrd.training.ensemble import Networks
from analysis.xrd.unexplained import QuickScreen, Rest

FloatArray = NDArray[np.float64]

LEAST_AREA = 1e-3
"""Unexplained area below which differences mean nothing."""

FEATURES = ("ln unexplained", "ln rwp", "doubted share", "ln distance", "ln pair distance", "calm")
"""What strangeness is told by, in this order."""


@dataclass(frozen=True, slots=True, eq=False)
class Signs:
    """What screen and networks see in one pattern.

    Attributes
    ----------
    rest : what the quick screen leaves.
    doubted : share of the Bragg area that the screen gives to phases which the networks do not see.
    distances : Mahalanobis distance from the training world in each network, 1 in the mean.
    energy : Σ ln(1 + exp logit) over the phases, mean of the networks that see patterns: low where
        they recognise nothing (Wang et al. 2021, arXiv:2111.14785).
    """

    rest: Rest
    doubted: float
    distances: tuple[float, ...]
    energy: float

    @property
    def features(self) -> tuple[float, ...]:
        """The numbers, in the order of `FEATURES`."""
        patterns, pairs = self.distances[:-1], self.distances[-1]
        return (
            float(np.log(self.rest.area + LEAST_AREA)),
            float(np.log(self.rest.rwp)),
            self.doubted,
            float(np.log(np.mean(patterns))),
            float(np.log(pairs)),
            float(np.log1p(self.energy)),
        )


class Watcher:
    """Networks, the clouds of their training world, and a quick screen.

    Parameters
    ----------
    networks : the last member sees pair distances, the others patterns.
    clouds : one a member.
    """

    def __init__(self, networks: Networks, clouds: Sequence[Cloud], screen: QuickScreen) -> None:
        self.networks, self.clouds, self._screen = networks, tuple(clouds), screen

    def signs(self, counts: FloatArray) -> Signs:
        """Return what is seen in counts on the grid of the training, (n_points,)."""
        rest = self._screen.rest(counts)
        distances, logits = [], []
        for member, cloud in zip(self.networks.members, self.clouds, strict=True):
            seen = member.view(counts[None])
            distances.append(float(cloud.distance(embedding(member.network, seen))[0]))
            if not member.view.pair_distances:
                with torch.no_grad():
                    told = member.network(torch.as_tensor(seen))[0, list(self.networks.outputs)]
                logits.append(told.double().numpy())
        presence = np.mean([1.0 / (1.0 + np.exp(-row)) for row in logits], axis=0)
        return Signs(
            rest,
            float(rest.shares @ (1.0 - presence)) if rest.shares.any() else 1.0,
            tuple(distances),
            float(np.mean([np.logaddexp(0.0, row).sum() for row in logits])),
        )


def clouds_of(networks: Networks, counts: FloatArray) -> tuple[Cloud, ...]:
    """Return the cloud of each member around simulated patterns of its world, (n, n_points)."""
    return tuple(fit_cloud(embedding(m.network, m.view(counts))) for m in networks.members)
