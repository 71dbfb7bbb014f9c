"""Sites that atoms of a cluster may take: five lattices and a twinned one, in units of the bond."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product

import numpy as np
from ase.cluster import Decahedron, Icosahedron
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, cKDTree
from scipy.spatial.distance import cdist

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LATTICES = ("sc", "fcc", "bcc", "hcp", "icosahedron", "decahedron")
"""The order in which networks number them."""

RADIUS = 6.6
"""How far sites reach [bonds]; a sphere of it holds 1,700 atoms of a close packing."""

TOUCHING = 1.08
"""Sites closer than this many bonds touch; shells of an icosahedron are 5 % apart."""

_ROOT2, _ROOT3 = float(np.sqrt(2.0)), float(np.sqrt(3.0))
_HCP_C = float(np.sqrt(8 / 3))
_SAME = 0.006
"""Distances that agree to this share of the bond are one shell."""

_SAME_PLACE = 0.01

_AXES = {
    "sc": np.eye(3),
    "fcc": _ROOT2 / 2 * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]]),
    "bcc": np.array([[-1.0, 1, 1], [1, -1, 1], [1, 1, -1]]) / _ROOT3,
    "hcp": np.array([[1, 0, 0], [-0.5, _ROOT3 / 2, 0], [0, 0, _HCP_C]]),
}
_BASIS = {"hcp": np.array([[0.0, 0, 0], [1 / 3, 2 / 3, 1 / 2]])}
_HALVES = tuple(product((0.0, 0.5), repeat=3))
_CENTRES = {
    "sc": [(0, 0, 0), (0.5, 0, 0), (0.5, 0.5, 0), (0.5, 0.5, 0.5)],
    "fcc": [(0, 0, 0), (0.5, 0, 0), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)],
    "bcc": [(0, 0, 0), (0.5, 0, 0), (0.5, 0.5, 0)],
    "hcp": [(1 / 6 + x, 1 / 3 + y, 1 / 4 + z) for x, y, z in _HALVES] + [(0, 0, 0)],
}
"""Where clusters are centred, in fractions of the primitive cell: atoms, holes, middles of bonds;
of a hexagonal packing all eight centres of inversion."""


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """The sites of one lattice.

    Attributes
    ----------
    lattice : its name.
    positions : (n_sites, 3) in units of the shortest distance.
    shell : (n_sites, n_sites) which distance lies between two sites; of a site with itself
        n_shells.
    distance : (n_shells,) the distances, rising.
    touching_weight : (n_sites, n_sites) in single precision, 1 where sites are next to each other.
    centres : (n_centres, 3) where clusters are centred.
    faces : families of equal faces, each (n, 3) unit vectors outwards.
    bodies : sets of faces that bound a regular crystal, each (n, 3): families, alone and together,
        and blocks of a hexagonal packing.
    translations : (n, 3) short shifts that bring the lattice onto itself.
    """

    lattice: str
    positions: FloatArray
    shell: NDArray[np.int16]
    distance: FloatArray
    touching_weight: NDArray[np.float32]
    centres: FloatArray
    faces: tuple[FloatArray, ...]
    bodies: tuple[FloatArray, ...]
    translations: FloatArray

    def __len__(self) -> int:
        return len(self.positions)

    def around(self, mask: BoolArray, *, margin: float) -> IntArray:
        """Return the numbers of the sites within `margin` bonds of some (n_sites,)."""
        apart, _ = cKDTree(self.positions[mask]).query(
            self.positions, distance_upper_bound=margin + _SAME_PLACE
        )
        return np.flatnonzero(apart <= margin)

    def near(self, mask: BoolArray, *, margin: float) -> tuple[Sites, IntArray]:
        """Return the sites within `margin` bonds of some (n_sites,), and their numbers here."""
        kept = self.around(mask, margin=margin)
        shell = self.shell[np.ix_(kept, kept)]
        used = np.unique(shell)
        n_shells = len(self.distance)
        number = np.full(n_shells + 1, -1, dtype=np.int16)
        number[used] = np.arange(len(used))
        return (
            Sites(
                self.lattice,
                self.positions[kept],
                number[shell],
                self.distance[used[used < n_shells]],
                self.touching_weight[np.ix_(kept, kept)],
                self.centres,
                self.faces,
                self.bodies,
                self.translations,
            ),
            kept,
        )

    def shifted(self) -> IntArray:
        """Return the site onto which each translation brings each, (n, n_sites); −1 for none."""
        tree = cKDTree(self.positions)
        found = np.full((len(self.translations), len(self)), -1)
        for row, vector in zip(found, self.translations, strict=True):
            distance, index = tree.query(self.positions + vector)
            row[:] = np.where(distance < _SAME_PLACE, index, -1)
        return found

    def pair_counts(self, mask: BoolArray) -> FloatArray:
        """Return how many pairs of the atoms on some sites (n_sites,) lie at each distance."""
        chosen = np.flatnonzero(mask)
        found = np.bincount(
            self.shell[np.ix_(chosen, chosen)].ravel(), minlength=len(self.distance) + 1
        )
        return np.asarray(found[:-1] / 2.0)


@lru_cache(maxsize=len(LATTICES))
def sites_of(lattice: str) -> Sites:
    """Return the sites of a lattice; kept once made.

    Raises
    ------
    KeyError
        The lattice is none of `LATTICES`.
    """
    if lattice == "icosahedron":
        positions, centres = _icosahedron(), np.zeros((1, 3))
    elif lattice == "decahedron":
        positions, centres = _twins()
    else:
        axes = _AXES[lattice]
        positions = _lattice_points(axes, _BASIS.get(lattice, np.zeros((1, 3))))
        centres = np.array(_CENTRES[lattice], dtype=np.float64) @ axes
    apart = cdist(positions, positions)
    shell, distance = _shells(apart)
    touching = ((apart < TOUCHING) & (apart > 0)).astype(np.float32)
    faces = tuple(_faces(lattice))
    return Sites(
        lattice,
        positions,
        shell,
        distance,
        touching,
        centres,
        faces,
        tuple(_bodies(faces, lattice)),
        _translations(lattice),
    )


def _translations(lattice: str) -> FloatArray:
    """Return the shortest translations, and along c of a hexagonal packing."""
    if lattice == "icosahedron":
        return np.zeros((0, 3))
    if lattice == "decahedron":
        return np.array([[0.0, 0, 1], [0, 0, -1]])
    steps = np.array(list(product((-1, 0, 1), repeat=3)))
    vectors = steps[np.abs(steps).sum(axis=1) > 0] @ _AXES[lattice]
    length = np.linalg.norm(vectors, axis=1)
    is_short = length < (_ROOT2 + 0.01 if lattice == "sc" else 1.01)
    along_c = np.abs(vectors[:, :2]).sum(axis=1) < 0.01
    return np.asarray(vectors[is_short | ((lattice == "hcp") & along_c)])


def _lattice_points(axes: FloatArray, basis: FloatArray) -> FloatArray:
    reach = int(np.ceil(RADIUS * float(np.linalg.norm(np.linalg.inv(axes), axis=0).max()))) + 1
    cells = np.array(list(product(range(-reach, reach + 1), repeat=3)), dtype=np.float64)
    points = ((cells[:, None, :] + basis) @ axes).reshape(-1, 3)
    return np.asarray(points[np.linalg.norm(points, axis=1) <= RADIUS])


def _icosahedron() -> FloatArray:
    """Return Mackay's icosahedron of six shells (Mackay 1962, doi:10.1107/S0365110X6200239X)."""
    positions = Icosahedron("Au", 6, latticeconstant=_ROOT2).positions
    positions = positions - positions.mean(axis=0)
    return np.asarray(positions / _shortest(positions))


