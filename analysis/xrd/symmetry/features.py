"""Features of a peak list and of its best cells, from which the crystal system is told."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.indexing.forms import SYSTEMS
from analysis.xrd.indexing.lines import FEWEST, N_LINES, Lines
from analysis.xrd.indexing.search import IndexedCell, search

FloatArray = NDArray[np.float64]

NO_CELL = -20.0
"""Evidence that stands for a system without any cell."""

ANGLES = (30.0, 40.0, 50.0, 60.0)
"""Angles 2θ [deg] of Cu Kα1 below which lines are counted, whatever the radiation."""

COPPER = 1.5405929

_OF_A_CELL = ("evidence", "behind the best", "checked", "a line", "log volume", "filling", "hits")
_OF_ALL = (
    "evidence cubic to hexagonal",
    "evidence cubic to orthorhombic",
    "high symmetry over low",
    "orthorhombic over monoclinic",
    "monoclinic over triclinic",
    "cubic over tetragonal and hexagonal",
    "tetragonal and hexagonal over orthorhombic",
    "tetragonal over hexagonal",
    "lines",
)
_OF_LINES = (
    *(f"lines below {angle:g}" for angle in ANGLES),
    *(f"q{i + 1}" for i in range(3)),
    *(f"q{i + 1}/q1" for i in range(1, 5)),
    "q15",
)

NAMES = (*(f"{what} {system}" for system in SYSTEMS for what in _OF_A_CELL), *_OF_ALL, *_OF_LINES)
"""Names of the features, in order."""


def cells_of(lines: Lines) -> dict[str, IndexedCell]:
    """Return system → best cell; nothing if there are too few lines to tell one."""
    return search(lines) if len(lines) >= FEWEST else {}


def features(lines: Lines, cells: Mapping[str, IndexedCell]) -> FloatArray:
    """Return the numbers of `NAMES`, (n_features,).

    Of each system's best cell: its evidence; the same less the best system's; with lines it was
    not found from; per line; the logarithm of its volume; how many reflections are possible for
    each line; the share of lines within 0.03°. Evidence already pays for every reflection that is
    possible; what a free parameter is worth is left to be learned. Of the lines: how many there
    are below some angles, the first Q and their ratios (after Suzuki et al. 2020,
    doi:10.1038/s41598-020-77474-4).

    Parameters
    ----------
    cells : system → best cell, systems without one left out.
    """
    n = max(min(len(lines), N_LINES), 1)
    evidence = np.array([cells[s].found.evidence if s in cells else NO_CELL for s in SYSTEMS])
    of_cells = [
        _of_a_cell(cells.get(s), behind=evidence[i] - evidence.max(), n_lines=n)
        for i, s in enumerate(SYSTEMS)
    ]
    return np.concatenate([*of_cells, _of_all(evidence, n), _of_lines(lines)])


def _of_a_cell(cell: IndexedCell | None, *, behind: float, n_lines: int) -> FloatArray:
    if cell is None:
        return np.array([NO_CELL, behind, NO_CELL, NO_CELL / n_lines, 0.0, 20.0, 0.0])
    return np.array(
        [
            cell.found.evidence,
            behind,
            cell.checked.evidence,
            cell.found.evidence / n_lines,
            np.log(cell.volume),
            cell.found.n_possible / n_lines,
            float((np.abs(cell.found.residual) < 0.03).mean()),
        ]
    )


def _of_all(evidence: FloatArray, n_lines: int) -> FloatArray:
    cubic, tetragonal, hexagonal, orthorhombic, monoclinic, triclinic = evidence
    uniaxial = max(tetragonal, hexagonal)
    high = max(cubic, uniaxial, orthorhombic)
    return np.array(
        [
            max(cubic, uniaxial),
            high,
            high - max(monoclinic, triclinic),
            orthorhombic - monoclinic,
            monoclinic - triclinic,
            cubic - uniaxial,
            uniaxial - orthorhombic,
            tetragonal - hexagonal,
            n_lines,
        ]
    )


def _of_lines(lines: Lines) -> FloatArray:
    limits = (2 * np.sin(np.radians(np.array(ANGLES) / 2)) / COPPER) ** 2
    counts = (lines.q[:, None] < limits).sum(axis=0)
    first = np.concatenate([lines.q[:5], np.zeros(max(5 - len(lines), 0))])
    ratios = first[1:] / first[0] if first[0] > 0 else np.zeros(4)
    fifteenth = lines.q[14] if len(lines) > 14 else 1.0
    return np.concatenate([counts, first[:3], ratios, [fifteenth]])
