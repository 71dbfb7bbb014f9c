"""How properties of a structure follow settings, learnt from readings alone.

Nobody says which setting moves which property: every subset of the settings is a model of its own,
weighed by how well it foretold the readings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product

import numpy as np
import numpy.typing as npt

from planners import ContinuousParameter, SearchSpace
from planners.space import Point

Array = npt.NDArray[np.float64]

PER_SETTING = 0.4
"""Prior odds that one more setting matters."""

LENGTHS = (0.1, 0.3, 1.0)
"""Ranges of the smooth part, in shares of a setting's range."""

BENDS = (0.003, 0.1, 1.0)
"""Variance of the smooth part beside the straight line's."""

NUGGET = 1e-7
FREEDOM = 2.0
ALIKE = 0.02
"""How often a type strays from what its settings gave before."""


def coordinates(space: SearchSpace, points: Sequence[Point]) -> Array:
    """Return points in the unit cube, labels as their numbers, (n, n_settings)."""
    columns = []
    for p in space.parameters:
        values = [point[p.name] for point in points]
        if isinstance(p, ContinuousParameter):
            columns.append((np.array(values, dtype=float) - p.low) / (p.high - p.low))
        else:
            labels = list(p.categories)
            columns.append(np.array([labels.index(str(v)) for v in values], dtype=float))
    return np.stack(columns, axis=1)


def subsets(n: int) -> list[tuple[int, ...]]:
    """Return every choice among n settings."""
    return list(chain.from_iterable(combinations(range(n), k) for k in range(n + 1)))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Several models' means and standard deviations of one property, and the models' weights.

    Attributes
    ----------
    mean, std : (n_models, n_points).
    weight : (n_models,), summing to 1.
    """

    mean: Array
    std: Array
    weight: Array


class Property:
    """A number that follows some of the settings: lines, bends and steps between labels.

    Gaussian processes with a free amplitude (inverse gamma; Student's t), one a subset of settings
    and a range; Rasmussen & Williams (2006), Gaussian Processes for Machine Learning.

    Parameters
    ----------
    x : (n, n_settings) of `coordinates`.
    y : (n,) readings.
    noise : (n,) their standard deviations.
    is_label : (n_settings,) whether a setting is a label.
    spread : what the property varies by before anything is known.
    """

    def __init__(
        self, x: Array, y: Array, noise: Array, *, is_label: Sequence[bool], spread: float
    ) -> None:
        self._x, self._labels, self._spread = x, tuple(is_label), spread
        self._centre = float(y.mean())
        self._y, self._noise = (y - self._centre) / spread, noise / spread
        models = [
            (chosen, length, bend)
            for chosen in subsets(x.shape[1])
            for length, bend in (product(LENGTHS, BENDS) if chosen else [(1.0, 1.0)])
        ]
        scored = [self._evidence(*model) for model in models]
        weight = np.exp(np.array(scored) - max(scored))
        order = np.argsort(-weight)[:8]
        self.models = [models[i] for i in order]
        self.weight = weight[order] / weight[order].sum()

    def forecast(self, x: Array) -> Forecast:
        """Return what each of the likeliest models says at new settings (n, n_settings)."""
        found = [self._predict(x, *model) for model in self.models]
        mean = self._centre + self._spread * np.stack([f[0] for f in found])
        return Forecast(mean, self._spread * np.stack([f[1] for f in found]), self.weight)

    def _kernel(
        self, a: Array, b: Array, chosen: tuple[int, ...], length: float, bend: float
    ) -> Array:
        total = np.full((len(a), len(b)), 4.0)
        for i in chosen:
            one, other = a[:, i : i + 1], b[None, :, i]
            if self._labels[i]:
                total += one == other
            else:
                total += 4 * (one - 0.5) * (other - 0.5)
                total += bend * np.exp(-0.5 * ((one - other) / length) ** 2)
        return total

    def _own(self, chosen: tuple[int, ...], length: float, bend: float) -> Array:
        kernel = self._kernel(self._x, self._x, chosen, length, bend)
        return np.asarray(kernel + np.diag(self._noise**2 + NUGGET))

    def _evidence(self, chosen: tuple[int, ...], length: float, bend: float) -> float:
        own = self._own(chosen, length, bend)
        n = len(self._y)
        _, log_volume = np.linalg.slogdet(own)
        square = float(self._y @ np.linalg.solve(own, self._y))
        models = len(LENGTHS) * len(BENDS) if chosen else 1
        prior = len(chosen) * np.log(PER_SETTING) - np.log(models)
        return float(prior - log_volume / 2 - (n + FREEDOM) / 2 * np.log1p(square / FREEDOM))

    def _predict(
        self, x: Array, chosen: tuple[int, ...], length: float, bend: float
    ) -> tuple[Array, Array]:
        own = self._own(chosen, length, bend)
        across = self._kernel(x, self._x, chosen, length, bend)
        solved = np.linalg.solve(own, across.T)
        mean = solved.T @ self._y
        prior = np.full(len(x), 4.0)
        for i in chosen:
            prior += 1.0 if self._labels[i] else 4 * (x[:, i] - 0.5) ** 2 + bend
        square = float(self._y @ np.linalg.solve(own, self._y))
        amplitude = (FREEDOM + square) / (FREEDOM + len(self._y))
        variance = np.maximum(prior - np.einsum("ij,ji->i", across, solved), NUGGET)
        return mean, np.sqrt(amplitude * variance)


class Types:
    """Which type settings give: votes of earlier readings with the same or near settings.

    Parameters
    ----------
    x : (n, n_settings) of `coordinates`.
    types : probabilities of each reading's type.
    names : every type there is.
    """

    def __init__(
        self,
        x: Array,
        types: Sequence[Mapping[str, float]],
        *,
        names: Sequence[str],
        is_label: Sequence[bool],
    ) -> None:
        self.names = tuple(names)
        self._x, self._labels = x, tuple(is_label)
        self._votes = np.array([[t.get(n, 0.0) for n in self.names] for t in types])
        self._subsets = subsets(x.shape[1])
        scored = np.array([self._evidence(chosen) for chosen in self._subsets])
        weight = np.exp(scored - scored.max())
        self.weight = weight / weight.sum()

    def forecast(self, x: Array) -> Array:
        """Return the probabilities of the types at new settings, (n, n_types)."""
        parts = [self._share(x, self._x, self._votes, c) for c in self._subsets]
        return np.asarray(np.tensordot(self.weight, np.stack(parts), axes=1))

    def _share(self, x: Array, known: Array, votes: Array, chosen: tuple[int, ...]) -> Array:
        near = np.ones((len(x), len(known)))
        for i in chosen:
            off = x[:, i : i + 1] - known[None, :, i]
            near *= (off == 0) if self._labels[i] else np.exp(-0.5 * (off / 0.2) ** 2)
        strength = near / ALIKE
        total = strength @ votes + 1 / len(self.names)
        return np.asarray(total / total.sum(axis=1, keepdims=True))

    def _evidence(self, chosen: tuple[int, ...]) -> float:
        """Return how well each reading was foretold by those before it, and the prior."""
        total = len(chosen) * np.log(PER_SETTING)
        for n in range(1, len(self._x)):
            share = self._share(self._x[n : n + 1], self._x[:n], self._votes[:n], chosen)[0]
            total += float(np.log(max(share @ self._votes[n], 1e-12)))
        return float(total)
