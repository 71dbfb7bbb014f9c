"""What knowing more is worth: the best of some alternatives after an outcome, against before."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from planners.columns import Array

N_NODES = 128
"""Quasi-random outcomes over which an expectation is taken where it has no closed form."""


def expected_best(means: Array, slopes: Array) -> float:
    """Return the expected greatest of straight lines ``means + slopes · Z``, Z standard normal.

    Lines that are never the greatest drop out, from the flattest to the steepest; between two
    neighbours of the others the greatest changes where they cross (Frazier, Powell & Dayanik 2009,
    doi:10.1287/ijoc.1080.0314, algorithms 1 and 2). The knowledge gradient is this less the
    greatest of `means`: nothing where no outcome changes which alternative is best.

    Parameters
    ----------
    means : of the alternatives before an outcome, shape (n,).
    slopes : by how much each mean moves for one standard deviation of the outcome, shape (n,).
    """
    order = np.lexsort((means, slopes))
    means, slopes = means[order], slopes[order]
    last = np.append(np.diff(slopes) > 0, True)  # of equal slopes the highest counts
    kept, crossings = _upper_envelope(means[last], slopes[last])
    means, slopes = means[last][kept], slopes[last][kept]
    top = int(np.argmax(means))
    # The best line so far, plus what every other gains where it is above its flatter neighbour.
    steeper = np.diff(slopes) * _loss(np.abs(crossings))
    return float(means[top] + steeper.sum())


def _upper_envelope(means: Array, slopes: Array) -> tuple[list[int], Array]:
    """Return the lines that are somewhere the greatest, by slope, and where they cross."""
    kept, crossings = [0], [-np.inf]
    for i in range(1, len(means)):
        while True:
            j = kept[-1]
            crossing = (means[j] - means[i]) / (slopes[i] - slopes[j])
            if crossing > crossings[-1]:
                break
            kept.pop()
            crossings.pop()
        kept.append(i)
        crossings.append(float(crossing))
    return kept, np.array(crossings[1:])


def _loss(distance: Array) -> Array:
    """Return ``E[max(Z - distance, 0)]`` for a standard normal Z."""
    density = np.exp(-0.5 * distance**2) / np.sqrt(2.0 * np.pi)
    return np.asarray(np.maximum(density - distance * ndtr(-distance), 0.0))


@cache
def nodes(dimension: int) -> Array:
    """Return independent standard normal outcomes of equal weight, (N_NODES, dimension).

    Sobol' points in the middle of their cells, so that the same question has one answer.
    """
    sampler = qmc.Sobol(dimension, scramble=False)
    return np.asarray(ndtri(sampler.random(N_NODES) + 0.5 / N_NODES))
