"""A library of one-element clusters: seven types, in units of their bond, with parents named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np
from ase.cluster import Decahedron, Icosahedron, Octahedron
from ase.lattice.hexagonal import HexagonalClosedPacked
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from analysis.errors import BadSettings

FloatArray = NDArray[np.float64]
Kind = Literal["sc", "fcc", "bcc", "hcp", "icosahedron", "decahedron", "octahedron"]

LATTICES: dict[Kind, str] = {
    "sc": "sc",
    "fcc": "fcc",
    "bcc": "bcc",
    "hcp": "hcp",
    "icosahedron": "icosahedron",
    "decahedron": "decahedron",
    "octahedron": "fcc",
}
"""Type → its lattice. An octahedron is a crystallite of the face-centred lattice."""

_ELEMENT = "Au"  # ASE wants one; it leaves no trace in a cluster
_ROOT2 = float(np.sqrt(2.0))
_ROOT3 = float(np.sqrt(3.0))
_LAYER_SPACINGS = {
    "sc": (1.0, 1 / _ROOT2, 1 / _ROOT3),
    "fcc": (1 / _ROOT2, 0.5, _ROOT2 / _ROOT3),
    "bcc": (1 / _ROOT3, _ROOT2 / _ROOT3, 1 / 3),
}
"""Distance of layers along [100], [110] and [111], in bonds."""
_IDEAL_HCP = {"a": 1.0, "c": float(np.sqrt(8 / 3))}
_FEWEST = 5
_TOUCHING = 1.07
"""Atoms closer than this many bonds touch; shells of an icosahedron are 5 % apart."""
_NEIGHBOUR = 1.2
"""Atoms closer than this many bonds are neighbours."""


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """One cluster of one element.

    Attributes
    ----------
    kind : the type.
    size : how it was made, such as ``3-6-7``: layers, shells or lengths.
    parent : type and size of the geometry that it comes from; what must not stand on both sides
        of a split between training and test.
    positions : (n_atoms, 3), in units of the shortest distance.
    """

    kind: Kind
    size: str
    parent: str
    positions: FloatArray

    @property
    def lattice(self) -> str:
        """The lattice, with octahedra counted as face-centred."""
        return LATTICES[self.kind]

    def __len__(self) -> int:
        return len(self.positions)


def ideal_clusters(*, most_atoms: int = 200, fewest_atoms: int = _FEWEST) -> list[Cluster]:
    """Return the distinct regular clusters of every type.

    Layers 1–10 between (100), (110) and (111) faces of the cubic lattices, blocks of 2–7 cells of
    hexagonal packing, icosahedra, decahedra and octahedra with every cut-off; after Kjær et al.
    (2023, doi:10.1039/D2DD00086E). Shapes with an atom that touches no other are left out.

    Parameters
    ----------
    most_atoms, fewest_atoms : larger and smaller clusters are left out.

    Raises
    ------
    BadSettings
        No size is left.
    """
    if not 2 <= fewest_atoms <= most_atoms:
        raise BadSettings(
            f"clusters of {fewest_atoms} to {most_atoms} atoms were wanted; at least two atoms and "
            "a range were expected"
        )
    shapes = (c for c in _every_shape(most_atoms) if fewest_atoms <= len(c) <= most_atoms)
    return [c for c in deduplicated(shapes) if _is_bonded(c)]


def cut_clusters(
    count: int, *, rng: np.random.Generator, atoms: tuple[int, int] = (12, 200)
) -> list[Cluster]:
    """Return ellipsoids cut from the four lattices around random points, each its own parent.

    Parameters
    ----------
    count : cuts of each lattice; duplicates are left out, so fewer may come back.
    rng : where axes (log-normal, spread 0.18), sizes (even in their logarithm) and centres come
        from.
    atoms : fewest and most atoms.
    """
    lattices: tuple[Kind, ...] = ("sc", "fcc", "bcc", "hcp")
    cuts = []
    for kind in lattices:
        sites = _lattice_sites(kind, radius=1.6 * atoms[1] ** (1 / 3))
        for number in range(count):
            positions = _ellipsoid(sites, rng=rng, atoms=atoms)
            size = f"cut-{number}"
            cuts.append(Cluster(kind, size, f"{kind} {size}", positions))
    return deduplicated(cuts)


def with_defects(cluster: Cluster, *, rng: np.random.Generator, most: float = 0.12) -> Cluster:
    """Return the cluster without some of its least coordinated atoms; its parent stays.

    Parameters
    ----------
    rng : says how many, up to the share `most`, and which among equals.
    """
    near = cdist(cluster.positions, cluster.positions) < _NEIGHBOUR
    n_removed = int(rng.integers(1, max(2, int(most * len(cluster)) + 1)))
    order = np.lexsort((rng.random(len(cluster)), near.sum(axis=1)))
    kept = np.sort(order[n_removed:])
    return replace(
        cluster, size=f"{cluster.size}-without-{n_removed}", positions=cluster.positions[kept]
    )


def deduplicated(clusters: Iterable[Cluster]) -> list[Cluster]:
    """Return the clusters without those that repeat an earlier one's N, Σd and Σd³."""
    seen: set[tuple[int, float, float]] = set()
    kept = []
    for cluster in clusters:
        distance = pdist(cluster.positions)
        key = (len(cluster), round(float(distance.sum()), 3), round(float((distance**3).sum()), 1))
        if key not in seen:
            seen.add(key)
            kept.append(cluster)
    return kept


