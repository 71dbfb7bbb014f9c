"""How a published structure is written down."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.physics.crystal import Cell, Site


@dataclass(frozen=True, slots=True)
class Entry:
    """One structure: cell [Å, deg], space group, asymmetric unit, and where it was published."""

    cell: Cell
    space_group: str
    sites: tuple[Site, ...]
    reference: str


def cubic(a: float) -> Cell:
    """Return the cell of edge a [Å]."""
    return a, a, a, 90.0, 90.0, 90.0


def tetragonal(a: float, c: float) -> Cell:
    """Return the cell of edges a, a, c [Å]."""
    return a, a, c, 90.0, 90.0, 90.0


def hexagonal(a: float, c: float) -> Cell:
    """Return the cell of edges a, a, c [Å], also of rhombohedral structures on hexagonal axes."""
    return a, a, c, 90.0, 90.0, 120.0
