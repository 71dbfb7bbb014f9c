"""A physics-constrained network: an encoder reads weights and stretches, the phase rule holds.

After the deep reasoning networks of Chen et al. (2021, doi:10.1038/s42256-021-00384-1): an encoder
turns each curve into weights and stretches of the phases, the decoder is the stretched model
itself, and a loss adds to the misfit what thermodynamics demands: few phases in a curve and
neighbours in composition that are alike. Unlike theirs it starts from a stretched factorisation
and needs neither reference patterns nor the number of phases. Imports torch, which is slow to load.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor, nn

from analysis.learning.decomposition.stretched import Stretched

FloatArray = NDArray[np.float64]

POOL = 4
"""Points of a curve that the encoder sees as one."""


@dataclass(frozen=True, slots=True)
class Constraints:
    """What the loss holds besides the misfit, and for how long it is lowered.

    Attributes
    ----------
    most_phases : in a curve (Gibbs's rule; 3 in a ternary system at fixed temperature, pressure).
    gibbs : weight of the share of the phases beyond these, and of the entropy above ln most_phases.
    smoothness : weight of differences between neighbours' fractions and stretches.
    warm_up : steps in which the encoder learns the start, without the decoder.
    steps : of the whole network.
    learning_rate : of Adam; a tenth of it for the patterns.
    """

    most_phases: int = 3
    gibbs: float = 0.1
    smoothness: float = 0.02
    warm_up: int = 300
    steps: int = 150
    learning_rate: float = 2e-3


STANDARD = Constraints()
"""The constraints of a ternary system."""


def neighbours(composition: FloatArray, *, n_nearest: int = 6) -> NDArray[np.int64]:
    """Return pairs of samples that are near in composition, (n_pairs, 2), each pair once.

    Parameters
    ----------
    composition : (n_samples, n_components).
    n_nearest : that each sample is paired with, at most.
    """
    nearest = min(n_nearest, len(composition) - 1) + 1
    _, found = KDTree(composition).query(composition, k=nearest)
    pairs = {
        (min(i, int(j)), max(i, int(j))) for i, row in enumerate(found) for j in row if int(j) != i
    }
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


class Encoder(nn.Module):
    """A perceptron from a curve to ln weights and shifts of the phases.

    Parameters
    ----------
    n_points : of a curve.
    n_phases : of the model.
    """

    def __init__(self, n_points: int, n_phases: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.AvgPool1d(POOL),
            nn.Flatten(),
            nn.Linear(n_points // POOL, 64),
            nn.SiLU(),
            nn.Linear(64, 64),
            nn.SiLU(),
        )
        self.weights, self.shifts = nn.Linear(64, n_phases), nn.Linear(64, n_phases)

    def forward(self, curves: Tensor) -> tuple[Tensor, Tensor]:
        """Return ln weights and shifts in peak widths, (n_curves, n_phases) each."""
        hidden = self.body(curves.sqrt()[:, None])
        return self.weights(hidden), self.shifts(hidden)


def constrain(
    curves: FloatArray,
    start: Stretched,
    *,
    seed: int,
    pairs: NDArray[np.int64] | None = None,
    constraints: Constraints = STANDARD,
    device: str = "cpu",
) -> Stretched:
    """Return the stretched model that the constrained network ends at.

    Parameters
    ----------
    curves : (n_curves, n_points) on the axis of `start`, highest points near 1.
    seed : of the encoder's starting weights.
    pairs : (n_pairs, 2) neighbours in composition; None for no smoothness.
    device : ``cpu`` or ``cuda``; results on the two differ by rounding.
    """
    torch.manual_seed(seed)
    width = 0.004 / start.step
    observed = _tensor(curves, device)
    log_weights = _tensor(np.log(np.maximum(start.weights, 1e-4)), device)
    shifts = _tensor(start.shifts / width, device)
    encoder = Encoder(curves.shape[1], len(start.patterns)).to(device)
    _warm_up(encoder, observed, log_weights, shifts, constraints)
    log_patterns = nn.Parameter(_tensor(np.log(np.maximum(start.patterns, 1e-6)), device))
    optimizer = torch.optim.Adam(
        [
            {"params": encoder.parameters(), "lr": constraints.learning_rate},
            {"params": [log_patterns], "lr": 0.1 * constraints.learning_rate},
        ]
    )
    near = None if pairs is None else torch.as_tensor(pairs, device=device)
    for _ in range(constraints.steps):
        optimizer.zero_grad()
        told, moved = encoder(observed)
        calculated = decoded(told.exp(), log_patterns.exp(), moved * width)
        loss = misfit(observed, calculated) + demands(told, moved, near, constraints)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        told, moved = encoder(observed)
    return _as_stretched(start, told.exp(), moved * width, log_patterns.exp())


def decoded(weights: Tensor, patterns: Tensor, shifts: Tensor) -> Tensor:
    """Return the sum of weighted, shifted patterns, (n_curves, n_points).

    Parameters
    ----------
    weights : (n_curves, n_phases).
    patterns : (n_phases, n_points).
    shifts : (n_curves, n_phases) [points].
    """
    n_points = patterns.shape[1]
    whole = shifts.detach().floor()
    part = (shifts - whole)[..., None]
    here = torch.arange(n_points, device=patterns.device) - whole[..., None].long()
    spread = patterns.expand(len(weights), -1, -1)

    def taken(at: Tensor) -> Tensor:
        inside = (at >= 0) & (at < n_points)
        return spread.gather(2, at.clamp(0, n_points - 1)) * inside

    copies = (1 - part) * taken(here) + part * taken(here - 1)
    return (weights[..., None] * copies).sum(dim=1)


def misfit(observed: Tensor, calculated: Tensor) -> Tensor:
    """Return the mean Kullback–Leibler divergence of curves, as a share of their area."""
    safe = calculated + 1e-4
    terms = torch.xlogy(observed, (observed + 1e-9) / safe) - observed + safe
    return (terms.sum(dim=1) / observed.sum(dim=1)).mean()


def demands(
    log_weights: Tensor, shifts: Tensor, pairs: Tensor | None, constraints: Constraints
) -> Tensor:
    """Return the loss of the phase rule and of unlike neighbours.

    Parameters
    ----------
    log_weights, shifts : (n_curves, n_phases).
    pairs : (n_pairs, 2), None for no smoothness.
    """
    fractions = log_weights.softmax(dim=1)
    most = min(constraints.most_phases, fractions.shape[1])
    beyond = 1 - fractions.topk(most, dim=1).values.sum(dim=1)
    entropy = -torch.xlogy(fractions, fractions).sum(dim=1)
    loss = constraints.gibbs * (beyond + (entropy - np.log(most)).clamp(min=0)).mean()
    if pairs is None or not len(pairs):
        return torch.as_tensor(loss)
    left, right = pairs.T
    both = torch.minimum(fractions[left], fractions[right])
    unlike = (fractions[left] - fractions[right]).abs().sum(dim=1)
    stretched = (both * (shifts[left] - shifts[right]) ** 2).sum(dim=1)
    return torch.as_tensor(loss + constraints.smoothness * (unlike + stretched).mean())


def _warm_up(
    encoder: Encoder,
    observed: Tensor,
    log_weights: Tensor,
    shifts: Tensor,
    constraints: Constraints,
) -> None:
    """Teach the encoder the start; shifts count where their phase is."""
    optimizer = torch.optim.Adam(encoder.parameters(), lr=constraints.learning_rate)
    share = log_weights.softmax(dim=1)
    for _ in range(constraints.warm_up):
        optimizer.zero_grad()
        told, moved = encoder(observed)
        off = (told.exp() - log_weights.exp()) ** 2 + 0.01 * (told - log_weights) ** 2
        loss = (off + share * (moved - shifts) ** 2).mean()
        loss.backward()
        optimizer.step()


def _as_stretched(start: Stretched, weights: Tensor, shifts: Tensor, patterns: Tensor) -> Stretched:
    raw, moved, shapes = (
        t.detach().cpu().numpy().astype(np.float64) for t in (weights, shifts, patterns)
    )
    height = shapes.max(axis=1)
    return replace(start, patterns=shapes / height[:, None], shifts=moved, weights=raw * height)


def _tensor(values: FloatArray, device: str) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32, device=device)
