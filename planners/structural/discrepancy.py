"""What was measured beside what the structure that was read should show.

The two differ where the reading is wrong, and where the known function is not the whole truth:
noise, a library that ends too early, a structure that it does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, ndtri
from scipy.stats import qmc

from planners.columns import Array
from planners.structural.axes import Axis
from planners.structural.known import KnownFunction
from planners.structural.numbers import NumberModel
from planners.structural.readings import Readings

LEAST_DOUBT = 0.05
"""Probability of being wrong below which no reading is believed to be."""

WIDE = 10.0
"""How much rarer than the most frequent value a measured one may be where the reading is wrong."""

ENOUGH = 4
"""Readings from which it is known by how much measured values differ from foretold ones."""

DRAWS = 32
"""Structures drawn from each reading."""

SPREAD = 0.3
"""Spread of what measured values differ by from known ones, in units of softness."""

LEAST_ERROR = 0.1
"""Error of a known function at a structure that was read, in units of softness."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What structures that were read should show, (n_readings, n_functions) each."""

    mean: Array
    std: Array


def shown_by(functions: Sequence[KnownFunction], readings: Readings) -> Shown:
    """Return what each structure read should show, by its likeliest answer and its spreads."""
    answers = functions[0].answers
    draws = ndtri(qmc.Sobol(readings.logs.shape[1], scramble=True, rng=0).random(DRAWS))
    mean, std = np.zeros(readings.measured.shape), np.zeros(readings.measured.shape)
    for i, vote in enumerate(readings.votes.argmax(axis=1)):
        values = np.exp(readings.logs[i] + readings.noise[i] * draws)
        for j, f in enumerate(functions):
            found = f(answers[vote], values)
            mean[i, j], std[i, j] = found.mean(), found.std()
    return Shown(mean, std)


def confronted(readings: Readings, functions: Sequence[KnownFunction], shown: Shown) -> Readings:
    """Return the readings, doubted where what was measured contradicts what was read.

    Bayes' rule weighs a reading that is right (the two agree within the softness, the reading's
    own spread and what they usually differ by) with one that is wrong (anything may be measured
    that other experiments gave).
    """
    doubt = np.clip(readings.p_wrong, LEAST_DOUBT, 1 - 1e-9)
    log_odds = np.log(doubt) - np.log1p(-doubt)
    for j, f in enumerate(functions):
        known = np.isfinite(readings.measured[:, j])
        values = readings.measured[known, j]
        off = values - shown.mean[known, j]
        if len(off) >= ENOUGH:
            usual, spread = _usual(off, f.softness)
            right = -0.5 * (off - usual) ** 2 / (spread**2 + shown.std[known, j] ** 2)
            log_odds[known] += _log_chance(values, spread) - right
    return replace(readings, p_wrong=np.asarray(expit(log_odds)))


def discrepancies(
    axes: Sequence[Axis],
    readings: Readings,
    functions: Sequence[KnownFunction],
    shown: Shown,
    *,
    right: Array,
) -> list[NumberModel | None]:
    """Return for each known function how measured values differ from it over the settings.

    None where nothing was measured of it. After Kennedy & O'Hagan 2001, Bayesian calibration of
    computer models, doi:10.1111/1467-9868.00294.

    Parameters
    ----------
    right : (n_readings,) probability that a reading is right; what is wrong says little.
    """
    found: list[NumberModel | None] = []
    for j, f in enumerate(functions):
        known = np.isfinite(readings.measured[:, j])
        if not known.any():
            found.append(None)
            continue
        off = readings.measured[known, j] - shown.mean[known, j]
        error = np.hypot(shown.std[known, j], LEAST_ERROR * f.softness)
        model = NumberModel(
            axes,
            readings.x[known],
            off,
            error,
            p_wrong=1 - right[known],
            spread=SPREAD * f.softness,
        )
        found.append(model)
    return found


def _usual(off: Array, softness: float) -> tuple[float, float]:
    """Return by how much measured values usually differ from foretold ones, and the spread."""
    usual = float(np.median(off))
    return usual, softness + 1.48 * float(np.median(np.abs(off - usual)))


def _log_chance(values: Array, spread: float) -> Array:
    """Return the logarithm of how often values come, in units of a normal density's height."""
    near = np.exp(-0.5 * ((values[:, None] - values) / spread) ** 2)
    return np.asarray(np.log(np.maximum(near.mean(axis=1), 1 / WIDE)))
