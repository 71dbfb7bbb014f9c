"""Readings of structures as arrays: what models of structure learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from planners.columns import Array
from planners.encoding import Encoding
from planners.proposal import Observation
from planners.structural.known import KnownFunction

LEAST_DOUBT = 0.05
"""Probability of being wrong below which no reading is believed to be."""

WIDE = 10.0
"""How much rarer than the most frequent value a measured one may be where the reading is wrong."""

ENOUGH = 4
"""Readings from which it is known by how much measured values differ from foretold ones."""

UNKNOWN_STD = 0.1
"""Relative std of a reading that states none."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What was read of the experiments that could be read.

    Attributes
    ----------
    x : (n, n_columns) coordinates of the settings.
    logs, noise : (n, n_numbers) natural logarithms of the numbers and their standard deviations.
    p_wrong : (n,) probability that a reading is wrong altogether.
    votes : (n, n_answers) probabilities of the answers.
    """

    x: Array
    logs: Array
    noise: Array
    p_wrong: Array
    votes: Array

    def __len__(self) -> int:
        return len(self.x)


def readings_of(
    encoding: Encoding, observations: Sequence[Observation], functions: Sequence[KnownFunction]
) -> Readings:
    """Return the readings of those observations in which everything needed was read.

    Parameters
    ----------
    functions : at least one; all depend on the same question and numbers.
    """
    known = functions[0]
    read = [o for o in observations if _is_read(o, known)]
    numbers = [[o.structure.numbers[name] for name in known.numbers] for o in read]
    shape = (len(read), len(known.numbers))
    value = np.array([[n.value for n in row] for row in numbers]).reshape(shape)
    std = [[UNKNOWN_STD * n.value if n.std is None else n.std for n in row] for row in numbers]
    answers = [o.structure.answers[known.question] for o in read]
    doubts = [
        max(a.p_wrong, *(n.p_wrong for n in row)) for a, row in zip(answers, numbers, strict=True)
    ]
    votes = [[a.probabilities.get(name, 0.0) for name in known.answers] for a in answers]
    found = Readings(
        x=encoding.encode_observations(read) if read else np.zeros((0, len(encoding.columns))),
        logs=np.log(value),
        noise=np.array(std).reshape(shape) / value,
        p_wrong=np.array(doubts),
        votes=_normalised(np.array(votes).reshape(len(read), len(known.answers))),
    )
    measured = [[o.outcomes.get(f.quantity, np.nan) for f in functions] for o in read]
    return confronted(found, functions, np.array(measured)) if read else found


def _is_read(observation: Observation, known: KnownFunction) -> bool:
    said = observation.structure
    if observation.failed or known.question not in said.answers:
        return False
    if any(said.answers[known.question].probabilities.get(a, 0.0) > 0 for a in known.answers):
        return all(n in said.numbers and said.numbers[n].value > 0 for n in known.numbers)
    return False


def _normalised(votes: Array) -> Array:
    return votes / votes.sum(axis=1, keepdims=True) if len(votes) else votes


def worth_of(functions: Sequence[KnownFunction], readings: Readings) -> dict[str, Array]:
    """Return what each structure read is foretold to show, quantity → (n_readings,)."""
    answers = functions[0].answers
    likeliest = [answers[i] for i in readings.votes.argmax(axis=1)]
    values = np.exp(readings.logs)
    return {
        f.quantity: np.array([float(f(a, v)) for a, v in zip(likeliest, values, strict=True)])
        for f in functions
    }


def confronted(readings: Readings, functions: Sequence[KnownFunction], measured: Array) -> Readings:
    """Return the readings, doubted where what was measured contradicts what was read.

    A structure that was read foretells what was wanted of it, which was measured as well. Bayes'
    rule weighs a reading that is right (the two agree within the softness and the spread of what
    they usually differ by) with one that is wrong (anything may be measured that other experiments
    gave).

    Parameters
    ----------
    measured : (n_readings, n_functions) values measured, NaN where there are none.
    """
    doubt = np.clip(readings.p_wrong, LEAST_DOUBT, 1 - 1e-9)
    log_odds = np.log(doubt) - np.log1p(-doubt)
    foretold = worth_of(functions, readings)
    for f, values in zip(functions, measured.T, strict=True):
        known = np.isfinite(values)
        off = (values - foretold[f.quantity])[known]
        if len(off) >= ENOUGH:
            usual, spread = _usual(off, f.softness)
            right = -0.5 * ((off - usual) / spread) ** 2
            log_odds[known] += _log_chance(values[known], spread) - right
    return replace(readings, p_wrong=np.asarray(expit(log_odds)))


def _usual(off: Array, softness: float) -> tuple[float, float]:
    """Return by how much measured values usually differ from foretold ones, and the spread."""
    usual = float(np.median(off))
    return usual, softness + 1.48 * float(np.median(np.abs(off - usual)))


def _log_chance(values: Array, spread: float) -> Array:
    """Return the logarithm of how often values come, in units of a normal density's height."""
    near = np.exp(-0.5 * ((values[:, None] - values) / spread) ** 2)
    return np.asarray(np.log(np.maximum(near.mean(axis=1), 1 / WIDE)))
