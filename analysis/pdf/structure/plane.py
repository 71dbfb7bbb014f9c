"""The plane of structures for a person: what stands where, and the way from one to another.

Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.pdf.structure.drawing import decoded
from analysis.pdf.structure.features import TYPICAL_ATOMS, shape_features
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
    sites, mask : its atoms, on the likeliest lattice; those of the largest centring.
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

    Stops that no shape stands for (no site is probable) are left out.

    Parameters
    ----------
    one, other : (n_latent,) as `place_of` gives them.
    stops : how many.
    """
    points = np.linspace(one, other, stops)
    told = signposts(network, points[:, :N_PLANE])
    found = []
    for z, p in zip(points, told.p_lattice, strict=True):
        lattice = LATTICES[int(p.argmax())]
        shapes = decoded(network, z[None], lattice, levels=(0.0,))
        if shapes:
            mask = max((mask for _, mask in shapes), key=lambda m: int(m.sum()))
            found.append(Stop(z, p, sites_of(lattice), mask))
    return found
