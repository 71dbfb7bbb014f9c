"""Space groups and compositions from which random crystals are drawn."""

from __future__ import annotations

SHARES = {
    "cubic": 0.12,
    "tetragonal": 0.10,
    "hexagonal": 0.16,
    "orthorhombic": 0.22,
    "monoclinic": 0.28,
    "triclinic": 0.12,
}
"""How often each system is drawn."""

PRIOR = {
    "cubic": 0.10,
    "tetragonal": 0.08,
    "hexagonal": 0.17,
    "orthorhombic": 0.21,
    "monoclinic": 0.34,
    "triclinic": 0.10,
}
"""How frequent a system is before the pattern is looked at: roughly its share among the known
minerals, trigonal under hexagonal."""

GROUPS = {
    "cubic": (
        *("F m -3 m", "F d -3 m:1", "I a -3 d", "P m -3 m", "I -4 3 m", "P a -3", "F -4 3 m"),
        *("P -4 3 n", "I a -3", "P 21 3", "I m -3", "P n -3 m:1"),
    ),
    "tetragonal": (
        *("I 41/a m d:1", "P 42/m n m", "I 4/m", "I 41/a:1", "P 4/n m m:1", "P 41 21 2"),
        *("I 4/m m m", "I -4 2 d", "P 4/m m m", "P -4 21 m", "I -4", "P 4/n:1", "P 4/n c c:1"),
        *("I 41/a c d:1", "P 4/m b m"),
    ),
    "hexagonal": (
        *("P 63/m", "P 63/m m c", "P 63 m c", "P 6/m c c", "P 6/m m m", "P -6 2 m", "P 63"),
        *("P -6 2 c", "P -3 m 1", "P 32 2 1", "P -3", "P 3 m 1", "P -3 1 c", "P -3 c 1"),
        *("R -3:H", "R -3 m:H", "R -3 c:H", "R 3 m:H", "R 3 c:H"),
    ),
    "orthorhombic": (
        *("P n m a", "P n m a", "P n m a", "P b c a", "P b c a", "C m c m", "P b c n"),
        *("P 21 21 21", "P n n m", "P b a m", "C m c 21", "P n a 21", "C 2 2 21", "I m m a"),
        *("I b a m", "P m m n:1", "F d d 2", "F d d d:1", "C c c m", "P c c n", "C c c a:1"),
        *("P m n 21", "P m c 21", "I m m m", "C m m m", "P b c m", "P c a 21", "A m a 2"),
        "F m m m",
    ),
    "monoclinic": (
        *("P 1 21/c 1", "P 1 21/c 1", "P 1 21/c 1", "C 1 2/c 1", "C 1 2/c 1", "C 1 2/m 1"),
        *("C 1 2/m 1", "P 1 21/m 1", "P 1 2/c 1", "C 1 c 1", "P 1 21 1", "P 1 c 1", "C 1 2 1"),
        *("C 1 m 1", "P 1 2/m 1"),
    ),
    "triclinic": ("P -1", "P -1", "P -1", "P -1", "P 1"),
}
"""Space groups that inorganic crystals often have, drawn evenly; a group that stands several times
is drawn as often."""

ANIONS = ("O", "O", "O", "O", "O", "S", "F", "Cl")
CATIONS = (
    *("Si", "Si", "Al", "Mg", "Ca", "Fe", "Na", "K", "Ti", "P", "Cu", "Zn", "Mn", "Pb", "S", "B"),
    *("As", "Ba", "Sr", "Ni", "Li"),
)
CATION_SHARE = 0.4
"""Share of the sites that hold cations."""
