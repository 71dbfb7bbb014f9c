"""F(Q) and G(r) of many one-element clusters at once, from histograms of their distances.

Distances are in units of the cluster's bond. Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from analysis.errors import BadSettings
from analysis.physics.scattering_factors import Probe, scattering_factor

FloatArray = NDArray[np.float64]

_FINE = 8
"""Parts of a bin in which distances are counted before they are split between two bins."""


@dataclass(frozen=True, slots=True, eq=False)
class Histograms:
    """How often each distance occurs in each of several clusters.

    Attributes
    ----------
    distance : (n_bins,) in units of the bond.
    count : (n_clusters, n_bins) pairs i < j.
    n_atoms : (n_clusters,).
    """

    distance: torch.Tensor
    count: torch.Tensor
    n_atoms: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Samples and settings, one row a curve.

    Attributes
    ----------
    cluster : (n,) row of the table.
    bond : (n,) length of the cluster's unit [Å].
    b_iso : (n,) displacement parameter B [Å²].
    delta2 : (n,) of correlated motion [Å²].
    q_min, q_max : (n,) range of the measurement [1/Å].
    q_damp : (n,) of the instrument [1/Å].
    """

    cluster: torch.Tensor
    bond: torch.Tensor
    b_iso: torch.Tensor
    delta2: torch.Tensor
    q_min: torch.Tensor
    q_max: torch.Tensor
    q_damp: torch.Tensor


def pair_histograms(clusters: Sequence[FloatArray], *, bin_width: float = 0.003) -> Histograms:
    """Return the histograms of clusters.

    Each distance is split between the two nearest bins so that their mean stays where it was, but
    for a 16th of a bin. What the split takes from a sine on average is given back by
    `split_loss`.

    Parameters
    ----------
    clusters : each (n_atoms, 3), in units of the bond.
    bin_width : in the same unit.

    Raises
    ------
    BadSettings
        A cluster has fewer than two atoms.
    """
    if not clusters or min(map(len, clusters)) < 2:
        raise BadSettings("pair histograms need clusters of at least two atoms each")
    extent = max(float(np.linalg.norm(np.ptp(positions, axis=0))) for positions in clusters)
    n_bins = int(np.ceil(extent / bin_width)) + 2
    upper = (np.arange(_FINE) + 0.5) / _FINE
    halves = np.stack([1 - upper, upper], axis=1)
    count = torch.zeros((len(clusters), n_bins), dtype=torch.float64)
    for row, positions in zip(count.numpy(), clusters, strict=True):
        index = (pdist(positions) * (_FINE / bin_width)).astype(np.int32)
        fine = np.bincount(index, minlength=n_bins * _FINE).reshape(n_bins, _FINE)
        split = fine @ halves
        row += split[:, 0]
        row[1:] += split[:-1, 1]
    filled = 1 + int(torch.nonzero(count.sum(dim=0))[-1])
    return Histograms(
        distance=bin_width * torch.arange(1, filled, dtype=torch.float64),
        count=count[:, 1:filled],
        n_atoms=torch.tensor([len(p) for p in clusters], dtype=torch.float64),
    )


def batch_f_q(
    histograms: Histograms,
    q: torch.Tensor,
    *,
    bond: float,
    b_iso: float,
    delta2: float = 0.0,
) -> torch.Tensor:
    """Return F(Q) = (2/N) Σ_{i<j} sin(Q rᵢⱼ)/rᵢⱼ exp(−Q²σ²/2) [1/Å], (n_clusters, n_q).

    One matrix product for all clusters, which share bond [Å], B [Å²] and δ₂ [Å²]. The product of
    F(Q) with `analysis.pdf.transform.g_r_kernel` is G(r).
    """
    r = bond * histograms.distance[:, None]
    mean_square = 2 * b_iso / (8 * np.pi**2)
    variance = torch.clamp(mean_square * (1 - delta2 / r**2), min=0.0)
    kernel = torch.sin(r * q) / r * torch.exp(-0.5 * variance * q**2)
    kernel = kernel / split_loss(histograms, q * bond)
    return (2 / histograms.n_atoms[:, None]) * (histograms.count @ kernel)


def split_loss(histograms: Histograms, x: torch.Tensor) -> torch.Tensor:
    """Return (sin(xΔ/2)/(xΔ/2))², what is left of sin(x d) split between bins of width Δ.

    The mean over all places of d between two bins: linear interpolation's response.
    """
    width = float(histograms.distance[1] - histograms.distance[0])
    return torch.sinc(x * width / (2 * torch.pi)) ** 2


