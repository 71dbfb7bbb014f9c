"""From a drawn shape to one that explains the curve better: beam search over layers, then atoms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.structure.moves import single_steps, steps
from analysis.pdf.structure.sites import Sites
from analysis.pdf.structure.sums import PairSums

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


_BLOCK = 32
"""Shapes whose changes are counted together."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A shape and its R_w.

    Attributes
    ----------
    mask : (n_sites,) where atoms are.
    """

    mask: BoolArray
    rw: float


class Ledger:
    """Pair counts of shapes that differ from one, and their R_w.

    Parameters
    ----------
    mask : (n_sites,) the one.
    """

    def __init__(self, sites: Sites, sums: PairSums, mask: BoolArray) -> None:
        self.sites, self.sums, self.mask = sites, sums, mask
        chosen = np.flatnonzero(mask)
        wide = len(sites.distance) + 1
        place = sites.shell[:, chosen] + wide * np.arange(len(sites), dtype=np.int32)[:, None]
        reach = np.bincount(place.ravel(), minlength=wide * len(sites)).reshape(-1, wide)
        self._reach = reach[:, :-1].astype(np.float32)
        self.counts = self._reach[mask].sum(axis=0, dtype=np.float64) / 2

    def counts_of(self, shapes: BoolArray) -> FloatArray:
        """Return the pair counts of shapes (n, n_sites), (n, n_shells).

        Pairs with what stays are sums of rows of one table; pairs among what changes are counted.
        """
        change = shapes.astype(np.float32) - self.mask
        counts = self.counts + change @ self._reach
        n_changed = np.count_nonzero(change, axis=1)
        for first in range(0, len(shapes), _BLOCK):
            block = slice(first, first + _BLOCK)
            counts[block] += self._among(change[block], int(n_changed[block].max()))
        return np.asarray(counts, dtype=np.float64)

    def _among(self, change: NDArray[np.float32], most: int) -> FloatArray:
        index = np.argsort(-np.abs(change), axis=1, kind="stable")[:, :most]
        sign = np.take_along_axis(change, index, axis=1)
        wide = len(self.sites.distance) + 1
        shell = self.sites.shell[index[:, :, None], index[:, None, :]].astype(np.int64)
        shell += wide * np.arange(len(change))[:, None, None]
        weight = sign[:, :, None] * sign[:, None, :] / 2
        found = np.bincount(shell.ravel(), weights=weight.ravel(), minlength=wide * len(change))
        return np.asarray(found.reshape(-1, wide)[:, :-1])

    def score(self, shapes: BoolArray) -> FloatArray:
        """Return R_w of shapes, (n,)."""
        order = np.argsort((shapes != self.mask).sum(axis=1))  # blocks of like size cost less
        rw = np.empty(len(shapes))
        rw[order] = self.sums.rw(self.counts_of(shapes[order]))
        return rw


def by_layers(
    start: BoolArray, sites: Sites, sums: PairSums, *, width: int, depth: int
) -> list[Scored]:
    """Return the best shapes that a beam search over layers and shells meets, best first.

    Parameters
    ----------
    start : (n_sites,) where it begins.
    width : shapes that are followed at a time.
    depth : steps; it ends when two bring nothing.
    """
    first = Ledger(sites, sums, start)
    beam = [Scored(start, float(sums.rw(first.counts[None])[0]))]
    met = {_signature(beam[0])}
    best = list(beam)
    idle = 0
    shifted = sites.shifted()
    for _ in range(depth):
        reached: list[Scored] = []
        for state in beam:
            shapes = steps(state.mask, sites, shifted)
            rw = Ledger(sites, sums, state.mask).score(shapes)
            for i in np.argsort(rw)[: 2 * width]:
                candidate = Scored(shapes[i], float(rw[i]))
                if _signature(candidate) not in met:
                    met.add(_signature(candidate))
                    reached.append(candidate)
        if not reached:
            break
        beam = sorted(reached, key=lambda s: s.rw)[:width]
        idle = 0 if beam[0].rw < best[0].rw - 1e-6 else idle + 1
        best = sorted([*best, *beam], key=lambda s: s.rw)[:width]
        if idle == 2:
            break
    return best


def by_atoms(
    start: BoolArray, sites: Sites, sums: PairSums, *, gain: float, most: int, least_contacts: int
) -> Scored:
    """Return the shape after atoms were taken or added one by one, each the best of all.

    Parameters
    ----------
    gain : how much ln R_w falls at least with every atom.
    most : atoms.
    least_contacts : neighbours that a new atom has at least.
    """
    mask = start
    rw = float(sums.rw(Ledger(sites, sums, mask).counts[None])[0])
    for _ in range(most):
        shapes = single_steps(mask, sites, least=least_contacts)
        scores = Ledger(sites, sums, mask).score(shapes)
        best = int(scores.argmin())
        if np.log(max(float(scores[best]), 1e-9)) > np.log(max(rw, 1e-9)) - gain:
            break
        mask, rw = shapes[best], float(scores[best])
    return Scored(mask, rw)


def _signature(state: Scored) -> tuple[int, int]:
    """Return what symmetric copies of a shape share."""
    return int(state.mask.sum()), round(state.rw * 1e7)
