"""How the answer to a question of structure follows the settings: votes of earlier readings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners.columns import Array
from planners.structural.axes import Axis, apart, choices, same
from planners.structural.kernels import PER_SETTING

ALIKE = 0.02
"""How often an answer strays from what its settings gave before."""

REACH = 0.2
"""Distance along a setting over which a reading votes, in shares of its range."""


class LabelModel:
    """Which answer settings give, by votes of readings with the same or near settings.

    Every choice among the settings is a model of its own, weighed by how well it foretold each
    reading from those before it. Votes are the counts of a Dirichlet posterior, weighted by
    nearness (Goetschalckx, Poupart & Hoey 2011, Continuous correlated beta processes, IJCAI 22).
    A reading votes only as far as it is right.

    Parameters
    ----------
    x : (n, n_columns) coordinates in the unit cube.
    votes : (n, n_answers) probabilities of each reading's answer.
    p_wrong : (n,) probabilities that a reading is wrong altogether.
    """

    def __init__(self, axes: Sequence[Axis], x: Array, votes: Array, *, p_wrong: Array) -> None:
        self._axes, self._x = axes, x
        self._votes = votes * (1 - p_wrong)[:, None]
        even = 1 / votes.shape[1]
        self._said = self._votes + p_wrong[:, None] * even
        self._choices = choices(len(axes))
        scored = np.array([self._evidence(c) for c in self._choices])
        weight = np.exp(scored - scored.max())
        self.weight = weight / weight.sum()

    def forecast(self, x: Array) -> Array:
        """Return the probabilities of the answers at coordinates, (n, n_answers)."""
        total = np.zeros((len(x), self._votes.shape[1]))
        for chosen, weight in zip(self._choices, self.weight, strict=True):
            if weight > 1e-4:
                total += weight * self._share(x, self._x, self._votes, chosen)
        return np.asarray(total / total.sum(axis=1, keepdims=True))

    def relevance(self) -> dict[str, float]:
        """Return for each axis the probability that the answer depends on it."""
        found = {axis.name: 0.0 for axis in self._axes}
        for chosen, weight in zip(self._choices, self.weight, strict=True):
            for i in chosen:
                found[self._axes[i].name] += float(weight)
        return found

    def _share(self, x: Array, known: Array, votes: Array, chosen: tuple[int, ...]) -> Array:
        near = np.ones((len(x), len(known)))
        for i in chosen:
            axis = self._axes[i]
            if axis.is_label:
                near *= same(axis, x, known)
            else:
                near *= np.exp(-0.5 * apart(axis, x, known) / REACH**2)
        total = near @ votes / ALIKE + 1 / votes.shape[1]
        return np.asarray(total / total.sum(axis=1, keepdims=True))

    def _evidence(self, chosen: tuple[int, ...]) -> float:
        """Return how well each reading was foretold by those before it, and the prior."""
        total = len(chosen) * np.log(PER_SETTING)
        for n in range(1, len(self._x)):
            share = self._share(self._x[n : n + 1], self._x[:n], self._votes[:n], chosen)[0]
            total += float(np.log(max(share @ self._said[n], 1e-12)))
        return float(total)
