"""What was read of structure, as a map takes it: labels, amounts of phases, or scores alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planners.columns import Array
from planners.proposal import Observation
from planners.structural.families import Family, families_of
from planners.structure import Reading

LEAST_DOUBT = 0.03
"""Probability of being wrong that every reading has: no agent says less and is believed."""

WHOLE = 0.02
"""Deviation from 1 of a sum of amounts that are still shares of a whole."""

UNSTATED = 0.02
"""Std of an amount that states none, as a share of the whole."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Probabilities of named answers to one question.

    Attributes
    ----------
    read : (n_observations,) whether the question was answered of an observation; n of them.
    probabilities : (n, n_names), rows sum to 1.
    p_wrong : (n,) probability that an answer is wrong altogether.
    """

    name: str
    read: npt.NDArray[np.bool_]
    names: tuple[str, ...]
    probabilities: Array
    p_wrong: Array


@dataclass(frozen=True, slots=True)
class Amounts:
    """Shares of named phases in each sample.

    Attributes
    ----------
    read : (n_observations,) whether they were read of an observation; n of them.
    shares, stds : (n, n_names), rows of shares sum to about 1.
    p_wrong : (n,) probability that a reading is wrong altogether.
    """

    name: str
    read: npt.NDArray[np.bool_]
    names: tuple[str, ...]
    shares: Array
    stds: Array
    p_wrong: Array


Readings = Labels | Amounts | Family


def readings_for(observations: Sequence[Observation], of: str) -> Readings | None:
    """Return what a map is made of, None if too little was read.

    Parameters
    ----------
    observations : those that gave outcomes.
    of : a question, or the name that numbers share but for their last part; if empty, amounts come
        first, then the family that varies most beyond its errors.
    """
    labels = _labels(observations, of) if of else None
    if labels is not None:
        return labels
    for name in [of] if of else sorted(_number_families(observations)):
        amounts = _amounts(observations, name)
        if amounts is not None:
            return amounts
    named = [f for f in families_of(observations) if of in ("", f.name)]
    return named[0] if named else None


def doubted(p_wrong: Array) -> Array:
    """Return stated probabilities of being wrong, none below the least or certain."""
    return np.clip(p_wrong, LEAST_DOUBT, 1 - 1e-3)


def _labels(observations: Sequence[Observation], question: str) -> Labels | None:
    read = np.array([question in o.structure.answers for o in observations], dtype=np.bool_)
    if not read.any():
        return None
    said = [o.structure.answers[question] for o in observations if question in o.structure.answers]
    names = sorted({a for s in said for a in s.probabilities})
    table = np.array([[s.probabilities.get(a, 0.0) for a in names] for s in said])
    return Labels(question, read, tuple(names), table, np.array([s.p_wrong for s in said]))


def _number_families(observations: Sequence[Observation]) -> set[str]:
    return {n.rpartition(".")[0] for o in observations for n in o.structure.numbers if "." in n}


def _numbers(observation: Observation) -> dict[str, Reading]:
    """Return every number that was read, those among the wanted quantities included."""
    wanted = {
        name: Reading(value=value, std=observation.stds.get(name), p_wrong=observation.p_wrong)
        for name, value in observation.outcomes.items()
    }
    return {**observation.structure.numbers, **wanted}


def _amounts(observations: Sequence[Observation], family: str) -> Amounts | None:
    """Return the numbers of a family as amounts, None unless they are shares of a whole.

    A phase that is not named in a sample has no share of it.
    """
    tables = [
        {n: r for n, r in _numbers(o).items() if n.rpartition(".")[0] == family}
        for o in observations
    ]
    read = np.array([bool(t) for t in tables], dtype=np.bool_)
    held = [t for t in tables if t]
    names = sorted({n for t in held for n in t})
    if len(names) < 2:
        return None
    shares = np.array([[t[n].value if n in t else 0.0 for n in names] for t in held])
    if shares.min() < 0 or np.abs(shares.sum(axis=1) - 1).max() > WHOLE:
        return None
    stds = np.array([[_std_of(t[n].std) if n in t else 0.0 for n in names] for t in held])
    wrong = np.array([max(r.p_wrong for r in t.values()) for t in held])
    return Amounts(family, read, tuple(n.rpartition(".")[2] for n in names), shares, stds, wrong)


def _std_of(std: float | None) -> float:
    return UNSTATED if std is None else std