def _every_shape(most_atoms: int) -> Iterator[Cluster]:
    """Yield octahedra before face-centred shapes, so that a shape of both keeps that name."""
    for length in range(2, 2 + int(_ROOT2 * most_atoms ** (1 / 3))):
        for cutoff in range((length - 1) // 2 + 1):
            atoms = Octahedron(_ELEMENT, length, cutoff, latticeconstant=_ROOT2)
            yield _cluster("octahedron", (length, cutoff), atoms.positions)
    for shells in range(2, 3 + int(most_atoms ** (1 / 3))):
        atoms = Icosahedron(_ELEMENT, shells, latticeconstant=_ROOT2)
        shortest = float(pdist(atoms.positions).min())
        yield _cluster("icosahedron", (shells,), atoms.positions / shortest)
    for p, q, r in product(range(1, 6), range(1, 6), range(6)):
        atoms = Decahedron(_ELEMENT, p, q, r, latticeconstant=_ROOT2)
        if len(atoms) <= most_atoms:
            yield _cluster("decahedron", (p, q, r), atoms.positions)
    yield from _layered(most_atoms)
    yield from _hexagonal(most_atoms)


def _layered(most_atoms: int) -> Iterator[Cluster]:
    """Yield what layers below {100}, {110} and {111} leave of a lattice around one of its atoms.

    A shape of cubic symmetry that holds an atom at R bonds holds the octahedron or cube through
    it, so all of a small shape lies within the sites looked at.
    """
    kinds: tuple[Kind, ...] = ("fcc", "bcc", "sc")
    for kind in kinds:
        sites = _lattice_sites(kind, radius=2.0 + most_atoms ** (1 / 3))
        depths = _layer_numbers(kind, sites)
        for layers in product(range(1, 11), repeat=3):
            inside = (depths <= layers).all(axis=1)
            if 1 < inside.sum() <= most_atoms:
                yield _cluster(kind, layers, sites[inside])


def _layer_numbers(kind: Kind, sites: FloatArray) -> NDArray[np.int64]:
    """Return the layer of each site along [100], [110] and [111], (n, 3); 0 is the middle."""
    size = np.sort(np.abs(sites), axis=1)
    heights = np.stack([size[:, 2], size[:, 1:].sum(axis=1) / 2**0.5, size.sum(axis=1) / 3**0.5], 1)
    return np.round(heights / _LAYER_SPACINGS[kind]).astype(np.int64)


def _hexagonal(most_atoms: int) -> Iterator[Cluster]:
    for size in product(range(2, 8), repeat=3):
        atoms = HexagonalClosedPacked(symbol=_ELEMENT, size=size, latticeconstant=_IDEAL_HCP)
        if len(atoms) <= most_atoms:
            yield _cluster("hcp", size, atoms.positions)


def _is_bonded(cluster: Cluster) -> bool:
    near = cdist(cluster.positions, cluster.positions) < _TOUCHING
    return bool(near.sum(axis=1).min() > 1)


def _cluster(kind: Kind, size: tuple[int, ...], positions: FloatArray) -> Cluster:
    name = "-".join(map(str, size))
    return Cluster(kind, name, f"{kind} {name}", positions)


def _lattice_sites(kind: Kind, *, radius: float) -> FloatArray:
    """Return the sites within `radius` bonds of a point of the lattice."""
    bases: dict[str, tuple[FloatArray, FloatArray]] = {
        "sc": (np.eye(3), np.zeros((1, 3))),
        "fcc": (_ROOT2 / 2 * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]]), np.zeros((1, 3))),
        "bcc": (np.array([[-1.0, 1, 1], [1, -1, 1], [1, 1, -1]]) / 3**0.5, np.zeros((1, 3))),
        "hcp": (
            np.array([[1, 0, 0], [-0.5, 3**0.5 / 2, 0], [0, 0, _IDEAL_HCP["c"]]]),
            np.array([[0.0, 0, 0], [1 / 3, 2 / 3, 1 / 2]]),
        ),
    }
    axes, basis = bases[kind]
    reach = int(np.ceil(radius * float(np.linalg.norm(np.linalg.inv(axes), axis=0).max()))) + 1
    steps = np.arange(-reach, reach + 1)
    cells = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    sites = ((cells + basis) @ axes).reshape(-1, 3)
    return np.asarray(sites[np.linalg.norm(sites, axis=1) <= radius])


def _ellipsoid(
    sites: FloatArray, *, rng: np.random.Generator, atoms: tuple[int, int]
) -> FloatArray:
    """Return the sites nearest to a random centre, by a distance stretched along random axes."""
    n_atoms = int(np.exp(rng.uniform(np.log(atoms[0]), np.log(atoms[1] + 1))))
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    stretch = np.exp(rng.normal(0.0, 0.18, 3))
    centre = rng.uniform(-0.5, 0.5, 3)
    order = np.argsort(np.linalg.norm((sites - centre) @ axes / stretch, axis=1), kind="stable")
    return sites[order[:n_atoms]]
