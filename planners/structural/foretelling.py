"""Structures that settings are foretold to give, and what is wanted of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from planners.columns import Array
from planners.encoding import Encoding
from planners.structural.axes import Axis, axes_of
from planners.structural.discrepancy import confronted, discrepancies, shown_by
from planners.structural.known import KnownFunction
from planners.structural.labels import LabelModel
from planners.structural.numbers import NumberModel
from planners.structural.readings import Readings

SAMPLES = 64
LIKELY = 0.003
"""Probability below which an answer is left out."""

WITHIN = 1.5
"""How far beyond its range a number may be foretold, as a factor."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """What some points are foretold to give.

    Attributes
    ----------
    shares : (n_answers, n_points) probabilities of the answers.
    quantities : quantity → (n_answers, n_samples, n_points); answers below `LIKELY` everywhere
        hold zeros.
    """

    shares: Array
    quantities: dict[str, Array]

    def moments(self, quantity: str) -> tuple[Array, Array]:
        """Return mean and standard deviation of one quantity, (n_points,) each."""
        drawn = self.quantities[quantity]
        mean = self.expected(drawn)
        return mean, np.sqrt(np.maximum(self.expected(drawn**2) - mean**2, 0.0))

    def expected(self, drawn: Array) -> Array:
        """Return the expected value of what depends on answer and draw, (n_points,).

        Parameters
        ----------
        drawn : (n_answers, n_samples, n_points).
        """
        shares = self.shares / self.shares.sum(axis=0)
        return np.asarray((shares[:, None] * drawn).sum(axis=0).mean(axis=0))


class StructureModel:
    """How the structure that known functions need follows the settings.

    Parameters
    ----------
    functions : at least one; all depend on the same question and numbers.
    rng : for the quasi-random draws, the same for all points that are compared.

    Attributes
    ----------
    readings : with the doubts that measured values raise.
    numbers, labels : the models of each number, and of the answer.
    right : (n_readings,) probability of each reading to be right, knowing the others.
    """

    def __init__(
        self,
        encoding: Encoding,
        readings: Readings,
        functions: Sequence[KnownFunction],
        *,
        rng: np.random.Generator,
    ) -> None:
        self.functions = tuple(functions)
        known = functions[0]
        axes = axes_of(encoding)
        shown = shown_by(functions, readings)
        self.readings = confronted(readings, functions, shown)
        self.numbers = {
            name: _number_model(axes, self.readings, j, known.ranges[j])
            for j, name in enumerate(known.numbers)
        }
        self.right = np.min([m.right for m in self.numbers.values()], axis=0)
        self.labels = LabelModel(axes, readings.x, readings.votes, p_wrong=1 - self.right)
        self.shown = shown
        self._off = discrepancies(axes, readings, functions, shown, right=self.right)
        self._ranges = np.log(np.array(known.ranges)) + np.log(WITHIN) * np.array([-1.0, 1.0])
        sampler = qmc.Sobol(2 * (len(known.numbers) + len(functions)), rng=rng)
        self._draws = np.clip(sampler.random(SAMPLES), 1e-6, 1 - 1e-6)

    def foretell(self, x: Array) -> Foretold:
        """Return the foretold structures and quantities at coordinates (n, n_columns)."""
        drawn = np.stack([self._drawn(m, i, x) for i, m in enumerate(self.numbers.values())], -1)
        values = np.exp(np.clip(drawn, self._ranges[:, 0], self._ranges[:, 1]))
        shares = self.labels.forecast(x).T
        shares[shares.max(axis=1) < LIKELY] = 0.0
        quantities = {}
        for j, (f, off) in enumerate(zip(self.functions, self._off, strict=True)):
            quantities[f.quantity] = _drawn(f, shares, values)
            if off is not None:
                quantities[f.quantity] += self._drawn(off, len(self.numbers) + j, x)
        return Foretold(shares, quantities)

    def _drawn(self, model: NumberModel, i: int, x: Array) -> Array:
        """Return draws of what a model foretells, (n_samples, n_points)."""
        which, normal = self._draws[:, 2 * i], ndtri(self._draws[:, 2 * i + 1])
        return model.forecast(x).drawn(which, normal)

    def structure_at(self, x: Array) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
        """Return the foretold numbers as (value, std) and the answers at one point (1, d)."""
        numbers = {}
        for name, model in self.numbers.items():
            mean, std = (float(v[0]) for v in model.forecast(x).moments())
            numbers[name] = (float(np.exp(mean)), float(np.exp(mean) * std))
        shares = self.labels.forecast(x)[0]
        return numbers, dict(zip(self.functions[0].answers, shares.tolist(), strict=True))


def believed(model: StructureModel, readings: Readings, x: Array) -> Readings:
    """Return the readings with what a point under way (1, n_columns) is foretold to give."""
    moments = [m.forecast(x).moments() for m in model.numbers.values()]
    foretold = model.foretell(x)
    measured = [foretold.moments(f.quantity)[0] for f in model.functions]
    return Readings(
        x=np.concatenate([readings.x, x]),
        logs=np.concatenate([readings.logs, np.stack([m[0] for m in moments], axis=1)]),
        noise=np.concatenate([readings.noise, np.stack([m[1] for m in moments], axis=1)]),
        p_wrong=np.append(readings.p_wrong, 0.0),
        votes=np.concatenate([readings.votes, model.labels.forecast(x)]),
        measured=np.concatenate([readings.measured, np.stack(measured, axis=1)]),
    )


def _drawn(function: KnownFunction, shares: Array, values: Array) -> Array:
    """Return the quantity of every answer that may come, (n_answers, n_samples, n_points)."""
    found = np.zeros((len(shares), *values.shape[:2]))
    for i, answer in enumerate(function.answers):
        if shares[i].any():
            found[i] = function(answer, values)
    return found


def _number_model(
    axes: Sequence[Axis], readings: Readings, j: int, limits: tuple[float, float]
) -> NumberModel:
    return NumberModel(
        axes,
        readings.x,
        readings.logs[:, j],
        readings.noise[:, j],
        p_wrong=readings.p_wrong,
        spread=float(np.log(limits[1] / limits[0]) / np.sqrt(12)),
    )
