"""Extremely randomised trees: a rough model of rough tables, with its own doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from planners.columns import Array

Rows = npt.NDArray[np.int64]

N_TREES = 32
LEAST_LEAF = 2.0
"""Least sample weight of a leaf, so that a leaf has a variance."""

LEAST_VARIANCE = 1e-3
"""Of a leaf, in units of the standardised outcome: no leaf is sure."""

CHUNK = 2048


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees grown on bootstrapped rows, all of them in flat tables of nodes.

    Attributes
    ----------
    y : standardised outcomes, shape (n,).
    column, threshold : what each node asks, ``x[column] < threshold``; column -1 in a leaf.
    child : node of the smaller side; the other is the next one. Shape (n_nodes,).
    mean, variance : of the outcomes that ended in a node.
    outside : mean and variance told of each row by the trees that had not seen it, shape (n,).
    waiting : leaves of the points under way, shape (n_trees, n_pending).
    """

    y: Array
    column: Rows
    threshold: Array
    child: Rows
    mean: Array
    variance: Array
    outside: tuple[Array, Array]
    n_trees: int
    waiting: Rows

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation at coordinates, shape (n_points,) each.

        The variance is that of the leaves' means over the trees plus the mean variance inside
        the leaves (law of total variance; Hutter et al. 2014, doi:10.1016/j.artint.2013.10.003).
        The latter contains the noise of a measurement. What is under way takes its share.
        """
        means, variances = np.empty(len(x)), np.empty(len(x))
        for i in range(0, len(x), CHUNK):
            leaves = self._leaves(x[i : i + CHUNK])
            means[i : i + CHUNK] = self.mean[leaves].mean(axis=0)
            spread = self.mean[leaves].var(axis=0)
            doubt = spread + self.variance[leaves].mean(axis=0)
            variances[i : i + CHUNK] = doubt * self._left(leaves)
        return means, np.sqrt(variances)

    def joint(self, x: Array) -> tuple[Array, Array]:
        """Return the joint mean, (n_points,), and covariance, (n_points, n_points), at points.

        Points covary as their leaves' means do over the trees.
        """
        leaves = self._leaves(x)
        told = self.mean[leaves]
        inside = self.variance[leaves].mean(axis=0)
        covariance = np.cov(told.T, ddof=0).reshape(len(x), len(x)) + np.diag(inside)
        root = np.sqrt(self._left(leaves))
        return told.mean(axis=0), covariance * np.outer(root, root)

    def believing(self, x: Array) -> Forest:
        """Return the forest once points under way have come out as predicted.

        The means stay; the variance of a point falls by the squared share of trees in which it
        shares its leaf with a point under way.
        """
        return replace(self, waiting=np.concatenate([self.waiting, self._leaves(x)], axis=1))

    def leave_one_out(self) -> tuple[Array, Array]:
        """Return mean and std of each outcome, told by the trees that had not seen it. (n,)."""
        mean, variance = self.outside
        return mean, np.sqrt(variance)

    def _left(self, leaves: Rows) -> Array:
        """Return the share of each point's variance that points under way leave, (n_points,)."""
        if not self.waiting.shape[1]:
            return np.ones(leaves.shape[1])
        shared = [(leaves == w[:, None]).mean(axis=0) for w in self.waiting.T]
        return np.asarray(1.0 - np.max(shared, axis=0) ** 2)

    def _leaves(self, x: Array) -> Rows:
        """Return the leaf of each point in each tree, shape (n_trees, n_points)."""
        at = np.tile(np.arange(self.n_trees)[:, None], (1, len(x)))
        rows = np.arange(len(x))[None, :]
        while (asks := self.column[at] >= 0).any():
            column = np.maximum(self.column[at], 0)
            beyond = x[rows, column] >= self.threshold[at]
            at = np.where(asks, self.child[at] + beyond, at)
        return at


def grow(
    x: Array, y: Array, weights: Array, *, rng: np.random.Generator, n_trees: int = N_TREES
) -> Forest:
    """Return a forest; one random threshold a column is tried at each node, the best one taken.

    Extremely randomised trees (Geurts, Ernst & Wehenkel 2006, doi:10.1007/s10994-006-6226-1), but
    on bootstrapped rows, so that each row is also judged by trees that have not seen it. All
    trees grow together, level by level.

    Parameters
    ----------
    x : coordinates, shape (n, n_columns).
    y : outcomes of about zero mean and unit variance, shape (n,).
    weights : how much each outcome counts, 1 for one known well, shape (n,).
    """
    n = len(y)
    drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=n_trees).astype(np.float64) * weights
    growth = _Growth(x, y, drawn)
    while growth.split(rng):
        pass
    return growth.forest()


