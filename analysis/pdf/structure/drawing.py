"""Shapes drawn for a curve: points of the plane, decoded into atoms on sites.

Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.pdf.structure.features import site_features
from analysis.pdf.structure.moves import FEWEST_ATOMS
from analysis.pdf.structure.network import StructureNet
from analysis.pdf.structure.sites import LATTICES, Sites, sites_of

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LEVELS = (-1.0, 0.0, 1.0)
"""Logits of an atom above which a site is taken, each a draw of its own."""

_REACH = 5.4
"""Sites farther from the middle [bonds] are not decoded."""


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One shape that the network proposes.

    Attributes
    ----------
    z : (n_latent,) its point of the plane.
    p_lattice : probability of its lattice before any fit.
    sites : of its lattice.
    mask : (n_sites,) where atoms are.
    """

    z: FloatArray
    p_lattice: float
    sites: Sites
    mask: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What the network says of one curve.

    Attributes
    ----------
    p_lattice : (n_lattices,) probabilities.
    mean, std : (n_lattices, n_latent) of z on each lattice.
    bond, bond_std : [Å].
    """

    p_lattice: FloatArray
    mean: FloatArray
    std: FloatArray
    bond: float
    bond_std: float


def read(network: StructureNet, curve: FloatArray) -> Read:
    """Return what the network says of a curve (n_q,) of `features.curve_features`."""
    with torch.no_grad():
        told = network.read(torch.from_numpy(curve.astype(np.float32))[None])
        p = torch.softmax(told.lattice[0].double(), dim=0)
    bond = float(torch.exp(told.log_bond.mean[0, 0]))
    return Read(
        p.numpy(),
        told.place.mean[0].double().numpy(),
        np.exp(told.place.log_std[0].double().numpy()),
        bond,
        bond * float(torch.exp(told.log_bond.log_std[0, 0])),
    )


def draw(
    network: StructureNet, said: Read, *, each: int, least: float, rng: np.random.Generator
) -> list[Draw]:
    """Return shapes on every lattice that is not too improbable, without repetition.

    Parameters
    ----------
    each : points of the plane for each lattice; the first is the mean.
    least : lattices less probable than this are left out, but for the three most probable.
    """
    enough = np.sort(said.p_lattice)[-3]
    found: list[Draw] = []
    for number, name in enumerate(LATTICES):
        noise = rng.normal(size=(each, said.mean.shape[1]))
        noise[0] = 0.0
        if said.p_lattice[number] < min(least, enough):
            continue
        points = said.mean[number] + noise * said.std[number]
        for z, mask in decoded(network, points, name):
            found.append(Draw(z, float(said.p_lattice[number]), sites_of(name), mask))
    return found


def decoded(
    network: StructureNet, points: FloatArray, lattice: str
) -> list[tuple[FloatArray, BoolArray]]:
    """Return the shapes of points (n, n_latent) around every centre, without copies."""
    sites = sites_of(lattice)
    seen: set[bytes] = set()
    found = []
    for centre in sites.centres:
        for z, row in zip(points, logits(network, points, sites, centre), strict=True):
            for level in LEVELS:
                mask = row > level
                if mask.sum() >= FEWEST_ATOMS and mask.tobytes() not in seen:
                    seen.add(mask.tobytes())
                    found.append((z, mask))
    return found


def logits(
    network: StructureNet, points: FloatArray, sites: Sites, centre: FloatArray
) -> FloatArray:
    """Return the logit of an atom at each site, (n, n_sites); −∞ far from the centre (3,)."""
    offset = sites.positions - centre
    near = np.linalg.norm(offset, axis=1) <= _REACH
    features = torch.from_numpy(site_features(offset[near], sites.lattice).astype(np.float32))
    found = np.full((len(points), len(sites)), -np.inf)
    with torch.no_grad():
        found[:, near] = network.occupancy(
            torch.from_numpy(points.astype(np.float32)),
            torch.full((len(points),), LATTICES.index(sites.lattice)),
            features[None].expand(len(points), -1, -1),
        ).numpy()
    return found