class DebyeTable:
    """Debye sums of many clusters, tabulated once; curves under any conditions then cost little.

    In x = Q · bond a cluster's sums do not depend on its bond: S_k(x) = (2/N) Σ sin(x d)/d^(2k+1).
    They are interpolated linearly. Correlated motion enters by powers of ε = ½ Q²σ² δ₂/d²,
    exp(ε) = Σ εᵏ/k!, of which `orders` terms are kept.

    Parameters
    ----------
    histograms : of the clusters.
    x_max : largest Q · bond that will be asked for.
    step : of the table in x; curves bend on the scale of 2π over a cluster's extent in bonds.
    orders : terms of correlated motion; 1 leaves it out.
    """

    def __init__(
        self, histograms: Histograms, *, x_max: float, step: float = 0.02, orders: int = 4
    ) -> None:
        self.step, self.orders = step, orders
        x = step * torch.arange(int(np.ceil(x_max / step)) + 2, dtype=torch.float64)
        sines = torch.sin(torch.outer(histograms.distance, x)) / split_loss(histograms, x)
        weights = 2 * histograms.count / histograms.n_atoms[:, None]
        powers = [histograms.distance ** (-2 * k - 1) for k in range(orders)]
        tables = torch.stack([(weights * p) @ sines for p in powers])
        self._table = tables.to(torch.float32)

    def f_q(self, conditions: Conditions, q: torch.Tensor) -> torch.Tensor:
        """Return F(Q) [1/Å], (n, n_q) in single precision, zero outside each range.

        Parameters
        ----------
        q : (n_q,) even grid of momentum transfer [1/Å].

        Raises
        ------
        BadSettings
            A Q · bond lies beyond the table.
        """
        bond = conditions.bond[:, None].to(torch.float32)
        position = q.to(torch.float32) * bond / self.step
        below = position.to(torch.int64)
        if int(below.max()) + 1 >= self._table.shape[2]:
            raise BadSettings(
                f"Q · bond reaches {float(position.max()) * self.step:.1f}, the table ends at "
                f"{(self._table.shape[2] - 1) * self.step:.1f}; make it with a larger x_max"
            )
        part = position - below
        mean_square = 2 * conditions.b_iso[:, None].to(torch.float32) / (8 * torch.pi**2)
        loss = 0.5 * mean_square * q.to(torch.float32) ** 2
        gain = loss * conditions.delta2[:, None].to(torch.float32) / bond**2
        total = torch.zeros_like(position)
        factor = torch.exp(-loss) / bond
        for k in range(self.orders):
            rows = self._table[k][conditions.cluster]
            low, high = rows.gather(1, below), rows.gather(1, below + 1)
            total += factor * torch.lerp(low, high, part)
            factor = factor * gain / (k + 1)
        inside = (q >= conditions.q_min[:, None]) & (q <= conditions.q_max[:, None])
        return total * inside

    def g_r(
        self,
        conditions: Conditions,
        q: torch.Tensor,
        kernel: torch.Tensor,
        r: torch.Tensor,
        *,
        noise: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return G(r) [1/Å²], (n, n_r) in single precision, damped.

        Parameters
        ----------
        kernel : (n_q, n_r) of `analysis.pdf.transform.g_r_kernel`.
        r : (n_r,) [Å].
        noise : (n, n_q) what is added to F(Q) within each range.
        """
        f_q = self.f_q(conditions, q)
        if noise is not None:
            inside = (q >= conditions.q_min[:, None]) & (q <= conditions.q_max[:, None])
            f_q = f_q + noise * inside
        fade = torch.exp(-0.5 * (conditions.q_damp[:, None] * r).to(torch.float32) ** 2)
        return (f_q @ kernel.to(torch.float32)) * fade


def batch_i_q(
    f_q: torch.Tensor, q: torch.Tensor, *, element: str, probe: Probe = "x-ray"
) -> torch.Tensor:
    """Return I(Q) per atom = f² (1 + F/Q) [electrons² or fm²] of one element, (n, n_q)."""
    factor = torch.from_numpy(scattering_factor(element, q.numpy(), probe=probe))
    return factor**2 * (1 + f_q / q)
