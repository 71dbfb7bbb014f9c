"""A small library of structures, written from published cells and positions.

Cells hold at room temperature. Displacement parameters are rounded; where none is given,
`analysis.physics.crystal.DEFAULT_B_ISO` is used.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from analysis.errors import BadPhase
from analysis.physics.crystal import Crystal, make_crystal
from analysis.physics.published.carbonates import CARBONATES
from analysis.physics.published.elements import ELEMENTS
from analysis.physics.published.entry import Entry
from analysis.physics.published.halides import HALIDES
from analysis.physics.published.oxides import OXIDES
from analysis.physics.published.standards import STANDARDS
from analysis.physics.published.supports import SUPPORTS

STRUCTURES: Mapping[str, Entry] = MappingProxyType(
    {**STANDARDS, **OXIDES, **SUPPORTS, **CARBONATES, **HALIDES, **ELEMENTS}
)
"""Name of the phase → its published structure."""

ALIASES: Mapping[str, str] = MappingProxyType({"nio": "bunsenite", "srm660c": "lab6"})
"""Other names under which a structure is found."""


@lru_cache(maxsize=len(STRUCTURES))
def _listed(name: str) -> Crystal:
    entry = STRUCTURES[name]
    return make_crystal(
        name,
        cell=entry.cell,
        space_group=entry.space_group,
        sites=entry.sites,
        reference=entry.reference,
    )


def structure(name: str) -> Crystal:
    """Return a crystal of the library by its name, such as ``"rutile"``; case does not matter.

    Raises
    ------
    BadPhase
        The library has no such structure.
    """
    key = ALIASES.get(name.lower(), name.lower())
    if key not in STRUCTURES:
        close = difflib.get_close_matches(key, [*STRUCTURES, *ALIASES], n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise BadPhase(
            f"the structure library has no {name!r}{hint or '.'} It knows "
            f"{', '.join(sorted(STRUCTURES))}. Give the path of a CIF for any other phase"
        )
    return _listed(key)
