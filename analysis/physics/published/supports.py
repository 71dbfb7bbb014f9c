"""Oxides that carry catalysts, beside those of the other lists."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.physics.crystal import Site
from analysis.physics.published.entry import Entry

SUPPORTS: Mapping[str, Entry] = {
    "theta_alumina": Entry(
        (11.854, 2.904, 5.622, 90.0, 103.83, 90.0),
        "C 1 2/m 1",
        (
            Site("Al", (0.917, 0.0, 0.207)),
            Site("Al", (0.660, 0.0, 0.316)),
            Site("O", (0.161, 0.0, 0.110)),
            Site("O", (0.495, 0.0, 0.253)),
            Site("O", (0.827, 0.0, 0.427)),
        ),
        "Zhou & Snyder (1991), doi:10.1107/S0108768191002719; positions rounded",
    ),
    "baddeleyite": Entry(
        (5.1505, 5.2116, 5.3173, 90.0, 99.23, 90.0),
        "P 1 21/c 1",
        (
            Site("Zr", (0.2754, 0.0395, 0.2083)),
            Site("O", (0.0700, 0.3317, 0.3447)),
            Site("O", (0.4496, 0.7569, 0.4792)),
        ),
        "Howard, Hill & Reichert (1988), doi:10.1107/S0108768187010279",
    ),
}
"""Name → structure."""
