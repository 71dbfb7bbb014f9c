"""How the network of `pdf.structure` learns. Importing this file imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from analysis.pdf.dataset import Batch, SimulatedCurves
from analysis.pdf.structure.features import TYPICAL_ATOMS, shape_features, site_features
from analysis.pdf.structure.network import N_PLANE, Normal, StructureNet, divergence
from analysis.pdf.structure.shapes import Shape
from analysis.pdf.structure.sites import LATTICES

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_SITES = 160
"""Sites of a shape that count in one step."""

_CURVE, _PRIOR, _KINDS, _LATTICE, _BOND = 0.01, 0.001, 0.2, 0.1, 0.05
"""Weights of: what the curve says, spreads of plane and details, lattice and size told by the
plane, the lattice told by the curve, the bond; beside that of a site."""

_REGULAR = 0.7
"""Share of regular shapes, whole or with atoms missing, among what is drawn."""

_LARGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Shapes as tensors.

    Attributes
    ----------
    features : (n_shapes, n_features).
    lattice : (n_shapes,) number of the lattice.
    sites : each (n_sites, n_features), atoms first.
    n_atoms : (n_shapes,).
    is_regular : (n_shapes,) whether it has a parent.
    """

    features: Tensor
    lattice: Tensor
    sites: list[Tensor]
    n_atoms: IntArray
    is_regular: BoolArray

    @property
    def size(self) -> Tensor:
        """Number of atoms, (n_shapes,)."""
        return torch.from_numpy(self.n_atoms.astype(np.float32))

    @classmethod
    def of(cls, shapes: Sequence[Shape]) -> Lesson:
        """Return the tensors of shapes."""
        features = [shape_features(s.atoms, s.lattice) for s in shapes]
        sites = [site_features(np.concatenate([s.atoms, s.vacant]), s.lattice) for s in shapes]
        return cls(
            torch.tensor(np.array(features), dtype=torch.float32),
            torch.tensor([LATTICES.index(s.lattice) for s in shapes]),
            [torch.tensor(s, dtype=torch.float32) for s in sites],
            np.array([len(s.atoms) for s in shapes]),
            np.array([bool(s.parent) for s in shapes]),
        )

    def some_sites(self, shape: IntArray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return some sites of each shape, (n, `_SITES`, n_features), and where atoms are."""
        rows, taken = [], []
        for number in shape:
            sites = self.sites[number]
            index = rng.integers(len(sites), size=_SITES)
            rows.append(sites[torch.from_numpy(index)])
            taken.append(index < self.n_atoms[number])
        return torch.stack(rows), torch.from_numpy(np.array(taken, dtype=np.float32))


def fit(
    network: StructureNet,
    lesson: Lesson,
    curves: SimulatedCurves,
    *,
    steps: int,
    batch: int,
    rate: float,
    rng: np.random.Generator,
    told: Callable[[int, int], None],
) -> list[dict[str, float]]:
    """Train in place and return the parts of the loss at every step.

    Raises
    ------
    FloatingPointError
        The loss is not finite.
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-4)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    weight = _balance(lesson)
    noise = torch.Generator().manual_seed(int(rng.integers(2**31)))
    network.train()
    course = []
    for step in range(steps):
        chosen = rng.choice(len(weight), size=batch, p=weight)
        drawn = curves.draw(chosen, rng=rng)
        sites, atom = lesson.some_sites(chosen, rng)
        parts = _loss(network, lesson, drawn, sites, atom, noise)
        total = torch.stack(list(parts.values())).sum()
        if not torch.isfinite(total):
            raise FloatingPointError(f"the loss is {total.item()} at step {step + 1}")
        optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
        optimiser.step()
        pace.step()
        course.append({name: float(part.item()) for name, part in parts.items()})
        told(step + 1, steps)
    network.eval()
    return course


def _loss(
    network: StructureNet,
    lesson: Lesson,
    drawn: Batch,
    sites: Tensor,
    atom: Tensor,
    noise: torch.Generator,
) -> dict[str, Tensor]:
    lattice = lesson.lattice[drawn.shape]
    encoded = network.encode(lesson.features[drawn.shape])
    z = encoded.sample(torch.randn(encoded.mean.shape, generator=noise))
    plane = z[:, :N_PLANE]
    kinds, size = network.from_plane(plane)
    said = network.read(drawn.curve)
    row = torch.arange(len(lattice))
    place = Normal(said.place.mean[row, lattice], said.place.log_std[row, lattice])
    off = (drawn.log_bond - said.log_bond.mean) * torch.exp(-said.log_bond.log_std)
    true_size = torch.log(lesson.size[drawn.shape] / TYPICAL_ATOMS)
    return {
        "sites": functional.binary_cross_entropy_with_logits(
            network.occupancy(z, lattice, sites), atom
        ),
        "curve": _CURVE * divergence(encoded, place).mean(),
        "spread": _PRIOR * _surprise(network, encoded, plane, lattice),
        "kinds": _KINDS * functional.cross_entropy(kinds, lattice),
        "size": _KINDS * functional.mse_loss(size, true_size),
        "lattice": _LATTICE * functional.cross_entropy(said.lattice, lattice),
        "bond": _BOND * (0.5 * off**2 + said.log_bond.log_std).mean(),
    }


def _surprise(network: StructureNet, encoded: Normal, plane: Tensor, lattice: Tensor) -> Tensor:
    """Return the divergence of shapes from a standard normal plane, and details from its own."""
    standard = Normal(torch.zeros_like(plane), torch.zeros_like(plane))
    in_plane = Normal(encoded.mean[:, :N_PLANE], encoded.log_std[:, :N_PLANE])
    detail = Normal(encoded.mean[:, N_PLANE:], encoded.log_std[:, N_PLANE:])
    return (
        divergence(in_plane, standard) + divergence(detail, network.prior(plane, lattice))
    ).mean()


def _balance(lesson: Lesson) -> NDArray[np.float64]:
    """Return how often each shape is drawn: lattices as the root of their numbers, then regular."""
    number = lesson.lattice.numpy()
    weight = 1 / np.sqrt(np.bincount(number, minlength=len(LATTICES))[number])
    share = weight[lesson.is_regular].sum() / weight.sum()
    weight[lesson.is_regular] *= _REGULAR / max(share, 1e-9)
    weight[~lesson.is_regular] *= (1 - _REGULAR) / max(1 - share, 1e-9)
    return np.asarray(weight / weight.sum())
