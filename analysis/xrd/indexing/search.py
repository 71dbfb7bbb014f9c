"""Cells by trial: low indices for the first lines, solved, ranked by figure of merit, refined.

Not searched: monoclinic and triclinic cells. A pattern of such a crystal gets cells with a low
figure of merit, or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.indexing.forms import SYSTEMS, centrings, distinct, lengths, volume

FloatArray = NDArray[np.float64]

N_LINES = 20
"""Lines that a figure of merit looks at, at most."""

VOLUMES = (10.0, 3000.0)
"""Smallest and largest cell volume [Å³]."""

TOLERANCE = 0.06
"""Largest error of a peak's position [deg], displacement included, for it to count as indexed."""

N_KEPT = 40
"""Trial cells of each system that are refined."""

TRIAL_INDEX = {"cubic": 4, "tetragonal": 3, "hexagonal": 3, "orthorhombic": 2}
"""Largest Miller index that the first lines are tried with."""

MOST_UNINDEXED = 2
"""Lines that may belong to an impurity; each halves the figure of merit."""

PRECISION = 0.005
"""Mean error [deg] below which a better agreement is chance: cells with fewer lines then win."""


@dataclass(frozen=True, slots=True)
class IndexedCell:
    """A cell that explains the lines.

    Attributes
    ----------
    centring : P, I, F, A, B, C or R (hexagonal axes): of those whose lines hold all indexed lines,
        the one with the highest merit.
    a, b, c : lengths [Å]; γ is 120° if hexagonal, all other angles 90°.
    displacement : refined with the cell [deg]; peaks move by displacement · cos θ.
    merit : M of de Wolff over the indexed lines, with errors of at least `PRECISION`, halved for
        each line left out.
    n_indexed, n_lines : lines within `TOLERANCE`, and all that were looked at.
    """

    system: str
    centring: str
    a: float
    b: float
    c: float
    volume: float
    displacement: float
    merit: float
    n_indexed: int
    n_lines: int


def search(two_theta: FloatArray, *, wavelength: float) -> list[IndexedCell]:
    """Return cells of the systems searched, highest figure of merit first.

    Parameters
    ----------
    two_theta : (n_peaks,) increasing positions [deg]; the first 20 are used.
    wavelength : of the line whose positions these are [Å].

    Raises
    ------
    ValueError
        There are fewer than five lines: any lattice would do.
    """
    lines = np.asarray(two_theta, dtype=np.float64)[:N_LINES]
    if len(lines) < 5:
        raise ValueError(f"{len(lines)} lines do not tell a cell; at least 5 are needed")
    found = [cell for system in SYSTEMS for cell in _search_system(lines, wavelength, system)]
    return sorted(found, key=lambda cell: -cell.merit)


def figure_of_merit(
    observed: FloatArray, calculated: FloatArray, *, precision: float = 0.0
) -> float:
    """Return M = Q_N / (2 ⟨ΔQ⟩ n), with Q = 1/d² and n distinct lines calculated up to Q_N.

    De Wolff (1968), doi:10.1107/S002188986800508X. Extinct lines count among the calculated.

    Parameters
    ----------
    observed : (n,) increasing Q of the lines [Å⁻²].
    calculated : (m,) increasing distinct Q of the cell [Å⁻²].
    precision : least mean error of Q that is believed [Å⁻²].
    """
    gap = np.abs(observed - _nearest(calculated, observed)[0])
    n_possible = int(np.searchsorted(calculated, observed[-1] * (1 + 1e-6)))
    # A perfect list would have an infinite merit; real positions never agree to 1 part in 10⁶.
    mean = max(float(gap.mean()), precision, 1e-6 * float(observed[-1]))
    return float(observed[-1]) / (2.0 * mean * max(n_possible, 1))


def _search_system(lines: FloatArray, wavelength: float, system: str) -> list[IndexedCell]:
    q = _q(lines, wavelength)
    trials = _trials(q, system)
    if not len(trials):
        return []
    width = _dq(lines, wavelength) * TOLERANCE
    rows = _rows(system, "P")
    score = _rough_score(trials, rows, q, width)
    best = trials[np.argsort(-score, kind="stable")[:N_KEPT]]
    refined = [_refine(free, rows, lines, wavelength, system) for free in best]
    return _unlike([cell for cell in refined if cell is not None])


def _unlike(cells: list[IndexedCell]) -> list[IndexedCell]:
    """Return each cell once: trials that end in the same lengths are one."""
    found: dict[tuple[float, ...], IndexedCell] = {}
    for cell in cells:
        axes = (cell.a, cell.b, cell.c)
        named = sorted(axes) if cell.system == "orthorhombic" else axes
        found.setdefault(tuple(round(length, 3) for length in named), cell)
    return list(found.values())


