"""A library of structures that a curve is matched with: clusters of one element, and files.

Everything becomes a finite heap of atoms in units of its shortest distance; a crystal from a CIF
becomes spherical grains of several diameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from ase.cluster import Decahedron, Icosahedron, Octahedron
from ase.io import read as read_atoms
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from analysis.errors import BadPhase
from analysis.pdf.clusters import LATTICES, Cluster, cut_clusters, deduplicated, ideal_clusters
from analysis.physics.crystal import read_crystal
from analysis.physics.scattering_factors import Probe, forward_scattering

FloatArray = NDArray[np.float64]

BIN = 5e-4
"""Pairs whose distances agree to this share of the bond are one shell at their mean distance."""

GRAIN_DIAMETERS = (10.0, 15.0, 20.0, 25.0, 30.0, 40.0)
"""Diameters [Å] of the grains that a crystal enters with."""

_BLOCK = 512
_MANY = 400
"""Atoms beyond which not every regular shape is listed, but one for a step in size."""
_STEP = 0.05
"""The step, in the logarithm of the number of atoms."""
_CUTS = 25
_GROWN_CUTS = 12
_COVERED = (0.25, 0.5, 0.75)
"""Shares of an icosahedron's outermost shell."""
_NEAR, _INSIDE = 1.2, 12
"""Bonds within which atoms are neighbours, and how many of them an atom inside has."""
_ROOT2 = float(np.sqrt(2.0))


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One structure of the library.

    Attributes
    ----------
    name : unique, such as ``icosahedron 7``, or the file's name and the grain's diameter.
    kind : the type of a cluster, or the file's name without ending.
    lattice : as `kind`, octahedra counted as face-centred.
    n_atoms : number of atoms.
    distance : (n_shells,) distinct pair distances in units of the shortest.
    weight : (n_shells,) 2 Σ_{i<j} w_i w_j / (N ⟨w⟩²), so that Σ weight · sin(Qd)/(Qd) is S(Q) − 1
        of atoms that stand still.
    bond : the shortest distance [Å] that a file states; None where only the shape is known.
    cluster : that the entry was made of; None for what comes from a file.
    positions, strength : (n_atoms, 3) in units of the shortest distance and (n_atoms,) how strongly
        each scatters, of what comes from a file.
    """

    name: str
    kind: str
    lattice: str
    n_atoms: int
    distance: FloatArray
    weight: FloatArray
    bond: float | None = None
    cluster: Cluster | None = None
    positions: FloatArray | None = None
    strength: FloatArray | None = None


@lru_cache(maxsize=4)
def cluster_entries(most_atoms: int) -> tuple[Entry, ...]:
    """Return the seven types of clusters up to a number of atoms; kept once made.

    Every regular shape up to 400 atoms; beyond, one for every 5 % of atoms in a type. Besides,
    ellipsoids cut from the four lattices, always the same.
    """
    rng = np.random.default_rng(0)
    regular = ideal_clusters(most_atoms=min(_MANY, most_atoms))
    cuts = cut_clusters(_CUTS, rng=rng, atoms=(12, min(_MANY, most_atoms)))
    grown: list[Cluster] = []
    if most_atoms > _MANY:
        grown = list(_thinned(_grown(most_atoms)))
        cuts += cut_clusters(_GROWN_CUTS, rng=rng, atoms=(_MANY, most_atoms))
    return tuple(_from_cluster(c) for c in deduplicated([*regular, *grown, *cuts]))


def covered_entries(most_atoms: int) -> tuple[Entry, ...]:
    """Return icosahedra whose outermost shell is partly there: whole ones are few, far apart."""
    whole = [e for e in cluster_entries(most_atoms) if e.kind == "icosahedron" and e.n_atoms > 13]
    return tuple(c for e in whole if e.cluster is not None for c in _partly_covered(e.cluster))


def folder_entries(folder: Path, *, probe: Probe) -> tuple[Entry, ...]:
    """Return the structures of every ``.xyz`` and ``.cif`` of a folder.

    Raises
    ------
    BadPhase
        The folder holds none, or a file cannot be read.
    """
    found = [_from_xyz(path, probe=probe) for path in sorted(folder.glob("*.xyz"))]
    for path in sorted(folder.glob("*.cif")):
        found.extend(_grains(path, probe=probe))
    if not found:
        raise BadPhase(f"{folder} holds no .xyz or .cif file; name a folder with structures")
    return tuple(found)


def shells(positions: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return distinct distances and their weights, as `Entry` keeps them.

    Parameters
    ----------
    positions : (n_atoms, 3), in units of the shortest distance.
    weights : (n_atoms,) how strongly each atom scatters.
    """
    extent = float(np.linalg.norm(np.ptp(positions, axis=0)))
    n_bins = int(extent / BIN) + 2
    weight, moment = np.zeros(n_bins), np.zeros(n_bins)
    i, j = np.triu_indices(_BLOCK, k=1)
    for start in range(0, len(positions), _BLOCK):
        block, rest = slice(start, start + _BLOCK), slice(start + _BLOCK, None)
        near = j < len(positions[block])
        within = pdist(positions[block]), weights[block][i[near]] * weights[block][j[near]]
        across = cdist(positions[block], positions[rest]), np.outer(weights[block], weights[rest])
        for distance, product in (within, across):
            which = (distance / BIN).astype(np.intp).ravel()
            product = product.ravel()
            weight += np.bincount(which, weights=product, minlength=n_bins)
            moment += np.bincount(which, weights=product * distance.ravel(), minlength=n_bins)
    filled = np.abs(weight) > 0
    norm = 2 / (len(positions) * float(weights.mean()) ** 2)
    return moment[filled] / weight[filled], norm * weight[filled]


