"""Random crystals: a space group, a cell, and atoms that keep away from each other.

They are no real substances: no bonds, no coordination, no charge balance. What they have in common
with real ones are the extinctions of their space group, sites in special positions, densities,
and intensities that vary as widely.
"""

from __future__ import annotations

import gemmi
import numpy as np
from numpy.typing import NDArray

from analysis.physics.crystal import Cell, Crystal, Site, make_crystal
from analysis.xrd.symmetry.groups import ANIONS, CATION_SHARE, CATIONS, GROUPS, SHARES

FloatArray = NDArray[np.float64]

VOLUME, TRICLINIC_VOLUME, VOLUME_SPREAD = 480.0, 300.0, 0.75
"""Median cell volume [Å³], that of triclinic cells, which are all primitive, and the standard
deviation of its logarithm."""

VOLUMES = (60.0, 4000.0)
ATOM_VOLUMES = (10.0, 19.0)
"""Range of the volume of an atom [Å³]."""

MOST_SITES = 40
ATTEMPTS = 12
"""Positions among which the one farthest from all atoms is taken."""

SPECIAL = np.array([0.0, 0.25, 0.5, 0.75, 0.0, 0.5])
"""Coordinates of special positions."""


def draw_system(rng: np.random.Generator) -> str:
    """Return a crystal system, drawn by `SHARES`."""
    return str(rng.choice(list(SHARES), p=list(SHARES.values())))


def draw_crystal(system: str, *, rng: np.random.Generator) -> Crystal:
    """Return a random crystal of a system."""
    groups = GROUPS[system]
    group = groups[rng.integers(len(groups))]
    median = TRICLINIC_VOLUME if system == "triclinic" else VOLUME
    size = float(np.clip(median * np.exp(rng.normal(0.0, VOLUME_SPREAD)), *VOLUMES))
    cell = draw_cell(system, volume=size, rng=rng)
    n_atoms = size / rng.uniform(*ATOM_VOLUMES)
    sites = _sites(system, group, cell, n_atoms, rng)
    return make_crystal(f"random {group}", cell=cell, space_group=group, sites=sites)


def draw_cell(system: str, *, volume: float, rng: np.random.Generator) -> Cell:
    """Return a random cell of a system with the given volume [Å³].

    Axes scatter by 38 % about their mean, c of uniaxial lattices by 60 %; every fifth monoclinic
    angle is below 92°.
    """
    ratios, angles = np.exp(rng.normal(0.0, 0.38, 3)), np.full(3, 90.0)
    if system == "cubic":
        ratios[:] = 1.0
    elif system in ("tetragonal", "hexagonal"):
        ratios = np.array([1.0, 1.0, np.exp(rng.normal(0.1, 0.6))])
        angles[2] = 120.0 if system == "hexagonal" else 90.0
    elif system == "monoclinic":
        skew = rng.uniform(0.1, 2.0) if rng.random() < 0.2 else abs(rng.normal(0.0, 14.0)) + 0.2
        angles[1] = 90.0 + min(skew, 45.0)
    elif system == "triclinic":
        angles = np.clip(rng.normal([90.0, 98.0, 92.0], [9.0, 12.0, 11.0]), 62.0, 128.0)
    cosines = np.cos(np.radians(angles))
    flatness = 1 - (cosines**2).sum() + 2 * cosines.prod()
    if flatness < 0.15:
        return draw_cell(system, volume=volume, rng=rng)
    a, b, c = ratios * (volume / (ratios.prod() * np.sqrt(flatness))) ** (1 / 3)
    alpha, beta, gamma = angles
    return float(a), float(b), float(c), float(alpha), float(beta), float(gamma)


def _sites(
    system: str, group: str, cell: Cell, n_atoms: float, rng: np.random.Generator
) -> list[Site]:
    """Return sites until the cell is full; each at the best of some random positions."""
    rotations, shifts = _operations(group)
    axes = np.array(gemmi.UnitCell(*cell).orth.mat.tolist())
    cations = [CATIONS[i] for i in rng.integers(len(CATIONS), size=rng.integers(1, 4))]
    anions = [ANIONS[i] for i in rng.integers(len(ANIONS), size=rng.integers(1, 3))]
    special = 0.8 * rng.uniform(0.3, 0.8)
    placed = np.zeros((0, 3))
    sites: list[Site] = []
    while len(placed) < n_atoms and len(sites) < MOST_SITES:
        best, farthest = (np.zeros(3), np.zeros((0, 3))), -1.0
        for _ in range(ATTEMPTS):
            position = _position(system, special, rng)
            images = _images(position, rotations, shifts)
            distance = _distance(position, images, placed, axes)
            if len(placed) + len(images) > 1.5 * n_atoms + 4:
                distance *= 0.3  # the cell would be too full
            if distance > farthest:
                best, farthest = (position, images), distance
        kinds = cations if rng.random() < CATION_SHARE else anions
        x, y, z = map(float, best[0])
        element = kinds[rng.integers(len(kinds))]
        sites.append(Site(element, (x, y, z), b_iso=float(rng.uniform(0.3, 1.5))))
        placed = np.concatenate([placed, best[1]])
    return sites


def _position(system: str, special: float, rng: np.random.Generator) -> FloatArray:
    """Return random coordinates, some of them special, some equal in symmetric systems."""
    position = rng.random(3)
    drawn = SPECIAL[rng.integers(len(SPECIAL), size=3)]
    position = np.where(rng.random(3) < special, drawn, position)
    chance = rng.random()
    if system in ("cubic", "tetragonal", "hexagonal") and chance < 0.3:
        doubled = system == "hexagonal" and chance > 0.2
        position[1] = 2 * position[0] if doubled else position[0]
    if system == "cubic" and chance < 0.15:
        position[2] = position[0]
    return np.asarray(position, dtype=np.float64)


def _operations(group: str) -> tuple[FloatArray, FloatArray]:
    """Return rotations (n, 3, 3) and translations (n, 3) of a space group."""
    operations = list(gemmi.find_spacegroup_by_name(group).operations())
    rotations = np.array([op.rot for op in operations]) / gemmi.Op.DEN
    return rotations, np.array([op.tran for op in operations]) / gemmi.Op.DEN


def _images(position: FloatArray, rotations: FloatArray, shifts: FloatArray) -> FloatArray:
    """Return the distinct equivalents of a position in the cell, (n, 3), itself the first."""
    every = (rotations @ position + shifts - position + 1e-4) % 1.0 - 1e-4
    return np.unique(np.round(every, 3), axis=0) + position


def _distance(
    position: FloatArray, images: FloatArray, placed: FloatArray, axes: FloatArray
) -> float:
    """Return the distance [Å] to the nearest other atom; neighbouring cells are looked at once."""
    others = np.concatenate([images, placed]) - position
    others -= np.round(others)
    lengths = np.linalg.norm(others @ axes.T, axis=1)
    lengths = np.delete(lengths, int(np.argmin(lengths[: len(images)])))
    return float(lengths.min(initial=99.0))
