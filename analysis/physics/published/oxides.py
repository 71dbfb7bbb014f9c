"""Oxides and a hydroxide: polymorphs, and neighbours that are easily mistaken."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.physics.crystal import Site
from analysis.physics.published.entry import Entry, cubic, hexagonal, tetragonal

OXIDES: Mapping[str, Entry] = {
    "hematite": Entry(
        hexagonal(5.038, 13.772),
        "R -3 c:H",
        (
            Site("Fe", (0.0, 0.0, 0.3553)),
            Site("O", (0.3059, 0.0, 0.25)),
        ),
        "Blake et al. (1966), Am. Mineral. 51, 123",
    ),
    "eskolaite": Entry(
        hexagonal(4.9607, 13.599),
        "R -3 c:H",
        (
            Site("Cr", (0.0, 0.0, 0.3475)),
            Site("O", (0.3058, 0.0, 0.25)),
        ),
        "Newnham & de Haan (1962), Z. Kristallogr. 117, 235",
    ),
    "karelianite": Entry(
        hexagonal(4.952, 14.003),
        "R -3 c:H",
        (
            Site("V", (0.0, 0.0, 0.3463)),
            Site("O", (0.3118, 0.0, 0.25)),
        ),
        "Newnham & de Haan (1962), Z. Kristallogr. 117, 235",
    ),
    "magnetite": Entry(
        cubic(8.3969),
        "F d -3 m:2",
        (
            Site("Fe", (0.125, 0.125, 0.125)),
            Site("Fe", (0.5, 0.5, 0.5)),
            Site("O", (0.2549, 0.2549, 0.2549)),
        ),
        "Wechsler, Lindsley & Prewitt (1984), Am. Mineral. 69, 754",
    ),
    "spinel": Entry(
        cubic(8.0806),
        "F d -3 m:2",
        (
            Site("Mg", (0.125, 0.125, 0.125)),
            Site("Al", (0.5, 0.5, 0.5)),
            Site("O", (0.2624, 0.2624, 0.2624)),
        ),
        "Yamanaka & Takeuchi (1983), Z. Kristallogr. 165, 65",
    ),
    "cobalt_spinel": Entry(
        cubic(8.084),
        "F d -3 m:2",
        (
            Site("Co", (0.125, 0.125, 0.125)),
            Site("Co", (0.5, 0.5, 0.5)),
            Site("O", (0.2631, 0.2631, 0.2631)),
        ),
        "Smith & Hobson (1973), Acta Cryst. B 29, 362",
    ),
    "cerianite": Entry(
        cubic(5.411),
        "F m -3 m",
        (
            Site("Ce", (0.0, 0.0, 0.0)),
            Site("O", (0.25, 0.25, 0.25)),
        ),
        "Wyckoff (1963), Crystal Structures, vol. 1",
    ),
    "lithium_oxide": Entry(
        cubic(4.619),
        "F m -3 m",
        (
            Site("O", (0.0, 0.0, 0.0)),
            Site("Li", (0.25, 0.25, 0.25)),
        ),
        "Wyckoff (1963), Crystal Structures, vol. 1",
    ),
    "zirconia_cubic": Entry(
        cubic(5.07),
        "F m -3 m",
        (
            Site("Zr", (0.0, 0.0, 0.0)),
            Site("O", (0.25, 0.25, 0.25)),
        ),
        "Wyckoff (1963), Crystal Structures, vol. 1",
    ),
    "manganosite": Entry(
        cubic(4.445),
        "F m -3 m",
        (
            Site("Mn", (0.0, 0.0, 0.0)),
            Site("O", (0.5, 0.5, 0.5)),
        ),
        "Wyckoff (1963), Crystal Structures, vol. 1",
    ),
    "lime": Entry(
        cubic(4.8105),
        "F m -3 m",
        (
            Site("Ca", (0.0, 0.0, 0.0)),
            Site("O", (0.5, 0.5, 0.5)),
        ),
        "Wyckoff (1963), Crystal Structures, vol. 1",
    ),
    "cobalt_oxide": Entry(
        cubic(4.2667),
        "F m -3 m",
        (
            Site("Co", (0.0, 0.0, 0.0)),
            Site("O", (0.5, 0.5, 0.5)),
        ),
        "Wyckoff (1963), Crystal Structures, vol. 1",
    ),
    "monteponite": Entry(
        cubic(4.6953),
        "F m -3 m",
        (
            Site("Cd", (0.0, 0.0, 0.0)),
            Site("O", (0.5, 0.5, 0.5)),
        ),
        "Wyckoff (1963), Crystal Structures, vol. 1",
    ),
    "pyrolusite": Entry(
        tetragonal(4.4041, 2.8765),
        "P 42/m n m",
        (
            Site("Mn", (0.0, 0.0, 0.0)),
            Site("O", (0.3046, 0.3046, 0.0)),
        ),
        "Bolzan et al. (1993), doi:10.1071/CH9930939",
    ),
    "cassiterite": Entry(
        tetragonal(4.7374, 3.1864),
        "P 42/m n m",
        (
            Site("Sn", (0.0, 0.0, 0.0)),
            Site("O", (0.3056, 0.3056, 0.0)),
        ),
        "Bolzan et al. (1997), doi:10.1107/S0108768197001468",
    ),
    "vanadium_dioxide": Entry(
        tetragonal(4.5546, 2.8514),
        "P 42/m n m",
        (
            Site("V", (0.0, 0.0, 0.0)),
            Site("O", (0.3001, 0.3001, 0.0)),
        ),
        "McWhan et al. (1974), doi:10.1103/PhysRevB.10.490; above 340 K",
    ),
    "ruthenium_dioxide": Entry(
        tetragonal(4.4919, 3.1066),
        "P 42/m n m",
        (
            Site("Ru", (0.0, 0.0, 0.0)),
            Site("O", (0.3058, 0.3058, 0.0)),
        ),
        "Boman (1970), Acta Chem. Scand. 24, 116",
    ),
    "yttria": Entry(
        cubic(10.604),
        "I a -3",
        (
            Site("Y", (0.25, 0.25, 0.25)),
            Site("Y", (-0.0326, 0.0, 0.25)),
            Site("O", (0.3908, 0.1518, 0.3801)),
        ),
        "Paton & Maslen (1965), doi:10.1107/S0365110X65003365",
    ),
    "bixbyite": Entry(
        cubic(9.365),
        "I a -3",
        (
            Site("Mn", (0.25, 0.25, 0.25)),
            Site("Mn", (-0.03, 0.0, 0.25)),
            Site("O", (0.385, 0.145, 0.38)),
        ),
        "Pauling & Shappell (1930), Z. Kristallogr. 75, 128; iron taken as manganese",
    ),
    "hausmannite": Entry(
        tetragonal(5.765, 9.442),
        "I 41/a m d:2",
        (
            Site("Mn", (0.0, 0.75, 0.125)),
            Site("Mn", (0.0, 0.0, 0.5)),
            Site("O", (0.0, 0.4722, 0.2595)),
        ),
        "Jarosch (1987), doi:10.1007/BF01163155",
    ),
    "tenorite": Entry(
        (4.6837, 3.4226, 5.1288, 90.0, 99.54, 90.0),
        "C 1 2/c 1",
        (
            Site("Cu", (0.25, 0.25, 0.0)),
            Site("O", (0.0, 0.4184, 0.25)),
        ),
        "Åsbrink & Norrby (1970), doi:10.1107/S0567740870001838",
    ),
    "cuprite": Entry(
        cubic(4.2685),
        "P n -3 m:1",
        (
            Site("O", (0.0, 0.0, 0.0)),
            Site("Cu", (0.25, 0.25, 0.25)),
        ),
        "Kirfel & Eichhorn (1990), doi:10.1107/S0108767389012596",
    ),
    "zirconia_tetragonal": Entry(
        tetragonal(3.64, 5.27),
        "P 42/n m c:1",
        (
            Site("Zr", (0.0, 0.0, 0.0)),
            Site("O", (0.0, 0.5, 0.185)),
        ),
        "Teufer (1962), doi:10.1107/S0365110X62003114; at 1250 °C",
    ),
    "lanthana": Entry(
        hexagonal(3.937, 6.129),
        "P -3 m 1",
        (
            Site("La", (1 / 3, 2 / 3, 0.245)),
            Site("O", (1 / 3, 2 / 3, 0.645)),
            Site("O", (0.0, 0.0, 0.0)),
        ),
        "Koehler & Wollan (1953), doi:10.1107/S0365110X53002076",
    ),
    "tausonite": Entry(
        cubic(3.905),
        "P m -3 m",
        (
            Site("Sr", (0.0, 0.0, 0.0)),
            Site("Ti", (0.5, 0.5, 0.5)),
            Site("O", (0.5, 0.5, 0.0)),
        ),
        "Wyckoff (1963), Crystal Structures, vol. 2",
    ),
    "cristobalite": Entry(
        tetragonal(4.9717, 6.9223),
        "P 41 21 2",
        (
            Site("Si", (0.3003, 0.3003, 0.0)),
            Site("O", (0.2392, 0.1044, 0.1787)),
        ),
        "Downs & Palmer (1994), Am. Mineral. 79, 9",
    ),
    "molybdite": Entry(
        (3.9628, 13.855, 3.6964, 90.0, 90.0, 90.0),
        "P b n m",
        (
            Site("Mo", (0.08669, 0.10164, 0.25)),
            Site("O", (0.4994, 0.4351, 0.25)),
            Site("O", (0.5212, 0.0866, 0.25)),
            Site("O", (0.0373, 0.2214, 0.25)),
        ),
        "Kihlborg (1963), Ark. Kemi 21, 357",
    ),
    "litharge": Entry(
        tetragonal(3.9745, 5.022),
        "P 4/n m m:1",
        (
            Site("Pb", (0.0, 0.5, 0.2351)),
            Site("O", (0.0, 0.0, 0.0)),
        ),
        "Boher et al. (1985), doi:10.1016/0022-4596(85)90197-5",
    ),
    "palladinite": Entry(
        tetragonal(3.043, 5.337),
        "P 42/m m c",
        (
            Site("Pd", (0.0, 0.5, 0.0)),
            Site("O", (0.0, 0.0, 0.25)),
        ),
        "Waser, Levy & Peterson (1953), doi:10.1107/S0365110X53001800",
    ),
    "lithium_cobaltate": Entry(
        hexagonal(2.8161, 14.0536),
        "R -3 m:H",
        (
            Site("Co", (0.0, 0.0, 0.0)),
            Site("Li", (0.0, 0.0, 0.5)),
            Site("O", (0.0, 0.0, 0.2395)),
        ),
        "Orman & Wiseman (1984), doi:10.1107/S0108270184002833",
    ),
    "brucite": Entry(
        hexagonal(3.142, 4.766),
        "P -3 m 1",
        (
            Site("Mg", (0.0, 0.0, 0.0)),
            Site("O", (1 / 3, 2 / 3, 0.2203)),
            Site("H", (1 / 3, 2 / 3, 0.4303)),
        ),
        "Zigan & Rothbauer (1967), Neues Jahrb. Mineral. Monatsh., 137",
    ),
}
"""Name → structure."""
