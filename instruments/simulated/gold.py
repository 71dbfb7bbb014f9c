"""The chemistry of the simulated reactors: which gold cluster do settings make?

Two reactors after Anker, ScattBO (2024), github.com/AndySAnker/ScattBO (Apache-2.0), written anew
from their rules. In a solution pH sets the size, pressure the distance of neighbours, solvent the
kind of cluster. In the robot lamps set the size, temperature the distance; two of the pumps, the
share of a third and the stirrer choose the kind, and the other pumps do nothing.

The rules changed after the runs of ScattBO's scoreboard were made, hence the editions. The author's
fcc, sc and hcp blocks are for more than 2000 atoms counted as shells³, which ten shells do not
reach; they never occur and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np
from ase.cluster import Decahedron, Icosahedron, Octahedron
from ase.lattice.cubic import BodyCenteredCubic
from numpy.typing import NDArray

from instruments.sample import Setting

FloatArray = NDArray[np.float64]

Kind = Literal["icosahedron", "decahedron", "octahedron", "body-centred"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Edition = Literal["2024-04", "2024-11"]
"""The state of the author's laboratory: of the published runs, or the last."""

SIZES = (2, 10)
"""Smallest and largest number of shells."""

SOLVENTS = ("Ethanol", "Methanol", "Water", "Others")
KIND_OF_SOLVENT: Mapping[str, Kind] = {
    "Ethanol": "icosahedron",
    "Methanol": "decahedron",
    "Water": "body-centred",
    "Others": "octahedron",
}

FACE_CENTRED = float(np.sqrt(2.0))
"""Lattice constant of a face-centred lattice in units of the distance of neighbours."""

LAMPS: Mapping[str, tuple[int, int]] = {"uv": (15, 3), "uv_a": (7, 2), "led": (7, 1)}
"""Group of lamps of the robot → how many there are, and what each counts for the size."""

PUMPS = ("a", "b", "c", "d", "e", "f")

COLDEST, WARMEST_OF_SCALE = 20.0, 70.0
"""Temperatures [°C] at which neighbours stand 2.5 and 4.5 Å apart; the robot stops at 60 °C."""

VOLUME_TOLERANCE = 0.01
"""By which the shares of the pumps may miss one."""


@dataclass(frozen=True, slots=True)
class Particle:
    """One gold cluster.

    Attributes
    ----------
    kind : its type.
    size : shells; of a decahedron p = q = r of ASE.
    length : that scales it [Å]: the distance of neighbours, of a body-centred block the lattice
        constant.
    """

    kind: Kind
    size: int
    length: float


def from_solution(
    *, ph: float, pressure: float, solvent: str, edition: Edition = "2024-04"
) -> Particle:
    """Return what grows in a solution.

    Parameters
    ----------
    ph : 0 to 14.
    pressure : 0 to 100, in arbitrary units.
    solvent : one of `SOLVENTS`.

    Raises
    ------
    ValueError
        The solvent is none of them.
    """
    if solvent not in KIND_OF_SOLVENT:
        raise ValueError(f"the solvent is {solvent}; this twin knows {', '.join(SOLVENTS)}")
    kind = KIND_OF_SOLVENT[solvent]
    return Particle(kind, size_at(kind, ph / 14.0, edition=edition), length_at(pressure / 100.0))


def from_robot(recipe: Mapping[str, Setting]) -> Particle:
    """Return what grows in the robot, after the author's last edition, the only one with a robot.

    Parameters
    ----------
    recipe : ``temperature`` [°C]; ``uv``, ``uv_a``, ``led`` lamps that burn; ``volume_f`` as a
        share of all pumps; ``speed_d``, ``speed_e`` and ``mixing_speed`` in the motors' units.
    """
    light = sum(float(recipe[name]) * weight for name, (_, weight) in LAMPS.items())
    share = light / sum(count * weight for count, weight in LAMPS.values())
    kind = _kind_of_robot(recipe)
    warmth = (float(recipe["temperature"]) - COLDEST) / (WARMEST_OF_SCALE - COLDEST)
    return Particle(kind, size_at(kind, share, edition="2024-11"), length_at(warmth))


def _kind_of_robot(recipe: Mapping[str, Setting]) -> Kind:
    if float(recipe["speed_d"]) > 3500.0:
        return "icosahedron" if float(recipe["mixing_speed"]) > 3500.0 else "decahedron"
    if float(recipe["speed_e"]) < 2500.0:
        return "decahedron"
    return "body-centred" if float(recipe["volume_f"]) > 0.2 else "octahedron"


def size_at(kind: Kind, share: float, *, edition: Edition) -> int:
    """Return the size of a cluster at a share, 0 to 1, of what drives growth."""
    share = min(max(share, 0.0), 1.0)
    if kind == "decahedron" and edition == "2024-11":
        return int(share * 6 + 2)
    return int(share * 8) + 2


def length_at(share: float) -> float:
    """Return the length that scales a cluster, 2.5 to 4.5 Å."""
    return 2.0 * share + 2.5


def positions(kind: Kind, size: int) -> FloatArray:
    """Return the atoms of a cluster in units of its length, (n_atoms, 3)."""
    if kind == "icosahedron":
        atoms = Icosahedron("Au", size, FACE_CENTRED)
    elif kind == "decahedron":
        atoms = Decahedron("Au", size, size, size, FACE_CENTRED)
    elif kind == "octahedron":
        atoms = Octahedron("Au", size, latticeconstant=FACE_CENTRED)
    else:
        axes = [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
        atoms = BodyCenteredCubic("Au", directions=axes, size=[size] * 3, latticeconstant=1.0)
    return np.asarray(atoms.get_positions(), dtype=np.float64)


@cache
def n_atoms(kind: Kind, size: int) -> int:
    """Return the number of atoms of a cluster."""
    return len(positions(kind, size))
