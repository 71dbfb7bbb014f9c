"""Distances between neighbours in metals, and which element a bond suggests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase.data import atomic_numbers, covalent_radii, reference_states

from analysis.errors import BadSettings

SPREAD = 0.03
"""Relative std of a particle's bond around the metal's: small particles contract."""

WIDEST = 0.08
"""Relative distance from the metal's bond that is still possible."""

_PER_CELL = {"fcc": 2**-0.5, "bcc": 3**0.5 / 2, "sc": 1.0, "hcp": 1.0}
"""Shortest distance in units of the lattice constant a."""


def metal_bond(element: str) -> float:
    """Return the shortest distance between atoms of the element's metal [Å].

    From its lattice constant as ASE tabulates it; twice its covalent radius where it is no simple
    metal.

    Raises
    ------
    BadSettings
        There is no such element.
    """
    if element not in atomic_numbers or element == "X":
        raise BadSettings(f"{element!r} is no element; a symbol such as 'Pt' was expected")
    number = atomic_numbers[element]
    state = reference_states[number]
    if state is not None and state.get("symmetry") in _PER_CELL:
        return float(state["a"]) * _PER_CELL[state["symmetry"]]
    return 2 * float(covalent_radii[number])


def possible_bonds(elements: Sequence[str], bonds: tuple[float, float]) -> tuple[float, float]:
    """Return the shortest and longest bond [Å] that are possible for any of the elements.

    Parameters
    ----------
    bonds : what is possible where no element is named.

    Raises
    ------
    BadSettings
        An element is none, or none of them fits the range.
    """
    if not elements:
        return bonds
    lengths = [metal_bond(e) for e in elements]
    low = max(min(lengths) * (1 - WIDEST), bonds[0])
    high = min(max(lengths) * (1 + WIDEST), bonds[1])
    if low >= high:
        raise BadSettings(
            f"bonds of {', '.join(elements)} run from {min(lengths):.2f} to {max(lengths):.2f} Å, "
            f"outside bond_range {bonds[0]:g} to {bonds[1]:g} Å; widen it"
        )
    return low, high


def element_probabilities(elements: Sequence[str], bond: float) -> dict[str, float]:
    """Return how likely each element is from the bond [Å] alone; normal around the metal's."""
    off = np.array([(bond / metal_bond(e) - 1) / SPREAD for e in elements])
    weight = np.exp(-0.5 * (off**2 - (off**2).min()))
    return dict(zip(elements, (weight / weight.sum()).tolist(), strict=True))
