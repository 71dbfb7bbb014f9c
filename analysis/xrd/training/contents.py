"""What of a crystal a network's weights depend on."""

from __future__ import annotations

from analysis.physics.crystal import Crystal


def content(crystal: Crystal) -> dict[str, object]:
    """Return name, cell, space group and atoms as JSON-like data."""
    return {
        "name": crystal.name,
        "cell": list(crystal.cell),
        "group": crystal.space_group,
        "sites": [
            [s.element.name, *(round(float(v), 6) for v in s.fract.tolist()), s.occ, s.u_iso]
            for s in crystal.structure.sites
        ],
    }
