"""Carbonates: five calcite structures that differ in their cells alone, and aragonite."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.physics.crystal import Site
from analysis.physics.published.entry import Entry, hexagonal

CARBONATES: Mapping[str, Entry] = {
    "calcite": Entry(
        hexagonal(4.9896, 17.061),
        "R -3 c:H",
        (
            Site("Ca", (0.0, 0.0, 0.0)),
            Site("C", (0.0, 0.0, 0.25)),
            Site("O", (0.2568, 0.0, 0.25)),
        ),
        "Effenberger, Mereiter & Zemann (1981), Z. Kristallogr. 156, 233",
    ),
    "magnesite": Entry(
        hexagonal(4.6328, 15.0129),
        "R -3 c:H",
        (
            Site("Mg", (0.0, 0.0, 0.0)),
            Site("C", (0.0, 0.0, 0.25)),
            Site("O", (0.2778, 0.0, 0.25)),
        ),
        "Effenberger, Mereiter & Zemann (1981), Z. Kristallogr. 156, 233",
    ),
    "smithsonite": Entry(
        hexagonal(4.6526, 15.0257),
        "R -3 c:H",
        (
            Site("Zn", (0.0, 0.0, 0.0)),
            Site("C", (0.0, 0.0, 0.25)),
            Site("O", (0.2764, 0.0, 0.25)),
        ),
        "Effenberger, Mereiter & Zemann (1981), Z. Kristallogr. 156, 233",
    ),
    "siderite": Entry(
        hexagonal(4.6916, 15.3796),
        "R -3 c:H",
        (
            Site("Fe", (0.0, 0.0, 0.0)),
            Site("C", (0.0, 0.0, 0.25)),
            Site("O", (0.2743, 0.0, 0.25)),
        ),
        "Effenberger, Mereiter & Zemann (1981), Z. Kristallogr. 156, 233",
    ),
    "rhodochrosite": Entry(
        hexagonal(4.7682, 15.6354),
        "R -3 c:H",
        (
            Site("Mn", (0.0, 0.0, 0.0)),
            Site("C", (0.0, 0.0, 0.25)),
            Site("O", (0.2695, 0.0, 0.25)),
        ),
        "Effenberger, Mereiter & Zemann (1981), Z. Kristallogr. 156, 233",
    ),
    "aragonite": Entry(
        (4.9614, 7.9671, 5.7404, 90.0, 90.0, 90.0),
        "P m c n",
        (
            Site("Ca", (0.25, 0.41508, 0.24046)),
            Site("C", (0.25, 0.76211, -0.08518)),
            Site("O", (0.25, 0.92224, -0.09557)),
            Site("O", (0.47347, 0.68065, -0.08726)),
        ),
        "De Villiers (1971), Am. Mineral. 56, 758",
    ),
}
"""Name → structure."""
