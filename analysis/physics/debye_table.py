"""Debye's sum of one cluster of equal atoms, tabulated once for every bond and every Q.

A cluster that only grows or shrinks keeps its pair distances but for one factor, so its sum is a
function of x = Q · length alone. In NumPy; `analysis.physics.debye` does it in torch, with slopes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial.distance import cdist, pdist

FloatArray = NDArray[np.float64]

BIN = 5e-4
"""Pairs whose distances agree to this share one term at their mean distance. The sum then errs by
at most ``(x · BIN)² / 24`` of each term: 2e-5 at x = 45."""

FINE = 2.5e-4
"""Step of the even grid that distances are split on for the Fourier transform."""

NODES_A_PERIOD = 32
"""Least number of nodes of the table in a period of its fastest oscillation, 2π over the extent."""

_BLOCK = 512
_NODES = 64


@dataclass(frozen=True, slots=True)
class PairDistances:
    """The distinct pair distances of a cluster.

    Attributes
    ----------
    distance : in units of the cluster's length, ascending, (n_distances,).
    count : pairs i < j at each, (n_distances,).
    n_atoms : in the cluster.
    """

    distance: FloatArray
    count: FloatArray
    n_atoms: int


def pair_distances(positions: FloatArray) -> PairDistances:
    """Return the distances within a cluster, those closer than `BIN` joined.

    Parameters
    ----------
    positions : (n_atoms, 3), in any unit of length.
    """
    extent = float(np.linalg.norm(np.ptp(positions, axis=0)))
    n_bins = int(extent / BIN) + 2
    count, total = np.zeros(n_bins), np.zeros(n_bins)
    for start in range(0, len(positions), _BLOCK):
        block, rest = positions[start : start + _BLOCK], positions[start + _BLOCK :]
        for found in (pdist(block), cdist(block, rest).ravel()):
            which = (found / BIN).astype(np.intp)
            count += np.bincount(which, minlength=n_bins)
            total += np.bincount(which, weights=found, minlength=n_bins)
    filled = count > 0
    return PairDistances(total[filled] / count[filled], count[filled], len(positions))


def debye_sum(pairs: PairDistances, x: FloatArray) -> FloatArray:
    """Return ``(2/N) Σ_{i<j} sin(x d_ij) / (x d_ij)``, (n_x,): S(Q) − 1 of atoms at rest.

    Parameters
    ----------
    x : momentum transfer times the cluster's length, above zero, (n_x,).

    References
    ----------
    Debye (1915), Ann. Phys. 351, 809, doi:10.1002/andp.19153510606.
    """
    weights = 2.0 / pairs.n_atoms * pairs.count / pairs.distance
    parts = [
        np.sin(np.outer(x[i : i + _NODES], pairs.distance)) @ weights
        for i in range(0, len(x), _NODES)
    ]
    return np.asarray(np.concatenate(parts) / x)


def direct_debye_sum(positions: FloatArray, x: FloatArray) -> FloatArray:
    """Return the same sum pair by pair, without bins or tables: the check of the fast ways."""
    d = pdist(positions)
    return np.array([2.0 / len(positions) * float((np.sin(v * d) / (v * d)).sum()) for v in x])


def tabulate(pairs: PairDistances, *, x_max: float) -> CubicSpline:
    """Return the same sum as a function of x from 0 to `x_max`, by one Fourier transform.

    Distances are split linearly between the two nearest nodes of an even grid, so that their mean
    stays; what the split takes from a sine on average, (sin(x·FINE/2)/(x·FINE/2))², is given back.
    """
    place = pairs.distance / FINE
    below = place.astype(np.intp)
    part = place - below
    weights = 2.0 / pairs.n_atoms * pairs.count / pairs.distance
    extent = int(below[-1]) + 2
    even = np.bincount(below, weights=weights * (1.0 - part), minlength=extent)
    even += np.bincount(below + 1, weights=weights * part, minlength=extent)
    n_points = 1 << int(np.ceil(np.log2(NODES_A_PERIOD * extent)))
    step = 2.0 * np.pi / (n_points * FINE)
    n_nodes = int(x_max / step) + 3
    sines = -np.fft.rfft(even, n_points).imag[:n_nodes]
    x = step * np.arange(n_nodes)
    values = np.empty(n_nodes)
    values[1:] = sines[1:] / x[1:] / np.sinc(x[1:] * FINE / (2.0 * np.pi)) ** 2
    values[0] = 2.0 / pairs.n_atoms * pairs.count.sum()
    return CubicSpline(x, values)
