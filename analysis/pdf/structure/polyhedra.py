"""Search among regular crystals: what flat faces leave of a lattice, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.structure.moves import FEWEST_ATOMS
from analysis.pdf.structure.search import Scored
from analysis.pdf.structure.sites import Sites
from analysis.pdf.structure.sums import PairSums

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_LEVEL = 0.05
_MOST_STEPS = 15
_PAIRED = 8
"""Faces up to which every two are moved together."""
_LEAST_GAIN = 1e-5


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

    def neighbours(self, layers: IntArray) -> IntArray:
        """Return crystals that differ by few layers, (n, n_faces)."""
        found = layers + self._moves
        return np.asarray(found[((found >= 0) & (found <= self._last)).all(axis=1)])


def by_faces(
    starts: Sequence[BoolArray], sites: Sites, sums: PairSums, *, kept: int
) -> list[Scored]:
    """Return the best crystal of each of the most promising sets of faces, best first.

    Every set begins with the crystal that just holds a start; the best few go down to the next
    minimum of R_w.

    Parameters
    ----------
    starts : shapes, each (n_sites,).
    kept : how many sets of faces are followed.
    """
    bodies = [Body(faces, sites) for faces in sites.bodies]
    first = [(body, body.around(start)) for body in bodies for start in starts]
    shapes = [body.filled(layers) for body, layers in first]
    rw = _rw(shapes, sites, sums)
    found = [
        _descended(*first[i], rw=float(rw[i]), sites=sites, sums=sums)
        for i in np.argsort(rw, kind="stable")[:kept]
    ]
    return sorted(found, key=lambda s: s.rw)


def _descended(body: Body, layers: IntArray, *, rw: float, sites: Sites, sums: PairSums) -> Scored:
    met: set[bytes] = set()
    for _ in range(_MOST_STEPS):
        tried = body.neighbours(layers)
        shapes = {}
        for row in tried:
            shape = body.filled(row)
            key = np.packbits(shape).tobytes()
            if key not in met and shape.sum() >= FEWEST_ATOMS:
                met.add(key)
                shapes[key] = (shape, row)
        if not shapes:
            break
        options = list(shapes.values())
        scores = _rw([shape for shape, _ in options], sites, sums)
        best = int(scores.argmin())
        if scores[best] > rw - _LEAST_GAIN:
            break
        rw, layers = float(scores[best]), options[best][1]
    return Scored(body.filled(layers), rw)


def _rw(shapes: Sequence[BoolArray], sites: Sites, sums: PairSums) -> FloatArray:
    return sums.rw(np.stack([sites.pair_counts(s) for s in shapes]))


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