def _twins() -> tuple[FloatArray, FloatArray]:
    """Return the sites of five twins around an axis along z, and its two kinds of centres."""
    positions = Decahedron("Au", 7, 9, 0, latticeconstant=_ROOT2).positions
    positions = positions - positions.mean(axis=0)
    axis = np.linalg.norm(positions[:, :2], axis=1) < 0.1
    height = positions[axis, 2]
    positions[:, 2] -= height[np.abs(height).argmin()]
    inside = np.linalg.norm(positions, axis=1) <= RADIUS
    return positions[inside], np.array([[0.0, 0, 0], [0, 0, 0.5]])


def _shells(apart: FloatArray) -> tuple[NDArray[np.int16], FloatArray]:
    """Return the number of each pair's shell and the mean distance of each shell."""
    bins = np.round(apart / _SAME).astype(np.int64)
    used, shell = np.unique(bins, return_inverse=True)
    shell = shell.reshape(apart.shape)
    n_pairs = np.bincount(shell.ravel())
    distance = np.bincount(shell.ravel(), weights=apart.ravel()) / n_pairs
    if used[0] != 0:
        raise AssertionError("a site is no distance from itself")
    shell = np.where(shell == 0, len(used), shell) - 1
    return shell.astype(np.int16), distance[1:]


def _faces(lattice: str) -> Iterator[FloatArray]:
    """Yield families of faces that crystals of a lattice show."""
    if lattice == "icosahedron":
        corners = Icosahedron("Au", 2, latticeconstant=_ROOT2).positions
        corners = corners[np.linalg.norm(corners, axis=1) > 0.1]
        yield _unit(corners)
        yield _hull_normals(corners)
    elif lattice == "decahedron":
        body = Decahedron("Au", 4, 1, 0, latticeconstant=_ROOT2).positions
        yield _hull_normals(body - body.mean(axis=0))
        yield np.array([[0.0, 0, 1], [0, 0, -1]])
        angle = np.arange(10) * np.pi / 5 + np.pi / 2
        around = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
        yield around[::2]
        yield around[1::2]
    elif lattice == "hcp":
        yield np.array([[0.0, 0, 1], [0, 0, -1]])
        angle = np.arange(12) * np.pi / 6
        around = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
        yield around[::2]
        yield around[1::2]
        prism = around[1::2]
        tilt = np.array([0.0, 0.0, _ROOT3 / 2 / _HCP_C])
        yield _unit(np.concatenate([prism + tilt, prism - tilt]))
    else:
        steps = np.array(list(product((-1.0, 0, 1), repeat=3)))
        size = np.abs(steps).sum(axis=1)
        for n_steps in (1, 2, 3):
            yield _unit(steps[size == n_steps])


def _bodies(faces: tuple[FloatArray, ...], lattice: str) -> Iterator[FloatArray]:
    """Yield the sets of faces of which regular crystals are made."""
    for n_families in range(1, len(faces) + 1):
        for families in combinations(faces, n_families):
            yield np.concatenate(families)
    if lattice == "hcp":
        basal, *prisms = faces[:3]
        for prism in prisms:
            half = prism[:3]
            for pair in combinations(range(3), 2):
                sides = half[list(pair)]
                yield np.concatenate([basal, sides, -sides])


def _hull_normals(points: FloatArray) -> FloatArray:
    normals = ConvexHull(points).equations[:, :3]
    return np.unique(np.round(normals, 6), axis=0)


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _shortest(positions: FloatArray) -> float:
    apart = cdist(positions, positions)
    np.fill_diagonal(apart, np.inf)
    return float(apart.min())