def _grown(most_atoms: int) -> Iterator[Cluster]:
    """Yield icosahedra, octahedra and decahedra beyond 400 atoms."""
    yield from _icosahedra_and_octahedra(most_atoms)
    for p in range(1, 11):
        for q in range(1, 11):
            for r in range(min(p, q) + 1):
                if 2 * p * p * q > most_atoms:
                    continue
                atoms = Decahedron("Au", p, q, r, latticeconstant=_ROOT2)
                if _MANY < len(atoms) <= most_atoms:
                    name = f"{p}-{q}-{r}"
                    yield Cluster("decahedron", name, f"decahedron {name}", atoms.positions)


def _icosahedra_and_octahedra(most_atoms: int) -> Iterator[Cluster]:
    for n_shells in range(5, 3 + int(most_atoms ** (1 / 3))):
        atoms = Icosahedron("Au", n_shells, latticeconstant=_ROOT2)
        if _MANY < len(atoms) <= most_atoms:
            positions = atoms.positions / _shortest(atoms.positions)
            name = str(n_shells)
            yield Cluster("icosahedron", name, f"icosahedron {name}", positions)
    for length in range(7, 3 + int(_ROOT2 * most_atoms ** (1 / 3))):
        for cutoff in range((length - 1) // 2 + 1):
            atoms = Octahedron("Au", length, cutoff, latticeconstant=_ROOT2)
            if _MANY < len(atoms) <= most_atoms:
                name = f"{length}-{cutoff}"
                yield Cluster("octahedron", name, f"octahedron {name}", atoms.positions)


def _thinned(clusters: Iterable[Cluster]) -> Iterator[Cluster]:
    """Yield what differs in size from everything of its type before it; icosahedra all do."""
    taken: dict[str, list[float]] = {}
    for cluster in clusters:
        size = float(np.log(len(cluster)))
        before = taken.setdefault(cluster.kind, [])
        if all(abs(size - other) > _STEP for other in before):
            before.append(size)
            yield cluster


def _from_cluster(cluster: Cluster) -> Entry:
    distance, weight = shells(cluster.positions, np.ones(len(cluster)))
    name = f"{cluster.kind} {cluster.size}"
    lattice = LATTICES[cluster.kind]
    return Entry(name, cluster.kind, lattice, len(cluster), distance, weight, cluster=cluster)


def _partly_covered(cluster: Cluster) -> Iterator[Entry]:
    """Yield a cluster with shares of its outermost shell, each site as often there as any other."""
    outermost = _neighbours(cluster.positions) < _INSIDE
    for share in _COVERED:
        weights = np.where(outermost, share, 1.0)
        distance, weight = shells(cluster.positions, weights)
        name = f"{cluster.kind} {cluster.size} at {share:.0%}"
        lattice = LATTICES[cluster.kind]
        n_atoms = round(float(weights.sum()))
        yield Entry(name, cluster.kind, lattice, n_atoms, distance, weight, cluster=cluster)


def _from_xyz(path: Path, *, probe: Probe) -> Entry:
    try:
        atoms = read_atoms(path, format="xyz")
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise BadPhase(f"{path} cannot be read as .xyz ({error}); correct or remove it") from error
    if len(atoms) < 2:
        raise BadPhase(f"{path} holds {len(atoms)} atoms; at least two were expected")
    symbols = atoms.get_chemical_symbols()
    return _entry(path.stem, path.stem, np.asarray(atoms.positions), symbols, probe=probe)


def _grains(path: Path, *, probe: Probe) -> Iterator[Entry]:
    crystal = read_crystal(path)
    structure = crystal.structure
    cell = np.asarray(structure.cell.orth.mat, dtype=np.float64)
    sites = structure.get_all_unit_cell_sites()
    fractions = np.array([[s.fract.x, s.fract.y, s.fract.z] for s in sites])
    symbols = np.array([s.element.name for s in sites])
    for diameter in GRAIN_DIAMETERS:
        reach = np.ceil(diameter / 2 * np.linalg.norm(np.linalg.inv(cell), axis=1)).astype(int) + 1
        steps = np.stack(
            np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1
        ).reshape(-1, 1, 3)
        positions = ((steps + fractions - fractions[0]) @ cell.T).reshape(-1, 3)
        inside = np.linalg.norm(positions, axis=1) <= diameter / 2
        kept = np.tile(symbols, len(steps))[inside]
        name = f"{path.stem} {diameter:g} Å"
        yield _entry(name, path.stem, positions[inside], list(kept), probe=probe)


def _entry(
    name: str, kind: str, positions: FloatArray, symbols: list[str], *, probe: Probe
) -> Entry:
    of_symbol = {s: forward_scattering(s, probe=probe) for s in set(symbols)}
    strength = np.array([of_symbol[s] for s in symbols])
    bond = _shortest(positions)
    distance, weight = shells(positions / bond, strength)
    return Entry(
        name,
        kind,
        kind,
        len(positions),
        distance,
        weight,
        bond,
        positions=positions / bond,
        strength=strength,
    )


def _neighbours(positions: FloatArray) -> NDArray[np.int64]:
    """Return how many others lie within 1.2 shortest distances of each, (n_atoms,)."""
    return np.asarray((cdist(positions, positions) < _NEAR).sum(axis=1) - 1)


def _shortest(positions: FloatArray) -> float:
    apart = cdist(positions, positions)
    np.fill_diagonal(apart, np.inf)
    return float(apart.min())
