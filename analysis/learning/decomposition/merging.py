"""Merging: which factors of an over-complete factorisation are one phase."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from analysis.learning.decomposition.nmf import TINY, Factors
from analysis.learning.decomposition.shifts import best_shifts

FloatArray = NDArray[np.float64]
Labels = NDArray[np.int64]


def merge_alike(
    patterns: FloatArray,
    weights: FloatArray,
    *,
    largest_shift: int,
    unlikeness: float,
    peak_width: int,
    coexistence: float = 0.6,
) -> Labels:
    """Return a label a factor, (n_factors,): equal where patterns are shifted copies.

    Average linkage on one minus the highest normalised cross-correlation (Stanev et al. 2018,
    doi:10.1038/s41524-018-0099-2). Two factors are kept apart, however alike, if they coexist
    although their peaks stand more than a width apart: two phases of one structure type may stand
    side by side.

    Parameters
    ----------
    patterns : (n_factors, n_points) on a logarithmic axis.
    weights : (n_curves, n_factors).
    largest_shift : in points.
    unlikeness : of two groups, 0 … 1, up to which they are merged.
    peak_width : shift [points] up to which two factors may share a curve and be one phase.
    coexistence : cosine of two columns of weights from which they coexist.
    """
    if len(patterns) == 1:
        return np.zeros(1, dtype=np.int64)
    likeness, shift = best_shifts(patterns, largest=largest_shift)
    distance = 1 - np.clip(0.5 * (likeness + likeness.T), 0.0, 1.0)
    apart = (cosines(weights) > coexistence) & (np.abs(shift) > peak_width)
    distance = np.where(apart | apart.T, 1.0, distance)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    return np.asarray(fcluster(tree, unlikeness, "distance") - 1, dtype=np.int64)


def absorb_fragments(factors: Factors, labels: Labels, *, least_dominance: float) -> Labels:
    """Return labels in which groups that never dominate a curve belong to their companion.

    Texture and peaks that move unlike others leave factors that are parts of a phase. A part comes
    with the rest of its phase, and is never most of a curve; a phase is, wherever the samples
    come close to its own composition. The weakest group is given to the group beside which its
    weights are found (highest cosine), until every group dominates somewhere. A phase that occurs
    in mixtures only is lost by this; that is the price.

    Parameters
    ----------
    least_dominance : share of a curve's highest peaks that a phase reaches in at least one curve.
    """
    labels = _compact(labels)
    while labels.max() > 0:
        heights = group_heights(factors, labels)
        shares = heights / (heights.sum(axis=1, keepdims=True) + TINY)
        dominance = np.sort(shares, axis=0)[-2:].mean(axis=0)
        weakest = int(dominance.argmin())
        if dominance[weakest] >= least_dominance:
            break
        alike = cosines(heights)[weakest]
        alike[weakest] = -1.0
        labels = _compact(np.where(labels == weakest, int(alike.argmax()), labels))
    return labels


def group_heights(factors: Factors, labels: Labels) -> FloatArray:
    """Return the highest point of each group's part in each curve, (n_curves, n_groups)."""
    return np.column_stack(
        [
            (factors.weights[:, labels == g] @ factors.patterns[labels == g]).max(axis=1)
            for g in range(int(labels.max()) + 1)
        ]
    )


def cosines(columns: FloatArray) -> FloatArray:
    """Return the cosine of each two columns, (n_columns, n_columns)."""
    norms = np.linalg.norm(columns, axis=0) + TINY
    return np.asarray((columns.T @ columns) / np.outer(norms, norms))


def _compact(labels: Labels) -> Labels:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