class _Growth:
    """Trees while they grow: the node in which each row of each tree stands."""

    def __init__(self, x: Array, y: Array, drawn: Array) -> None:
        self.x, self.y, self.drawn = x, y, drawn
        n_trees, n = drawn.shape
        self.at = np.tile(np.arange(n_trees)[:, None], (1, n))
        self.columns: list[Rows] = [np.full(n_trees, -1)]
        self.thresholds: list[Array] = [np.zeros(n_trees)]
        self.children: list[Rows] = [np.zeros(n_trees, dtype=np.int64)]
        self.n_nodes = n_trees
        self.open: Rows = np.arange(n_trees)

    def split(self, rng: np.random.Generator) -> bool:
        """Split every open node that can be; return whether there was one."""
        index = np.full(self.n_nodes, -1)
        index[self.open] = np.arange(len(self.open))
        tree, row = np.nonzero((index[self.at] >= 0) & (self.drawn > 0))
        node = index[self.at[tree, row]]
        order = np.argsort(node, kind="stable")
        tree, row, node = tree[order], row[order], node[order]
        if not len(node):
            return False
        begins = np.flatnonzero(np.r_[True, node[1:] != node[:-1]])
        column, threshold, worth = self._best(row, tree, node, begins, rng)
        chosen = node[begins][worth]
        if not len(chosen):
            return False
        parents = self.open[chosen]
        first = self.n_nodes + 2 * np.arange(len(parents))
        self._store(parents, column[worth], threshold[worth], first)
        self._route(parents, column[worth], threshold[worth], first)
        return True

    def _best(
        self, row: Rows, tree: Rows, node: Rows, begins: Rows, rng: np.random.Generator
    ) -> tuple[Rows, Array, npt.NDArray[np.bool_]]:
        """Return column and threshold of the best cut of each node, and whether it may be cut."""
        values, weight = self.x[row], self.drawn[tree, row]
        low = np.minimum.reduceat(values, begins)
        high = np.maximum.reduceat(values, begins)
        cuts = low + rng.random(low.shape) * (high - low)
        cuts = np.where(cuts > low, cuts, high)  # a draw of exactly 0 would cut nothing off
        counted = np.cumsum(np.r_[0, np.diff(node) != 0])
        less = (values < cuts[counted]) * weight[:, None]
        total = np.add.reduceat(weight, begins)[:, None]
        sums = np.add.reduceat(weight * self.y[row], begins)[:, None]
        left = np.add.reduceat(less, begins)
        left_sum = np.add.reduceat(less * self.y[row][:, None], begins)
        right, right_sum = total - left, sums - left_sum
        allowed = (high > low) & (left >= LEAST_LEAF) & (right >= LEAST_LEAF)
        gain = left_sum**2 / np.maximum(left, 1e-9) + right_sum**2 / np.maximum(right, 1e-9)
        gain = np.where(allowed, gain, -np.inf)
        column = np.argmax(gain, axis=1)
        at = np.arange(len(column))
        return column, cuts[at, column], np.asarray(allowed.any(axis=1))

    def _store(self, parents: Rows, column: Rows, threshold: Array, first: Rows) -> None:
        columns, thresholds, children = self._tables()
        columns[parents], thresholds[parents], children[parents] = column, threshold, first
        n = 2 * len(parents)
        self.columns = [columns, np.full(n, -1)]
        self.thresholds = [thresholds, np.zeros(n)]
        self.children = [children, np.zeros(n, dtype=np.int64)]
        self.open = self.n_nodes + np.arange(n)
        self.n_nodes += n

    def _route(self, parents: Rows, column: Rows, threshold: Array, first: Rows) -> None:
        index = np.full(self.n_nodes, -1)
        index[parents] = np.arange(len(parents))
        tree, row = np.nonzero(index[self.at] >= 0)
        which = index[self.at[tree, row]]
        beyond = self.x[row, column[which]] >= threshold[which]
        self.at[tree, row] = first[which] + beyond

    def _tables(self) -> tuple[Rows, Array, Rows]:
        return (
            np.concatenate(self.columns),
            np.concatenate(self.thresholds),
            np.concatenate(self.children),
        )

    def forest(self) -> Forest:
        """Return the grown trees with what their leaves hold."""
        at, weight = self.at.ravel(), self.drawn.ravel()
        y = np.broadcast_to(self.y, self.at.shape).ravel()
        held = np.maximum(np.bincount(at, weight, self.n_nodes), 1e-300)
        mean = np.bincount(at, weight * y, self.n_nodes) / held
        square = np.bincount(at, weight * (y - mean[at]) ** 2, self.n_nodes) / held
        variance = np.maximum(square, LEAST_VARIANCE)
        column, threshold, child = self._tables()
        return Forest(
            y=self.y,
            column=column,
            threshold=threshold,
            child=child,
            mean=mean,
            variance=variance,
            outside=_outside(mean[self.at], variance[self.at], self.drawn == 0),
            n_trees=len(self.drawn),
            waiting=np.zeros((len(self.drawn), 0), dtype=np.int64),
        )


def _outside(mean: Array, variance: Array, unseen: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return mean and variance of each row over the trees that had not seen it.

    A row that every tree has seen, which is as good as impossible, is judged by all of them.
    """
    by = np.where(unseen.any(axis=0), unseen, True).astype(np.float64)
    by /= by.sum(axis=0)
    centre = (by * mean).sum(axis=0)
    return centre, (by * (variance + (mean - centre) ** 2)).sum(axis=0)
