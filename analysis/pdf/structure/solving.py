"""From a curve to fitted structures: the network proposes, the fit disposes.

Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.curves import Reading
from analysis.pdf.structure.disposing import Effort, Found, disposed, ranked
from analysis.pdf.structure.drawing import Draw, Read, draw, read
from analysis.pdf.structure.features import curve_features
from analysis.pdf.structure.network import StructureNet

FloatArray = NDArray[np.float64]

LEAST_PROBABLE = 0.003
"""Lattices less probable than this are not drawn, but for the three most probable."""

_BOND_STEP = 0.006
_WIDE = 0.05
"""Relative distance from the network's bond that is scanned."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What was proposed, and what became of it.

    Attributes
    ----------
    read : what the network said.
    draws : shapes that it drew.
    found : fitted structures, the best first.
    """

    read: Read
    draws: list[Draw]
    found: list[Found]


def solve(
    network: StructureNet,
    reading: Reading,
    *,
    bonds: tuple[float, float],
    each: int,
    effort: Effort,
    rng: np.random.Generator,
) -> Solution:
    """Return structures for a curve.

    Parameters
    ----------
    bonds : shortest and longest bond [Å] that are possible.
    each : points of the plane drawn for each lattice.
    """
    said = read(network, curve_features(reading))
    draws = draw(network, said, each=each, least=LEAST_PROBABLE, rng=rng)
    ranks = ranked(draws, reading, _scanned_bonds(said, bonds))
    return Solution(said, draws, disposed(ranks, reading, effort))


def _scanned_bonds(said: Read, bonds: tuple[float, float]) -> FloatArray:
    """Return bonds around the network's that are possible, even in their logarithm."""
    wide = max(_WIDE, 3 * said.bond_std / said.bond)
    low = min(max(said.bond * np.exp(-wide), bonds[0]), bonds[1])
    high = max(min(said.bond * np.exp(wide), bonds[1]), bonds[0])
    if high <= low:  # the network's bond is impossible: everything possible is scanned
        low, high = bonds
    return np.geomspace(low, high, int(np.ceil(np.log(high / low) / _BOND_STEP)) + 1)
