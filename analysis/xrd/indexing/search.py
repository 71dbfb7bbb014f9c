"""The best cell of each crystal system: trials, quickly scored; the best refined and weighed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.physics.crystal import Cell
from analysis.xrd.indexing.evidence import Match, match
from analysis.xrd.indexing.forms import (
    CENTRINGS,
    SMALLEST,
    SYSTEMS,
    cell_of,
    distinct,
    points,
    volume,
)
from analysis.xrd.indexing.lines import FEWEST, N_LINES, Lines
from analysis.xrd.indexing.refining import Refined, refine
from analysis.xrd.indexing.scoring import score
from analysis.xrd.indexing.trials import trials, volumes

FloatArray = NDArray[np.float64]

N_REFINED = 60
"""Trial cells of each system that are refined."""

FARTHEST = 0.3
"""Displacement [deg] beyond which a cell is not believed."""

SCORED = {"orthorhombic": (6, 40), "monoclinic": (5, 24), "triclinic": (3, 10)}
"""Reach of the reflections that the quick score looks at, where it is less than the full one."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexedCell:
    """A cell and how it explains the lines.

    Attributes
    ----------
    centring : of those of the system the one with most evidence.
    free : (n_free,) numbers of the quadratic form [Å⁻²], see `form`.
    covariance : (n_free, n_free) of `free` [Å⁻⁴], from the scatter of the lines.
    displacement : refined with the cell [deg]; peaks move by displacement · cos θ.
    found : the match with the lines from which the cell was found.
    checked : the match with more lines, of which the cell knew nothing.
    """

    system: str
    centring: str
    free: FloatArray
    covariance: FloatArray
    displacement: float
    found: Match
    checked: Match

    @property
    def cell(self) -> Cell:
        """a, b, c [Å] and alpha, beta, gamma [deg]."""
        return cell_of(self.free, system=self.system)

    @property
    def volume(self) -> float:
        """Volume of the cell [Å³]."""
        return float(volume(self.free, system=self.system))

    @property
    def primitive_volume(self) -> float:
        """Volume of a primitive cell of the lattice [Å³]."""
        return self.volume / points(self.centring)

    @property
    def relative_volume_std(self) -> float:
        """Formal std of the volume as a share of it, by first-order propagation."""
        steps = 1e-6 * np.abs(self.free).max() * np.eye(len(self.free))
        shifted = volume(self.free + steps, system=self.system)
        slope = (shifted / self.volume - 1.0) / np.diag(steps)
        return float(np.sqrt(slope @ self.covariance @ slope))

    def reflections(self, end: float) -> FloatArray:
        """Return Q [Å⁻²] of the reflections that the centring leaves, increasing, up to `end`."""
        possible = np.unique(distinct(self.system, centring=self.centring) @ self.free)
        return np.asarray(possible[(possible > 0) & (possible <= end)])


def search(lines: Lines) -> dict[str, IndexedCell]:
    """Return system → the cell with most evidence; a system for which none was found is left out.

    Cells are found from the first `N_LINES` lines and checked on all.

    Raises
    ------
    ValueError
        There are fewer than five lines: any lattice would do.
    """
    if len(lines) < FEWEST:
        raise ValueError(f"{len(lines)} lines do not tell a cell; at least {FEWEST} are needed")
    found = {system: search_system(lines, system=system) for system in SYSTEMS}
    return {system: cell for system, cell in found.items() if cell is not None}


def search_system(lines: Lines, *, system: str) -> IndexedCell | None:
    """Return the cell of one system with most evidence, None if there is none."""
    first = lines.first(N_LINES)
    tried = trials(first, system=system)
    if not len(tried):
        return None
    scores = score(tried, distinct(system, reach=SCORED.get(system)), first)
    best = tried[np.argsort(-scores, kind="stable")[:N_REFINED]]
    refined = refine(best, distinct(system), first)
    weighed = [
        (found.evidence, i, centring, found)
        for i in np.flatnonzero(_believable(refined, first, system))
        for centring in CENTRINGS[system]
        for found in [_match(refined, int(i), centring, first, system)]
        if found is not None
    ]
    if not weighed:
        return None
    _, i, centring, found = max(weighed, key=lambda each: each[0])
    checked = _match(refined, int(i), centring, lines, system)
    assert checked is not None  # more lines reach farther and meet more reflections
    free, displacement = refined.free[i], float(refined.displacement[i])
    spread = np.linalg.inv(refined.curvature[i])[: len(free), : len(free)]
    return IndexedCell(
        system, centring, free, spread * _variance(found), displacement, found, checked
    )


def _match(refined: Refined, i: int, centring: str, lines: Lines, system: str) -> Match | None:
    possible = distinct(system, centring=centring) @ refined.free[i]
    return match(possible, float(refined.displacement[i]), lines)


def _believable(refined: Refined, lines: Lines, system: str) -> NDArray[np.bool_]:
    smallest, largest = volumes(lines, system=system)
    size = volume(refined.free, system=system)
    return np.asarray(
        (size > smallest)
        & (size < largest)
        & (refined.free[:, :3] > 0.7 * SMALLEST).all(axis=1)
        & (np.abs(refined.displacement) < FARTHEST)
    )


def _variance(found: Match) -> float:
    """Return the variance [deg²] of a line's position, robustly; at least of 0.003°."""
    return max(float(np.median(np.abs(found.residual))) / 0.6745, 0.003) ** 2
