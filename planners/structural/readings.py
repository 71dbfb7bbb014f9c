"""Readings of structures as arrays: what models of structure learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planners.columns import Array
from planners.encoding import Encoding
from planners.proposal import Observation
from planners.structural.known import KnownFunction

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
    measured : (n, n_functions) what was measured of the known functions, NaN where nothing was.
    """

    x: Array
    logs: Array
    noise: Array
    p_wrong: Array
    votes: Array
    measured: Array

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
    measured = [[o.outcomes.get(f.quantity, np.nan) for f in functions] for o in read]
    return Readings(
        x=encoding.encode_observations(read) if read else np.zeros((0, len(encoding.columns))),
        logs=np.log(value),
        noise=np.array(std).reshape(shape) / value,
        p_wrong=np.array(doubts),
        votes=_normalised(np.array(votes).reshape(len(read), len(known.answers))),
        measured=np.array(measured).reshape(len(read), len(functions)),
    )


def _is_read(observation: Observation, known: KnownFunction) -> bool:
    said = observation.structure
    if observation.failed or known.question not in said.answers:
        return False
    if any(said.answers[known.question].probabilities.get(a, 0.0) > 0 for a in known.answers):
        return all(n in said.numbers and said.numbers[n].value > 0 for n in known.numbers)
    return False


def _normalised(votes: Array) -> Array:
    return votes / votes.sum(axis=1, keepdims=True) if len(votes) else votes
