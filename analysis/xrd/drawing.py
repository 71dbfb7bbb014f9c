"""Drawing: lists of pseudo-Voigt peaks onto a grid, and how a pattern changes with its lists.

Peaks that stand close together are drawn as one block, (peaks of the block) × (points they reach),
and summed by a matrix product. The derivatives of all peaks with position, width and height come
from the same block, so that the slopes of many parameters cost little more than the pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.profile import LN2

FloatArray = NDArray[np.float64]

REACH = 25.0
"""A peak is drawn to this many full widths on either side."""

GAUSSIAN_REACH = 2.5
"""Beyond this many full widths a Gaussian is below 1e-7 of its height and left out."""

SPAN = 1.0
"""Length of a block without its tails, in reaches: longer ones waste points, shorter ones calls."""

MOST_VALUES = 8_000
"""Peaks times points of a block, about: memory for larger ones comes from the system each time."""


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Pseudo-Voigt peaks: a Lorentzian and a Gaussian of one width on one centre.

    Attributes
    ----------
    position, width : (n_peaks,) centre and full width at half maximum [deg].
    lorentzian, gaussian : (n_peaks,) heights of the two components.
    """

    position: FloatArray
    width: FloatArray
    lorentzian: FloatArray
    gaussian: FloatArray

    def slope_from(self, other: Peaks, *, step: float) -> Peaks:
        """Return the difference of two lists of the same peaks, over a step.

        A peak that only one of them has, without height in the other, does not change.
        """
        both = (self.lorentzian + self.gaussian) * (other.lorentzian + other.gaussian) != 0
        factor = both / step
        return Peaks(
            (self.position - other.position) * factor,
            (self.width - other.width) * factor,
            (self.lorentzian - other.lorentzian) * factor,
            (self.gaussian - other.gaussian) * factor,
        )


def peaks_of_area(
    position: FloatArray, *, area: FloatArray, width: FloatArray, eta: FloatArray
) -> Peaks:
    """Return peaks of given areas.

    Parameters
    ----------
    position, width : (n_peaks,) centre and full width [deg].
    area : (n_peaks,) integrated intensity; the profile has unit area per degree.
    eta : (n_peaks,) Lorentzian share.
    """
    per_width = 2 * area / width
    return Peaks(
        position,
        width,
        per_width * eta / np.pi,
        per_width * (1 - eta) * np.sqrt(LN2 / np.pi),
    )


class Block(NamedTuple):
    """Some peaks that stand close together, on the points that they reach.

    Attributes
    ----------
    members : indices of the peaks, (n,).
    points, core : grid points that the Lorentzians and the Gaussians reach; `core` counts from the
        first of `points`.
    u : (n, n_points) distances from the centres in half widths.
    ell : (n, n_points) Lorentzians of unit height, 1 / (1 + u²), 0 beyond their reach.
    g : (n, n_core) Gaussians of unit height, exp(−u² ln 2).
    """

    members: NDArray[np.intp]
    points: slice
    core: slice
    u: FloatArray
    ell: FloatArray
    g: FloatArray


def draw(two_theta: FloatArray, peaks: Peaks) -> FloatArray:
    """Return the sum of peaks on a grid, (n_points,).

    Each peak is drawn over ±25 widths. What its tails lose beyond is not put back: there they are
    a smooth background, while heights near the peak stay proportional to the area.

    Parameters
    ----------
    two_theta : (n_points,) increasing grid [deg].
    """
    total = np.zeros(len(two_theta))
    for block in _blocks(two_theta, peaks):
        drawn = peaks.lorentzian[block.members] @ block.ell
        drawn[block.core] += peaks.gaussian[block.members] @ block.g
        total[block.points] += drawn
    return total


