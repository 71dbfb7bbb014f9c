"""A trained network with its calibration and its plane, as files. Importing it imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.pdf.structure.features import shape_features
from analysis.pdf.structure.network import StructureNet
from analysis.pdf.structure.shapes import Shape
from analysis.pdf.structure.weighing import Calibration

FloatArray = NDArray[np.float64]

_NETWORK, _PLANE = "network.pt", "plane.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Where regular clusters lie in the plane of the generative model.

    Attributes
    ----------
    z : (n, n_latent).
    kind : (n,) type of each.
    n_atoms : (n,).
    """

    z: FloatArray
    kind: NDArray[np.str_]
    n_atoms: NDArray[np.int64]

    @classmethod
    def of(cls, network: StructureNet, shapes: Sequence[Shape]) -> Plane:
        """Return the places of those shapes that have a parent."""
        named = [s for s in shapes if s.parent]
        features = np.array([shape_features(s.atoms, s.lattice) for s in named], dtype=np.float32)
        with torch.no_grad():
            z = network.encode(torch.from_numpy(features)).mean.double().numpy()
        return cls(z, np.array([s.kind for s in named]), np.array([len(s.atoms) for s in named]))


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What `save` keeps."""

    network: StructureNet
    calibration: Calibration
    plane: Plane


def save(folder: Path, network: StructureNet, calibration: Calibration, plane: Plane) -> None:
    """Write network, calibration and plane into a folder."""
    torch.save(network.state_dict(), folder / _NETWORK)
    calibration.save(folder)
    np.savez(folder / _PLANE, z=plane.z, kind=plane.kind, n_atoms=plane.n_atoms)


def load(folder: Path, *, width: int) -> Trained:
    """Return what `save` wrote; `width` is the recipe's."""
    network = StructureNet(width=width)
    network.load_state_dict(torch.load(folder / _NETWORK, weights_only=True))
    network.eval()
    with np.load(folder / _PLANE) as file:
        plane = Plane(file["z"], file["kind"], file["n_atoms"])
    return Trained(network, Calibration.load(folder), plane)
