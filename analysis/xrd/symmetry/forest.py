"""A forest of decision trees as plain arrays: read and asked without the library that grew it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees whose nodes stand in one row, each tree's root first.

    Attributes
    ----------
    roots : (n_trees,) index of each tree's root.
    feature : (n_nodes,) which feature a node asks for, −1 in a leaf.
    threshold : (n_nodes,) a node's left child is next where the feature is at most this.
    left, right : (n_nodes,) indices of the children.
    value : (n_nodes, n_classes) share of each class in a node.
    """

    roots: IntArray
    feature: IntArray
    threshold: FloatArray
    left: IntArray
    right: IntArray
    value: FloatArray

    def probability(self, features: FloatArray) -> FloatArray:
        """Return the mean share of each class in the leaves, (n, n_classes).

        Parameters
        ----------
        features : (n, n_features).
        """
        # Trees are grown and asked in single precision: a feature may equal a threshold.
        asked = features.astype(np.float32)
        node = np.tile(self.roots, len(asked))
        example = np.repeat(np.arange(len(asked)), len(self.roots))
        under_way = np.flatnonzero(self.feature[node] >= 0)
        while len(under_way):
            at = node[under_way]
            goes_left = asked[example[under_way], self.feature[at]] <= self.threshold[at]
            node[under_way] = np.where(goes_left, self.left[at], self.right[at])
            under_way = under_way[self.feature[node[under_way]] >= 0]
        leaves = self.value[node].reshape(len(asked), len(self.roots), -1)
        return np.asarray(leaves.mean(axis=1))

    def save(self, path: Path) -> None:
        """Write the arrays to an npz file."""
        np.savez_compressed(
            path,
            roots=self.roots,
            feature=self.feature,
            threshold=self.threshold,
            left=self.left,
            right=self.right,
            value=self.value.astype(np.float32),
        )


def load_forest(path: Path) -> Forest:
    """Return the forest of an npz file."""
    with np.load(path) as stored:
        return Forest(
            stored["roots"],
            stored["feature"],
            stored["threshold"],
            stored["left"],
            stored["right"],
            stored["value"].astype(np.float64),
        )
