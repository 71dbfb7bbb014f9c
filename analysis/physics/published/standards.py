"""Standards and textbook phases."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.physics.crystal import Site
from analysis.physics.published.entry import Entry, cubic, hexagonal, tetragonal

STANDARDS: Mapping[str, Entry] = {
    "anatase": Entry(
        tetragonal(3.7842, 9.5146),
        "I 41/a m d:1",
        (Site("Ti", (0.0, 0.0, 0.0)), Site("O", (0.0, 0.0, 0.2081))),
        "Horn, Schwerdtfeger & Meagher (1972), Z. Kristallogr. 136, 273",
    ),
    "rutile": Entry(
        tetragonal(4.5937, 2.9587),
        "P 42/m n m",
        (Site("Ti", (0.0, 0.0, 0.0)), Site("O", (0.3048, 0.3048, 0.0))),
        "Abrahams & Bernstein (1971), J. Chem. Phys. 55, 3206",
    ),
    "brookite": Entry(
        (9.174, 5.449, 5.138, 90.0, 90.0, 90.0),
        "P b c a",
        (
            Site("Ti", (0.1289, 0.0972, 0.8628)),
            Site("O", (0.0095, 0.1491, 0.1835)),
            Site("O", (0.2314, 0.1110, 0.5366)),
        ),
        "Meagher & Lager (1979), Can. Mineral. 17, 77",
    ),
    "corundum": Entry(
        hexagonal(4.7605, 12.9956),
        "R -3 c:H",
        (Site("Al", (0.0, 0.0, 0.35216), 0.25), Site("O", (0.30668, 0.0, 0.25), 0.3)),
        "Lutterotti & Scardi (1990), doi:10.1107/S0021889890002382",
    ),
    "zincite": Entry(
        hexagonal(3.2495, 5.2069),
        "P 63 m c",
        (Site("Zn", (1 / 3, 2 / 3, 0.0), 0.6), Site("O", (1 / 3, 2 / 3, 0.3825), 0.6)),
        "Abrahams & Bernstein (1969), doi:10.1107/S0567740869003876",
    ),
    "fluorite": Entry(
        cubic(5.4626),
        "F m -3 m",
        (Site("Ca", (0.0, 0.0, 0.0), 0.5), Site("F", (0.25, 0.25, 0.25), 0.7)),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 69",
    ),
    "halite": Entry(
        cubic(5.6402),
        "F m -3 m",
        (Site("Na", (0.0, 0.0, 0.0), 1.7), Site("Cl", (0.5, 0.5, 0.5), 1.4)),
        "Swanson & Fuyat (1953), NBS Circular 539, vol. 2, p. 41",
    ),
    "silicon": Entry(
        cubic(5.431020511),
        "F d -3 m:1",
        (Site("Si", (0.0, 0.0, 0.0), 0.5),),
        "CODATA 2018, doi:10.1103/RevModPhys.93.025010",
    ),
    "bunsenite": Entry(
        cubic(4.1769),
        "F m -3 m",
        (Site("Ni", (0.0, 0.0, 0.0), 0.35), Site("O", (0.5, 0.5, 0.5), 0.4)),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 47",
    ),
    "periclase": Entry(
        cubic(4.213),
        "F m -3 m",
        (Site("Mg", (0.0, 0.0, 0.0), 0.3), Site("O", (0.5, 0.5, 0.5), 0.35)),
        "Swanson & Tatge (1953), NBS Circular 539, vol. 1, p. 37",
    ),
    "quartz": Entry(
        hexagonal(4.916, 5.4054),
        "P 32 2 1",
        # Published with silicon at z = 0; moved by 2/3 to the International Tables' axes.
        (Site("Si", (0.4697, 0.0, 2 / 3), 0.55), Site("O", (0.4135, 0.2669, 0.78577), 1.1)),
        "Levien, Prewitt & Weidner (1980), Am. Mineral. 65, 920",
    ),
    "lab6": Entry(
        cubic(4.156826),
        "P m -3 m",
        (Site("La", (0.0, 0.0, 0.0), 0.42), Site("B", (0.1975, 0.5, 0.5), 0.32)),
        "NIST Standard Reference Material 660c, certificate (2015)",
    ),
}
"""Name → structure of what laboratories and textbooks use to test themselves."""