def _trials(q: FloatArray, system: str) -> FloatArray:
    """Return free numbers solved from low indices of the first lines, (n, n_free)."""
    rows = distinct(system, largest=TRIAL_INDEX[system])
    n_free = rows.shape[1]
    picks = np.array(list(combinations(range(len(rows)), n_free)))
    picks = np.concatenate([picks, picks[:, ::-1]]) if n_free == 2 else picks
    if n_free == 3:
        orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
        picks = np.concatenate([picks[:, order] for order in orders])
    matrices = rows[picks]
    matrices = matrices[np.abs(np.linalg.det(matrices)) > 1e-6]
    inverse = np.linalg.inv(matrices)
    first = combinations(range(4 if n_free > 2 else 5), n_free)
    free = np.concatenate([inverse @ q[list(chosen)] for chosen in first])
    free = free[(free > 1e-4).all(axis=1)]
    size = volume(free, system=system)
    free = free[(size > VOLUMES[0]) & (size < VOLUMES[1])]
    if system == "orthorhombic":
        free = np.sort(free, axis=1)  # the names of the axes are free
    return np.asarray(np.unique(np.round(free, 6), axis=0))


def _rough_score(
    trials: FloatArray, rows: FloatArray, q: FloatArray, width: FloatArray
) -> FloatArray:
    """Return lines indexed, less what as many random lines would hit by chance, (n_trials,)."""
    score = np.empty(len(trials))
    for start in range(0, len(trials), 500):
        part = trials[start : start + 500]
        possible = np.sort(part @ rows.T, axis=1)
        n_possible = (possible <= q[-1]).sum(axis=1)
        gap = np.min(np.abs(possible[:, None, :] - q[None, :8, None]), axis=2)
        hit = (gap < width[:8]).sum(axis=1)
        score[start : start + 500] = hit - 8 * n_possible * 2 * width[:8].mean() / q[-1]
    return score


def _refine(
    free: FloatArray, rows: FloatArray, lines: FloatArray, wavelength: float, system: str
) -> IndexedCell | None:
    """Return the cell after least squares with a displacement; None if it leaves too many lines."""
    q, slope = _q(lines, wavelength), _dq(lines, wavelength)
    lean = slope * np.cos(np.radians(lines / 2))
    displacement, indexed = 0.0, np.ones(len(q), dtype=bool)
    for _ in range(4):
        possible = rows @ free
        order = np.argsort(possible)
        nearest, at = _nearest(possible[order], q - displacement * lean)
        indexed = np.abs(q - displacement * lean - nearest) < TOLERANCE * slope
        if indexed.sum() < max(len(q) - MOST_UNINDEXED, len(free) + 3):
            return None
        design = np.column_stack([rows[order][at], lean])[indexed] / slope[indexed, None]
        # A prior of 0 ± 0.1° on the displacement; lines are known to about 0.01°.
        design = np.vstack([design, [0.0] * len(free) + [0.1]])
        target = np.append(q[indexed] / slope[indexed], 0.0)
        solved = np.linalg.lstsq(design, target, rcond=None)[0]
        free, displacement = solved[:-1], float(solved[-1])
        if not (free > 1e-5).all():
            return None
    corrected = (q - displacement * lean)[indexed]
    scale = slope[indexed]
    centring, merit = _best_centring(free, corrected, scale, system)
    merit /= 2.0 ** float((~indexed).sum())
    a, b, c = lengths(free, system=system)
    size = float(volume(free, system=system))
    n_indexed = int(indexed.sum())
    return IndexedCell(system, centring, a, b, c, size, displacement, merit, n_indexed, len(q))


def _best_centring(
    free: FloatArray, q: FloatArray, slope: FloatArray, system: str
) -> tuple[str, float]:
    """Return the centring that explains the indexed lines with the fewest others, and its merit."""
    precision = PRECISION * float(slope.mean())
    found: list[tuple[float, str]] = []
    for centring in centrings(system):
        possible = np.unique(np.round(_rows(system, centring) @ free, 9))
        gap = np.abs(_nearest(possible, q)[0] - q)
        if centring == "P" or (gap < TOLERANCE * slope).all():
            found.append((figure_of_merit(q, possible, precision=precision), centring))
    merit, centring = max(found)
    return centring, merit


@lru_cache
def _rows(system: str, centring: str) -> FloatArray:
    largest = 6 if system == "orthorhombic" else 9
    return distinct(system, largest=largest, centring=centring)


def _nearest(possible: FloatArray, wanted: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return the value nearest to each wanted one, and its place in the increasing `possible`."""
    right = np.clip(np.searchsorted(possible, wanted), 1, len(possible) - 1)
    at = right - (wanted - possible[right - 1] < possible[right] - wanted)
    return possible[at], at


def _q(two_theta: FloatArray, wavelength: float) -> FloatArray:
    return np.asarray((2.0 * np.sin(np.radians(two_theta / 2)) / wavelength) ** 2)


def _dq(two_theta: FloatArray, wavelength: float) -> FloatArray:
    """Return dQ/d2θ [Å⁻² per degree]."""
    return np.asarray(2.0 * np.sin(np.radians(two_theta)) / wavelength**2 * np.pi / 180.0)
