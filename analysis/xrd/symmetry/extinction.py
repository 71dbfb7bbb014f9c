"""Space groups that suit a cell: extinction tests by the likelihood of the lines.

Space groups with the same absences cannot be told by positions; they share what their extinction
symbol is worth evenly. What would tell them, intensities, is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import gemmi
import numpy as np
from numpy.typing import NDArray

from analysis.xrd.indexing.evidence import match
from analysis.xrd.indexing.forms import REACH, allowed, form, indices
from analysis.xrd.indexing.lines import Lines
from analysis.xrd.indexing.search import IndexedCell

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

DOUBT = 0.5
"""By what evidence is multiplied before it becomes a probability: lines are not independent."""

TRIGONAL = ("trigonal", "hexagonal")


def space_groups(cell: IndexedCell, lines: Lines) -> dict[str, float]:
    """Return standard symbol → probability of the space groups of the cell's lattice.

    Each extinction symbol is weighed by `match` with the reflections that it leaves: it pays for
    possible lines that are not seen, and for lines where it has none. Settings of one group are
    added; the sum is 1.
    """
    hkl = indices(*REACH[cell.system])
    hkl = hkl[allowed(hkl, centring=cell.centring)]
    q = form(hkl, system=cell.system) @ cell.free
    near = q < 1.05 * lines.end
    evidence = {}
    for absences, groups in _classes(cell.system, cell.centring).items():
        present = ~np.frombuffer(absences, dtype=bool) & near
        found = match(np.unique(q[present]), cell.displacement, lines)
        if found is not None:
            evidence[groups] = found.evidence
    return _shared(evidence)


def _shared(evidence: Mapping[tuple[str, ...], float]) -> dict[str, float]:
    """Return symbol → probability from the evidence of sets of groups, most probable first."""
    if not evidence:
        return {}
    best = max(evidence.values())
    weight = {groups: np.exp(DOUBT * (value - best)) for groups, value in evidence.items()}
    total = sum(weight[groups] for groups in weight)
    found: dict[str, float] = {}
    for groups, share in weight.items():
        for symbol in groups:
            found[symbol] = found.get(symbol, 0.0) + float(share / total / len(groups))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


@lru_cache
def _classes(system: str, centring: str) -> dict[bytes, tuple[str, ...]]:
    """Return which reflections are absent, as bytes of booleans → symbols of the groups."""
    hkl = indices(*REACH[system])
    kept = hkl[allowed(hkl, centring=centring)].astype(np.int32)
    found: dict[bytes, set[str]] = {}
    for group in gemmi.spacegroup_table():
        if _suits(group, system, centring):
            absent: BoolArray = group.operations().systematic_absences(kept).astype(np.bool_)
            standard = gemmi.find_spacegroup_by_number(group.number)
            found.setdefault(absent.tobytes(), set()).add(standard.hm)
    return {absences: tuple(sorted(symbols)) for absences, symbols in found.items()}


def _suits(group: gemmi.SpaceGroup, system: str, centring: str) -> bool:
    """Return whether a setting of a space group stands on such a lattice in our axes."""
    name = str(group.crystal_system_str())
    if system == "hexagonal":
        right = name in TRIGONAL and group.ext != "R"
    elif system == "monoclinic":
        right = name == system and group.monoclinic_unique_axis() == "b"
    else:
        right = name == system
    return right and group.centring_type() == centring
