"""Fits of many fragments of one starting model to one G(r), by matrix products.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from analysis.pdf.broadening import damping, pair_variance
from analysis.pdf.motifs.starting import StartingModel
from analysis.pdf.preprocess import FitRange
from analysis.pdf.transform import QRange, even_grid, g_r_kernel
from analysis.physics.scattering_factors import Probe, scattering_factor

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_SAME_DISTANCE = 0.005
"""Pairs of one kind whose distances [Å] agree to this share a curve; Q_max times it is 0.1."""

_BLOCK = 256


@dataclass(frozen=True, slots=True)
class FragmentConditions:
    """What all fragments share.

    Attributes
    ----------
    zooms : factors on every distance, of which each fragment takes the best.
    b_iso : displacement parameter B of every atom [Å²].
    delta2 : of correlated motion [Å²].
    q_damp : of the instrument's resolution [1/Å].
    """

    zooms: tuple[float, ...] = tuple(np.linspace(0.975, 1.025, 11).round(4).tolist())
    b_iso: float = 0.4
    delta2: float = 0.0
    q_damp: float = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """How well fragments fit.

    Attributes
    ----------
    rw : (n,) R_w; 1 where only a scale of zero would fit.
    zoom : (n,) the best zoom.
    scale : (n,) the best scale, of the sum over pairs, never negative.
    """

    rw: FloatArray
    zoom: FloatArray
    scale: FloatArray


class FragmentFits:
    """Fits fragments of a starting model to one G(r).

    G(r) of a fragment is a sum over its pairs, each with a curve that no other atom changes:
    fᵢfⱼ/⟨f⟩² sin(Qr)/r exp(−Q²σ²/2), transformed and damped (see
    `analysis.pdf.cluster_forward.ClusterPDF`). The curves are tabulated once for every zoom, so
    that many fragments are one matrix product. ⟨f⟩² is the whole model's, because the reduction of
    the data divided by one ⟨f⟩² too; 1/N is part of the scale.

    Not modelled: displacements that differ between elements, distortions other than one zoom.

    Parameters
    ----------
    model : the atoms.
    data : the G(r).
    conditions : what all fragments share.
    probe : what was scattered.
    composition : element → amount in what was measured, for ⟨f⟩²; the model's own if None.
    """

    def __init__(
        self,
        model: StartingModel,
        data: FitRange,
        *,
        conditions: FragmentConditions,
        probe: Probe = "x-ray",
        composition: dict[str, float] | None = None,
    ) -> None:
        self.model, self.data, self.conditions = model, data, conditions
        kinds = _Kinds(model.elements, probe=probe, composition=composition)
        self._one, self._other = np.triu_indices(len(model.elements), k=1)
        shift = model.positions[self._one] - model.positions[self._other]
        distance = np.linalg.norm(shift, axis=1)
        kind, share = kinds.of_pairs(self._one, self._other)
        group, mean = _grouped(kind, distance)
        self._gather = csr_matrix((np.ones(len(group)), (np.arange(len(group)), group)))
        group_kind = np.zeros(len(mean), dtype=np.int64)
        group_kind[group] = kind
        self._basis = np.concatenate(
            [
                _curves(
                    zoom * mean, group_kind, share, kinds=kinds, data=data, conditions=conditions
                )
                for zoom in conditions.zooms
            ],
            axis=1,
        )

    def fit(self, masks: BoolArray) -> Fits:
        """Return the fits of fragments, (n, n_sampled) masks of the sampled atoms."""
        blocks = [self._fit(masks[i : i + _BLOCK]) for i in range(0, len(masks), _BLOCK)]
        rw, zoom, scale = (np.concatenate(column) for column in zip(*blocks, strict=True))
        return Fits(rw, zoom, scale)

    def curve(self, mask: BoolArray) -> FloatArray:
        """Return G(r) of one fragment at its best zoom and scale [1/Å²], (n_r,)."""
        fits = self.fit(mask[None])
        curves = self._summed(mask[None])[0]
        best = self.conditions.zooms.index(float(fits.zoom[0]))
        return np.asarray(fits.scale[0] * curves[best])

    def _summed(self, masks: BoolArray) -> FloatArray:
        """Return unscaled G(r), (n, n_zooms, n_r)."""
        kept = self.model.kept(masks)
        pairs = kept[:, self._one] & kept[:, self._other]
        counts = np.asarray(pairs.astype(np.float64) @ self._gather)
        g_r = counts @ self._basis
        return np.asarray(g_r.reshape(len(masks), len(self.conditions.zooms), -1))

    def _fit(self, masks: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        g_r = self._summed(masks)
        y = self.data.g_r
        overlap, power = g_r @ y, np.einsum("nzr,nzr->nz", g_r, g_r)
        scale = np.clip(overlap, 0.0, None) / np.maximum(power, np.finfo(float).tiny)
        rw2 = 1 - scale * overlap / (y @ y)
        best = rw2.argmin(axis=1)
        rows = np.arange(len(masks))
        zooms = np.asarray(self.conditions.zooms)
        return np.sqrt(np.clip(rw2[rows, best], 0.0, 1.0)), zooms[best], scale[rows, best]


class _Kinds:
    """The kinds of pairs: which elements, and how strongly both scatter together."""

    def __init__(
        self, elements: Sequence[str], *, probe: Probe, composition: dict[str, float] | None
    ) -> None:
        self.names = sorted(set(elements))
        self.species = np.array([self.names.index(e) for e in elements])
        counted = {name: float(list(elements).count(name)) for name in self.names}
        self._amounts = counted if composition is None else composition
        self._probe: Probe = probe

    def of_pairs(self, one: IntArray, other: IntArray) -> tuple[IntArray, list[tuple[int, int]]]:
        """Return the kind of each pair and the two species of each kind."""
        n = len(self.names)
        both = np.sort(np.stack([self.species[one], self.species[other]], axis=1), axis=1)
        codes, kind = np.unique(both @ np.array([n, 1]), return_inverse=True)
        return kind.reshape(-1), [divmod(int(code), n) for code in codes]

    def weight(self, species: tuple[int, int], q: FloatArray) -> FloatArray:
        """Return fᵢfⱼ/⟨f⟩² at every Q."""
        total = sum(self._amounts.values())
        mean = sum(
            amount / total * scattering_factor(name, q, probe=self._probe)
            for name, amount in self._amounts.items()
        )
        one, other = (scattering_factor(self.names[s], q, probe=self._probe) for s in species)
        return np.asarray(one * other / np.asarray(mean) ** 2)


def _grouped(kind: IntArray, distance: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the group of each pair, and the mean distance [Å] of each group."""
    bins = np.round(distance / _SAME_DISTANCE).astype(np.int64)
    _, group, count = np.unique(
        kind * (bins.max() + 1) + bins, return_inverse=True, return_counts=True
    )
    group = group.reshape(-1)
    return group, np.bincount(group, weights=distance) / count


def _curves(
    distance: FloatArray,
    kind: IntArray,
    share: list[tuple[int, int]],
    *,
    kinds: _Kinds,
    data: FitRange,
    conditions: FragmentConditions,
) -> FloatArray:
    """Return G(r) of one pair for each group, (n_groups, n_r)."""
    grid = even_grid(
        QRange(data.q_min, data.q_max), r_max=float(data.r[-1]), extent=float(distance.max())
    )
    q = np.maximum(grid, 1e-3)
    r = torch.from_numpy(distance)
    u2 = torch.as_tensor(2 * conditions.b_iso / (8 * np.pi**2), dtype=r.dtype)
    variance = pair_variance(r, u2, delta2=conditions.delta2)
    momentum = torch.from_numpy(q)
    sums = torch.sin(torch.outer(r, momentum)) / r[:, None]
    sums = sums * torch.exp(-0.5 * variance[:, None] * momentum**2)
    weights = np.stack([kinds.weight(species, q) for species in share])
    fade = damping(torch.from_numpy(data.r), conditions.q_damp)
    f_q = 2 * sums * torch.from_numpy(weights)[torch.from_numpy(kind)]
    return np.asarray(f_q @ g_r_kernel(grid, data.r) * fade)
