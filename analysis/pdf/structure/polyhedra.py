"""Search among regular crystals: what flat faces leave of a lattice, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.structure.moves import FEWEST_ATOMS
from analysis.pdf.structure.regularity import cost, lengths_of_heights
from analysis.pdf.structure.search import Ledger, Scored
from analysis.pdf.structure.sites import Sites
from analysis.pdf.structure.sums import PairSums

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_LEVEL = 0.05
_MOST_STEPS = 15
_PAIRED = 8
"""Faces up to which every two are moved together."""
_LEAST_GAIN = 0.01
"""Fall of the cost [nats] that makes another step worth while."""


class Body:
    """Crystals with given faces, each told by the number of layers up to each face.

    Parameters
    ----------
    faces : (n_faces, 3) unit vectors outwards.
    """

    def __init__(self, faces: FloatArray, sites: Sites) -> None:
        self.faces = faces
        heights = faces @ sites.positions.T
        self._levels = [_levels(h) for h in heights]
        self._layer = np.stack(
            [np.searchsorted(lv, h - _LEVEL) for lv, h in zip(self._levels, heights, strict=True)]
        )
        self._last = np.array([len(lv) - 1 for lv in self._levels])
        self._moves = np.array(list(_moves(faces)))

    def around(self, mask: BoolArray) -> IntArray:
        """Return the layers of the smallest crystal that holds some sites (n_sites,)."""
        return np.asarray(self._layer[:, mask].max(axis=1))

    def filled(self, layers: IntArray) -> BoolArray:
        """Return the sites of a crystal, (n_sites,)."""
        return np.asarray((self._layer <= layers[:, None]).all(axis=0))

    def lengths(self, layers: IntArray, shapes: BoolArray, sites: Sites) -> FloatArray:
        """Return the lengths of crystals' descriptions [nats], (n,).

        Parameters
        ----------
        layers, shapes : (n, n_faces) and (n, n_sites) of the crystals.
        """
        top = np.stack([lv[n] for lv, n in zip(self._levels, layers.T, strict=True)], axis=1)
        middle = shapes @ sites.positions / shapes.sum(axis=1, keepdims=True)
        return lengths_of_heights(top - middle @ self.faces.T)

    def neighbours(self, layers: IntArray) -> IntArray:
        """Return crystals that differ by few layers, (n, n_faces)."""
        found = layers + self._moves
        return np.asarray(found[((found >= 0) & (found <= self._last)).all(axis=1)])


def by_faces(
    start: BoolArray, sites: Sites, sums: PairSums, *, kept: int, n_independent: float
) -> list[Scored]:
    """Return the best crystal of each of the most promising sets of faces, the least cost first.

    Every set begins with the crystal that just holds the start; the best few go down to the next
    minimum of the cost, R_w and description together (`analysis.pdf.structure.regularity`).

    Parameters
    ----------
    start : (n_sites,) where atoms are.
    kept : how many sets of faces are followed.
    n_independent : points of the curve that tell something new.
    """
    crystals = _Crystals(sites, sums, n_independent)
    bodies = [Body(faces, sites) for faces in sites.bodies]
    layers = [body.around(start) for body in bodies]
    first = [crystals.best(body, np.array([row])) for body, row in zip(bodies, layers, strict=True)]
    order = sorted(range(len(bodies)), key=lambda i: first[i][0])[:kept]
    found = [crystals.descended(bodies[i], *first[i]) for i in order]
    return [scored for _, scored in sorted(found, key=lambda f: f[0])]


@dataclass(frozen=True, slots=True, eq=False)
class _Crystals:
    sites: Sites
    sums: PairSums
    n_independent: float

    def ledger(self, shape: BoolArray) -> Ledger:
        """Return what counts pairs of shapes near one (n_sites,)."""
        return Ledger.of(self.sites, self.sums, shape)

    def best(
        self, body: Body, rows: IntArray, *, near: Ledger | None = None
    ) -> tuple[float, IntArray, Scored]:
        """Return cost, layers and shape of the best of some crystals (n, n_faces).

        Parameters
        ----------
        near : of a shape that differs little from all of them, which saves time.
        """
        shapes: dict[bytes, tuple[IntArray, BoolArray]] = {}
        for row in rows:
            shape = body.filled(row)
            if shape.sum() >= FEWEST_ATOMS:
                shapes.setdefault(np.packbits(shape).tobytes(), (row, shape))
        layers, filled = (np.stack(part) for part in zip(*shapes.values(), strict=True))
        ledger = self.ledger(filled[len(filled) // 2]) if near is None else near
        rws = ledger.score(filled)
        lengths = body.lengths(layers, filled, self.sites)
        costs = [
            cost(float(rw), float(length), n_independent=self.n_independent)
            for rw, length in zip(rws, lengths, strict=True)
        ]
        least = int(np.argmin(costs))
        return costs[least], layers[least], Scored(filled[least], float(rws[least]))

    def descended(
        self, body: Body, cost_now: float, layers: IntArray, state: Scored
    ) -> tuple[float, Scored]:
        """Return cost and shape of the next minimum."""
        ledger = self.ledger(state.mask)
        for _ in range(_MOST_STEPS):
            rows = np.concatenate([layers[None], body.neighbours(layers)])
            reached, layers, better = self.best(body, rows, near=ledger)
            if reached > cost_now - _LEAST_GAIN:
                break
            cost_now, state, ledger = reached, better, ledger.moved_to(better.mask)
        return cost_now, state


def _levels(height: FloatArray) -> FloatArray:
    """Return the distinct heights, rising."""
    ordered = np.sort(height)
    return np.asarray(ordered[np.concatenate([[True], np.diff(ordered) > _LEVEL])])


def _moves(faces: FloatArray) -> Iterator[IntArray]:
    """Yield by how many layers each face is moved, (n_faces,) each."""
    n = len(faces)
    unit = np.eye(n, dtype=np.int64)
    opposite = (faces @ faces.T).argmin(axis=1)
    for i in range(n):
        for step in (-2, -1, 1, 2):
            yield step * unit[i]
        other = int(opposite[i])
        if i < other:
            for one, two in ((1, 1), (-1, -1), (1, -1), (-1, 1), (2, -2), (-2, 2)):
                yield one * unit[i] + two * unit[other]
    for step in (-1, 1):
        yield np.full(n, step)
    if n <= _PAIRED:
        for i, j in combinations(range(n), 2):
            if j != opposite[i]:
                for one, two in ((1, 1), (-1, -1), (1, -1), (-1, 1)):
                    yield one * unit[i] + two * unit[j]
