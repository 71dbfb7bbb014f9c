"""What `pdf.match` believes of a structure, and how far two beliefs are apart.

`descriptor_distance` keeps a slope everywhere, where a misfit of curves is flat as soon as peaks no
longer overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.insight import Insight


@dataclass(frozen=True, slots=True)
class Belief:
    """What is known of a structure.

    Attributes
    ----------
    types : type → probability.
    bond : natural logarithm of the shortest distance in Å, and its standard deviation.
    atoms : natural logarithm of the number of atoms, and its standard deviation.
    """

    types: Mapping[str, float]
    bond: tuple[float, float]
    atoms: tuple[float, float]

    @property
    def type(self) -> str:
        """The likeliest type."""
        return max(self.types, key=lambda name: self.types[name])


def belief(insight: Insight) -> Belief | None:
    """Return what `pdf.match` believes, None where it abstained."""
    if insight.abstained:
        return None
    bond, atoms = (insight.estimates[f"pdf.{name}"] for name in ("bond", "n_atoms"))
    assert bond.std is not None
    assert atoms.std is not None
    return Belief(
        types=dict(insight.class_probabilities["pdf.type"]),
        bond=(float(np.log(bond.value)), bond.std / bond.value),
        atoms=(float(np.log(atoms.value)), atoms.std / atoms.value),
    )


def descriptor_distance(
    one: Belief, other: Belief, *, bond_scale: float = 0.01, atoms_scale: float = 0.3
) -> float:
    """Return the root of the expected square of distances in type, ln(bond) and ln(atoms).

    The spreads of both count, so that what is unsure is far; two different types are 1 apart.

    Parameters
    ----------
    bond_scale, atoms_scale : differences of the logarithms that are worth another type.
    """
    same = sum(p * other.types.get(name, 0.0) for name, p in one.types.items())
    total = 1 - same
    for a, b, scale in (
        (one.bond, other.bond, bond_scale),
        (one.atoms, other.atoms, atoms_scale),
    ):
        total += ((a[0] - b[0]) ** 2 + a[1] ** 2 + b[1] ** 2) / scale**2
    return float(np.sqrt(total))
