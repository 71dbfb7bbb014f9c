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
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A shape and its R_w.

    Attributes
    ----------
    mask : (n_sites,) where atoms are.
    """

    mask: BoolArray
    rw: float


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """Pair counts of shapes that differ from one, and their R_w.

    Attributes
    ----------
    mask : (n_sites,) the one.
    reach : (n_sites, n_shells) how many of its atoms lie at each distance from a site.
    """

    sites: Sites
    sums: PairSums
    mask: BoolArray
    reach: NDArray[np.float32]

    @classmethod
    def of(cls, sites: Sites, sums: PairSums, mask: BoolArray) -> Ledger:
        """Return the ledger of a shape (n_sites,)."""
        return cls(sites, sums, mask, _reach(sites, mask))

    def moved_to(self, mask: BoolArray) -> Ledger:
        """Return the ledger of another shape (n_sites,), quickly if it differs little."""
        more, less = (_reach(self.sites, some) for some in (mask & ~self.mask, self.mask & ~mask))
        return Ledger(self.sites, self.sums, mask, self.reach + more - less)

    @property
    def counts(self) -> FloatArray:
        """Pair counts of the shape itself, (n_shells,)."""
        return np.asarray(self.reach[self.mask].sum(axis=0, dtype=np.float64) / 2)

    def counts_of(self, shapes: BoolArray) -> FloatArray:
        """Return the pair counts of shapes (n, n_sites), (n, n_shells).

        Pairs with what stays are sums of rows of one table; pairs among what changes are counted.
        """
        change = shapes.astype(np.float32) - self.mask
        counts = (self.counts + change @ self.reach).astype(np.float64)
        for row, some in zip(counts, change, strict=True):
            row += self._among(np.flatnonzero(some > 0), np.flatnonzero(some < 0))
        return counts

    def _among(self, added: IntArray, taken: IntArray) -> FloatArray:
        """Return pairs among what changes, those of one added and one taken less, (n_shells,)."""
        index, n_added = np.concatenate([added, taken]), len(added)
        wide = len(self.sites.distance) + 1
        shell = self.sites.shell[index[:, None], index]
        shell[:n_added, n_added:] += wide
        shell[n_added:, :n_added] += wide
        found = np.bincount(shell.ravel(), minlength=2 * wide)
        return (found[: wide - 1] - found[wide : 2 * wide - 1]) / 2

    def score(self, shapes: BoolArray) -> FloatArray:
        """Return R_w of shapes, (n,)."""
        return self.sums.rw(self.counts_of(shapes))


def _reach(sites: Sites, mask: BoolArray) -> NDArray[np.float32]:
    """Return how many atoms of a shape lie at each distance from a site, (n_sites, n_shells)."""
    chosen = np.flatnonzero(mask)
    wide = len(sites.distance) + 1
    place = sites.shell[:, chosen] + wide * np.arange(len(sites), dtype=np.int32)[:, None]
    found = np.bincount(place.ravel(), minlength=wide * len(sites)).reshape(-1, wide)
    return found[:, :-1].astype(np.float32)


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
    first = Ledger.of(sites, sums, start)
    beam = [Scored(start, float(sums.rw(first.counts[None])[0]))]
    met = {_signature(beam[0])}
    best = list(beam)
    idle = 0
    shifted = sites.shifted()
    for _ in range(depth):
        reached: list[Scored] = []
        for state in beam:
            shapes = steps(state.mask, sites, shifted)
            rw = Ledger.of(sites, sums, state.mask).score(shapes)
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
    rw = float(sums.rw(Ledger.of(sites, sums, mask).counts[None])[0])
    for _ in range(most):
        shapes = single_steps(mask, sites, least=least_contacts)
        scores = Ledger.of(sites, sums, mask).score(shapes)
        best = int(scores.argmin())
        if np.log(max(float(scores[best]), 1e-9)) > np.log(max(rw, 1e-9)) - gain:
            break
        mask, rw = shapes[best], float(scores[best])
    return Scored(mask, rw)


def _signature(state: Scored) -> tuple[int, int]:
    """Return what symmetric copies of a shape share."""
    return int(state.mask.sum()), round(state.rw * 1e7)