def draw_changes(two_theta: FloatArray, peaks: Peaks, changes: Sequence[Peaks]) -> FloatArray:
    """Return the change of a drawn pattern with each change of its peaks, (n_changes, n_points).

    To first order, with both components' derivatives written down; the ends of the tails stay
    where they are.

    Parameters
    ----------
    two_theta : (n_points,) increasing grid [deg].
    changes : of position, width and heights of every peak.
    """
    of_ell, of_square, of_slope, of_g, of_g_slope, of_g_square = _coefficients(peaks, changes)
    out = np.zeros((len(changes), len(two_theta)))
    for block in _blocks(two_theta, peaks):
        mine, core, ell, g = block.members, block.core, block.ell, block.g
        square = ell * ell
        drawn = of_ell[:, mine] @ ell + of_square[:, mine] @ square
        drawn += of_slope[:, mine] @ (block.u * square)
        u = block.u[:, core]
        drawn[:, core] += of_g[:, mine] @ g
        slope = u * g
        drawn[:, core] += of_g_slope[:, mine] @ slope + of_g_square[:, mine] @ (u * slope)
        out[:, block.points] += drawn
    return out


def _coefficients(peaks: Peaks, changes: Sequence[Peaks]) -> tuple[FloatArray, ...]:
    """Return what multiplies ℓ, ℓ², u ℓ², g, u g and u² g of each peak, each (n_changes, n_peaks).

    With u = 2 (x − p) / H, dℓ/du = −2 u ℓ² and dg/du = −2 ln 2 u g; u² ℓ² is ℓ − ℓ².
    """
    moved = np.array([change.position for change in changes]) / peaks.width
    wider = np.array([change.width for change in changes]) / peaks.width
    ell = np.array([change.lorentzian for change in changes])
    g = np.array([change.gaussian for change in changes])
    return (
        ell + 2 * peaks.lorentzian * wider,
        -2 * peaks.lorentzian * wider,
        4 * peaks.lorentzian * moved,
        g,
        4 * LN2 * peaks.gaussian * moved,
        2 * LN2 * peaks.gaussian * wider,
    )


def _blocks(two_theta: FloatArray, peaks: Peaks) -> Iterator[Block]:
    """Yield the blocks of peaks that reach the grid."""
    reach = REACH * peaks.width
    seen = (peaks.position + reach > two_theta[0]) & (peaks.position - reach < two_theta[-1])
    order = np.flatnonzero(seen)
    if not len(order):
        return
    order = order[np.argsort(peaks.position[order], kind="stable")]
    position, width = peaks.position[order], peaks.width[order]
    near = GAUSSIAN_REACH * width
    low, high = _reached(two_theta, position, REACH * width)
    low_core, high_core = _reached(two_theta, position, near)
    passed = np.cumsum(np.diff(position, prepend=position[0]) / (SPAN * REACH * width))
    filled = np.cumsum(high - low) / MOST_VALUES
    starts = np.flatnonzero(np.diff(np.floor(passed) + np.floor(filled), prepend=-1.0))
    ends = np.append(starts[1:], len(order))
    bounds = (
        np.minimum.reduceat(low, starts).tolist(),
        np.maximum.reduceat(high, starts).tolist(),
        np.minimum.reduceat(low_core, starts).tolist(),
        np.maximum.reduceat(high_core, starts).tolist(),
    )
    centre, per_width = position[:, None], (2 / width)[:, None]
    for i, j, a, b, c, d in zip(starts.tolist(), ends.tolist(), *bounds, strict=True):
        u = two_theta[a:b] - centre[i:j]
        u *= per_width[i:j]
        square = u * u
        core = slice(c - a, d - a)
        g = np.exp(-LN2 * square[:, core])
        ell = 1.0 / (1.0 + square)
        ell *= square <= (2 * REACH) ** 2
        yield Block(order[i:j], slice(a, b), core, u, ell, g)


def _reached(
    two_theta: FloatArray, position: FloatArray, reach: FloatArray
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first grid point that each peak reaches, and the one after its last."""
    return (
        np.searchsorted(two_theta, position - reach),
        np.searchsorted(two_theta, position + reach),
    )
