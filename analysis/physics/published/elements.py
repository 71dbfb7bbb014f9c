"""Elements."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.physics.crystal import Site
from analysis.physics.published.entry import Entry, cubic, hexagonal

ELEMENTS: Mapping[str, Entry] = {
    "copper": Entry(
        cubic(3.6149),
        "F m -3 m",
        (Site("Cu", (0.0, 0.0, 0.0)),),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 15",
    ),
    "nickel": Entry(
        cubic(3.5238),
        "F m -3 m",
        (Site("Ni", (0.0, 0.0, 0.0)),),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 13",
    ),
    "aluminium": Entry(
        cubic(4.0495),
        "F m -3 m",
        (Site("Al", (0.0, 0.0, 0.0)),),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 11",
    ),
    "gold": Entry(
        cubic(4.0786),
        "F m -3 m",
        (Site("Au", (0.0, 0.0, 0.0)),),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 33",
    ),
    "silver": Entry(
        cubic(4.0862),
        "F m -3 m",
        (Site("Ag", (0.0, 0.0, 0.0)),),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 23",
    ),
    "palladium": Entry(
        cubic(3.8898),
        "F m -3 m",
        (Site("Pd", (0.0, 0.0, 0.0)),),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 21",
    ),
    "iron": Entry(
        cubic(2.8665),
        "I m -3 m",
        (Site("Fe", (0.0, 0.0, 0.0)),),
        "Wyckoff (1963), Crystal Structures, vol. 1",
    ),
    "diamond": Entry(
        cubic(3.5671),
        "F d -3 m:1",
        (Site("C", (0.0, 0.0, 0.0)),),
        "Wyckoff (1963), Crystal Structures, vol. 1",
    ),
    "graphite": Entry(
        hexagonal(2.464, 6.711),
        "P 63/m m c",
        (
            Site("C", (0.0, 0.0, 0.25)),
            Site("C", (1 / 3, 2 / 3, 0.25)),
        ),
        "Trucano & Chen (1975), doi:10.1038/258136a0",
    ),
}
"""Name → structure."""
