"""Shapes to learn from: regular clusters, random polyhedra, ellipsoids, all with atoms missing.

Each is a cluster of `analysis.pdf.clusters`, centred, beside the vacant sites around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from analysis.pdf.clusters import Cluster, Kind, deduplicated, ideal_clusters, with_defects
from analysis.pdf.structure.sites import LATTICES, Sites, sites_of

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SHELL = 1.2
"""Vacant sites as far from an atom as this [bonds] are learnt as vacant."""

_SAME_PLACE = 0.02
_FACES_APART = 0.15
"""Spread of the logarithm of distances of a random polyhedron's faces from its middle."""
_AXES_APART = 0.2
_MANY = 9


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A cluster on sites of its lattice, its middle at the origin.

    Attributes
    ----------
    parent : as `analysis.pdf.clusters.Cluster` names it; of random shapes empty.
    atoms : (n_atoms, 3) occupied sites [bonds].
    vacant : (n_vacant, 3) sites next to them that are not [bonds].
    """

    lattice: str
    kind: str
    parent: str
    atoms: FloatArray
    vacant: FloatArray


def placed(cluster: Cluster) -> Shape | None:
    """Return a cluster beside the vacant sites around it; None where it does not fit the sites.

    Regular clusters are as they were made, not turned; only their place is sought.
    """
    sites = sites_of(cluster.lattice)
    tree = cKDTree(sites.positions)
    middle = cluster.positions.mean(axis=0)
    for centre, sign in product(sites.centres, (1.0, -1.0)):
        anchor = cluster.positions[np.linalg.norm(cluster.positions - middle, axis=1).argmin()]
        around = tree.query_ball_point(centre, 1.3)
        for site in sites.positions[around]:
            where = sign * (cluster.positions - anchor) + site
            distance, index = tree.query(where)
            if distance.max() < _SAME_PLACE:
                mask = np.zeros(len(sites), dtype=bool)
                mask[index] = True
                return shape_of(mask, sites, kind=cluster.kind, parent=cluster.parent)
    return None


def shape_of(mask: BoolArray, sites: Sites, *, kind: str, parent: str) -> Shape:
    """Return the atoms on some sites (n_sites,) with the vacant sites around them."""
    atoms = sites.positions[mask]
    vacant = sites.positions[~mask]
    near, _ = cKDTree(atoms).query(vacant)
    middle = atoms.mean(axis=0)
    return Shape(sites.lattice, kind, parent, atoms - middle, vacant[near < SHELL] - middle)


def random_shapes(
    count: int, *, rng: np.random.Generator, atoms: tuple[int, int]
) -> list[tuple[BoolArray, Sites]]:
    """Return polyhedra and ellipsoids, `count` of each lattice.

    Parameters
    ----------
    rng : where sizes (even in their logarithm), faces, axes and centres come from.
    atoms : fewest and most atoms.
    """
    found = []
    for lattice in LATTICES:
        sites = sites_of(lattice)
        for number in range(count):
            norm = _polyhedron(sites, rng) if number % 3 else _ellipsoid(sites, rng)
            wanted = int(np.exp(rng.uniform(np.log(atoms[0]), np.log(atoms[1] + 1))))
            found.append((_smallest(norm, wanted), sites))
    return found


def learnt_shapes(
    parents: Sequence[Cluster],
    forbidden: Sequence[Cluster],
    *,
    count: int,
    rng: np.random.Generator,
    atoms: tuple[int, int],
) -> list[Shape]:
    """Return regular shapes, the same with atoms missing, and random ones.

    Parameters
    ----------
    parents : regular clusters that may be learnt.
    forbidden : clusters that random shapes must not repeat.
    count : random shapes of each lattice.
    """
    regular = [s for c in parents if (s := placed(c)) is not None]
    broken = [s for c in parents if (s := placed(_broken(c, rng))) is not None]
    drawn = [
        shape_of(mask, sites, kind=sites.lattice, parent="")
        for mask, sites in random_shapes(count, rng=rng, atoms=atoms)
    ]
    strangers = _unlike(drawn, forbidden)
    return [*regular, *broken, *strangers]


def regular_clusters(most_atoms: int) -> list[Cluster]:
    """Return the regular clusters up to a number of atoms that fit on the sites."""
    return ideal_clusters(most_atoms=most_atoms)


def _broken(cluster: Cluster, rng: np.random.Generator) -> Cluster:
    return with_defects(cluster, rng=rng) if len(cluster) >= _MANY else cluster


def _unlike(drawn: Sequence[Shape], forbidden: Sequence[Cluster]) -> list[Shape]:
    """Return the drawn shapes without those that repeat another or a forbidden one."""
    kinds: dict[str, Kind] = {"sc": "sc", "fcc": "fcc", "bcc": "bcc", "hcp": "hcp"}
    as_clusters = [
        Cluster(kinds.get(s.lattice, "icosahedron"), "", str(i), s.atoms)
        for i, s in enumerate(drawn)
    ]
    barred = [replace(c, parent="") for c in forbidden]
    kept = deduplicated([*barred, *as_clusters])
    return [drawn[int(c.parent)] for c in kept if c.parent]


def _polyhedron(sites: Sites, rng: np.random.Generator) -> FloatArray:
    """Return the size at which a growing polyhedron takes each site, (n_sites,)."""
    spread = _FACES_APART * rng.choice([0.0, 1.0, 2.0])
    families = [f for f in sites.faces if rng.random() < 0.6] or list(sites.faces)
    offset = sites.positions - sites.centres[rng.integers(len(sites.centres))]
    norm = np.zeros(len(sites))
    for family in families:
        # opposite faces may lie at equal distance, as in blocks
        reach = np.exp(rng.normal(0.0, spread, len(family)) + rng.normal(0.0, 0.15))
        if rng.random() < 0.7:
            reach = np.sqrt(reach * reach[(family @ family.T).argmin(axis=1)])
        if len(families) > 1 and rng.random() < 0.3:
            reach[rng.random(len(family)) < 0.5] = np.inf
        norm = np.maximum(norm, (offset @ family.T / reach).max(axis=1))
    return np.asarray(norm + 1e-6 * np.linalg.norm(offset, axis=1))


def _ellipsoid(sites: Sites, rng: np.random.Generator) -> FloatArray:
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    stretch = np.exp(rng.normal(0.0, _AXES_APART, 3))
    centre = sites.centres[rng.integers(len(sites.centres))] + rng.uniform(-0.3, 0.3, 3)
    return np.asarray(np.linalg.norm((sites.positions - centre) @ axes / stretch, axis=1))


def _smallest(norm: FloatArray, wanted: int) -> BoolArray:
    """Return the sites up to the level that `wanted` of them reach: whole layers."""
    level = np.partition(norm, min(wanted, len(norm)) - 1)[min(wanted, len(norm)) - 1]
    return np.asarray(norm <= level + 1e-3)
