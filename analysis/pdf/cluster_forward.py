"""I(Q), S(Q), F(Q) and G(r) of one cluster by Debye's equation, exact and differentiable.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from analysis.errors import BadSettings
from analysis.pdf.broadening import damping, pair_variance
from analysis.pdf.transform import QRange, even_grid, g_r_kernel
from analysis.physics.debye import debye_sum, structure_function
from analysis.physics.scattering_factors import Probe, scattering_factor

FloatArray = NDArray[np.float64]
Number = torch.Tensor | float

_SAME_DISTANCE = 1e-6
"""Pairs whose distances agree to this share of the cluster's extent are counted together."""

_LEAST_Q = 1e-3
"""Q [1/Å] that stands for zero, where Debye's equation divides by it."""


@dataclass(frozen=True, slots=True)
class ClusterParameters:
    """What the scattering of a cluster depends on; numbers, or tensors where slopes are wanted.

    Attributes
    ----------
    scale : of G(r) and F(Q).
    zoom : all distances are multiplied by it.
    b_iso : displacement parameter B = 8π²U of every atom [Å²].
    delta1, delta2 : of correlated motion [Å, Å²].
    q_damp, q_broad : of the instrument's resolution [1/Å].
    """

    scale: Number = 1.0
    zoom: Number = 1.0
    b_iso: Number = 0.0
    delta1: Number = 0.0
    delta2: Number = 0.0
    q_damp: Number = 0.0
    q_broad: Number = 0.0


class ClusterPDF:
    """Total scattering of one cluster of atoms on one grid, over one range of Q.

    G(r) has no term −4πrρ₀: what takes its place is Q_min, which leaves out the small angles where
    a cluster's outline scatters (Farrow & Billinge 2009, doi:10.1107/S0108767309009714).

    Parameters
    ----------
    positions : (n_atoms, 3) [Å].
    elements : the symbol of each atom, or one for all.
    r : (n_r,) distances [Å] at which G(r) is wanted.
    q_range : the range of the measurement.
    probe : what is scattered.

    Attributes
    ----------
    q : (n_q,) momentum transfer [1/Å], in even steps fine enough for `r` and the cluster.

    Raises
    ------
    BadSettings
        There are fewer than two atoms, or not as many symbols as atoms.
    """

    def __init__(
        self,
        positions: FloatArray,
        elements: str | Sequence[str],
        r: FloatArray,
        q_range: QRange,
        *,
        probe: Probe = "x-ray",
    ) -> None:
        symbols = [elements] * len(positions) if isinstance(elements, str) else list(elements)
        if len(positions) < 2 or len(symbols) != len(positions):
            raise BadSettings(
                f"a cluster of {len(positions)} atoms with {len(symbols)} elements was given; at "
                "least two atoms with an element each were expected"
            )
        names = sorted(set(symbols))
        species = np.array([names.index(s) for s in symbols])
        extent = float(np.linalg.norm(np.ptp(positions, axis=0)))
        grid = even_grid(q_range, r_max=float(r.max()), extent=1.1 * extent)
        self.q = np.maximum(grid, _LEAST_Q)
        self.n_atoms = len(positions)
        factors = [scattering_factor(name, self.q, probe=probe) for name in names]
        self._factors = torch.from_numpy(np.stack(factors))
        counts = np.bincount(species)
        self._share = torch.from_numpy(counts / counts.sum())
        self._pairs = _gathered_pairs(positions, species, tolerance=_SAME_DISTANCE * extent)
        self._r = torch.from_numpy(np.asarray(r, dtype=np.float64))
        self._kernel = g_r_kernel(grid, r)

    def i_q(self, parameters: ClusterParameters) -> torch.Tensor:
        """Return the coherent intensity per atom [electrons² or fm²], (n_q,), without scale."""
        q = torch.from_numpy(self.q)
        total = self.n_atoms * (self._share @ self._factors**2)
        for (one, other), distance, count in self._pairs:
            r = distance * parameters.zoom
            variance = pair_variance(
                r,
                torch.as_tensor(2 * parameters.b_iso / (8 * torch.pi**2), dtype=r.dtype),
                delta1=parameters.delta1,
                delta2=parameters.delta2,
                q_broad=parameters.q_broad,
            )
            sums = debye_sum(r, q, count=count, variance=variance)
            total = total + 2 * self._factors[one] * self._factors[other] * sums
        return total / self.n_atoms

    def s_q(self, parameters: ClusterParameters) -> torch.Tensor:
        """Return the structure function S(Q), (n_q,), without scale."""
        return structure_function(self.i_q(parameters), self._factors, self._share)

    def f_q(self, parameters: ClusterParameters) -> torch.Tensor:
        """Return F(Q) = Q (S − 1) [1/Å], (n_q,), scaled."""
        return parameters.scale * torch.from_numpy(self.q) * (self.s_q(parameters) - 1)

    def g_r(self, parameters: ClusterParameters) -> torch.Tensor:
        """Return G(r) [1/Å²], (n_r,), scaled and damped."""
        return self.f_q(parameters) @ self._kernel * damping(self._r, parameters.q_damp)


def _gathered_pairs(
    positions: FloatArray, species: NDArray[np.int64], *, tolerance: float
) -> list[tuple[tuple[int, int], torch.Tensor, torch.Tensor]]:
    """Return (species, species), distances and their counts for every kind of pair."""
    distance = pdist(positions)
    i, j = np.triu_indices(len(positions), k=1)
    kinds = np.sort(np.stack([species[i], species[j]], axis=1), axis=1)
    found = []
    for kind in np.unique(kinds, axis=0):
        chosen = distance[(kinds == kind).all(axis=1)]
        _, shell, count = np.unique(
            np.round(chosen / tolerance), return_inverse=True, return_counts=True
        )
        mean = np.bincount(shell.reshape(-1), weights=chosen) / count
        pair = (int(kind[0]), int(kind[1]))
        found.append((pair, torch.from_numpy(mean), torch.from_numpy(count.astype(np.float64))))
    return found
