"""The plane of structures for a person: what stands where, and the way from one to another.

Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.pdf.structure.drawing import logits
from analysis.pdf.structure.features import TYPICAL_ATOMS, shape_features
from analysis.pdf.structure.moves import FEWEST_ATOMS
from analysis.pdf.structure.network import N_PLANE, StructureNet
from analysis.pdf.structure.shapes import Shape
from analysis.pdf.structure.sites import LATTICES, BoolArray, Sites, sites_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Signposts:
    """What the plane says at some points.

    Attributes
    ----------
    p_lattice : (n, n_lattices) probability of each lattice, in the order of `LATTICES`.
    n_atoms : (n,) size.
    """

    p_lattice: FloatArray
    n_atoms: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Stop:
    """A structure on the way from one to another.

    Attributes
    ----------
    z : (n_latent,) its numbers, the first two its place in the plane.
    p_lattice : (n_lattices,) probabilities there.
    sites, mask : its atoms, on the likeliest lattice: the most probable sites, as many as the
        plane says, around the centre where they are most probable.
    """

    z: FloatArray
    p_lattice: FloatArray
    sites: Sites
    mask: BoolArray


def signposts(network: StructureNet, points: FloatArray) -> Signposts:
    """Return lattice and size at points of the plane (n, 2)."""
    with torch.no_grad():
        logits, size = network.from_plane(torch.from_numpy(points.astype(np.float32)))
        p = torch.softmax(logits.double(), dim=1)
    return Signposts(p.numpy(), TYPICAL_ATOMS * np.exp(size.double().numpy()))


def place_of(network: StructureNet, shape: Shape) -> FloatArray:
    """Return the numbers (n_latent,) of a shape, the first two its place in the plane."""
    features = shape_features(shape.atoms, shape.lattice).astype(np.float32)
    with torch.no_grad():
        mean = network.encode(torch.from_numpy(features)[None]).mean
    return np.asarray(mean[0].double().numpy())


def way_between(
    network: StructureNet, one: FloatArray, other: FloatArray, *, stops: int
) -> list[Stop]:
    """Return structures on the straight way between two, ends included.

    Parameters
    ----------
    one, other : (n_latent,) as `place_of` gives them.
    stops : how many.
    """
    points = np.linspace(one, other, stops)
    told = signposts(network, points[:, :N_PLANE])
    return [
        _stop(network, z, p, max(round(float(size)), FEWEST_ATOMS))
        for z, p, size in zip(points, told.p_lattice, told.n_atoms, strict=True)
    ]


def _stop(network: StructureNet, z: FloatArray, p_lattice: FloatArray, n_atoms: int) -> Stop:
    sites = sites_of(LATTICES[int(p_lattice.argmax())])
    best, best_sum = np.zeros(len(sites), dtype=bool), -np.inf
    for centre in sites.centres:
        logit = logits(network, z[None], sites, centre)[0]
        taken = np.argsort(-logit, kind="stable")[: min(n_atoms, len(sites))]
        if logit[taken].sum() > best_sum:
            best, best_sum = np.zeros(len(sites), dtype=bool), float(logit[taken].sum())
            best[taken] = True
    return Stop(z, p_lattice, sites, best)
