"""Halides and sulfides."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.physics.crystal import Site
from analysis.physics.published.entry import Entry, cubic, hexagonal, tetragonal

HALIDES: Mapping[str, Entry] = {
    "lithium_fluoride": Entry(
        cubic(4.027),
        "F m -3 m",
        (
            Site("Li", (0.0, 0.0, 0.0)),
            Site("F", (0.5, 0.5, 0.5)),
        ),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 61",
    ),
    "sylvite": Entry(
        cubic(6.2947),
        "F m -3 m",
        (
            Site("K", (0.0, 0.0, 0.0)),
            Site("Cl", (0.5, 0.5, 0.5)),
        ),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 65",
    ),
    "barium_fluoride": Entry(
        cubic(6.2001),
        "F m -3 m",
        (
            Site("Ba", (0.0, 0.0, 0.0)),
            Site("F", (0.25, 0.25, 0.25)),
        ),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 70",
    ),
    "sellaite": Entry(
        tetragonal(4.6213, 3.0519),
        "P 42/m n m",
        (
            Site("Mg", (0.0, 0.0, 0.0)),
            Site("F", (0.3029, 0.3029, 0.0)),
        ),
        "Baur & Khan (1971), doi:10.1107/S0567740871005466",
    ),
    "caesium_chloride": Entry(
        cubic(4.123),
        "P m -3 m",
        (
            Site("Cs", (0.0, 0.0, 0.0)),
            Site("Cl", (0.5, 0.5, 0.5)),
        ),
        "Wyckoff (1963), Crystal Structures, vol. 1",
    ),
    "sphalerite": Entry(
        cubic(5.406),
        "F -4 3 m",
        (
            Site("Zn", (0.0, 0.0, 0.0)),
            Site("S", (0.25, 0.25, 0.25)),
        ),
        "Swanson & Fuyat (1953), NBS Circular 539, vol. 2, p. 16",
    ),
    "wurtzite": Entry(
        hexagonal(3.8227, 6.2607),
        "P 63 m c",
        (
            Site("Zn", (1 / 3, 2 / 3, 0.0)),
            Site("S", (1 / 3, 2 / 3, 0.3748)),
        ),
        "Kisi & Elcombe (1989), doi:10.1107/S0108270189004269",
    ),
}
"""Name → structure."""
