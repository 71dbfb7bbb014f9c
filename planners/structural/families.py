"""Readings that belong together, reduced to a few scores: coordinates in which samples are alike.

No technique is known here. Numbers whose names differ in the last part alone, such as
``xrd.fingerprint.07`` or ``xrd.weight_fraction.rutile``, are one family; so is every question with
its answers' probabilities, and any other number by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planners.columns import Array
from planners.proposal import Observation

MOST_SCORES = 4
"""Scores to which a family is reduced at most."""

LEAST_SHARE = 0.02
"""Share of a family's variance below which a further score is left out."""

MOST_FAMILIES = 4
"""Families that are weighed, those that vary most beyond their errors."""

ENOUGH = 4
"""Readings from which a family is looked at."""

UNKNOWN_SHARE = 0.1
"""Std of a number that states none, as a share of its spread."""

SURE = 1 - 1e-3
"""Highest probability to be wrong with which a reading still has a weight in the scores."""


@dataclass(frozen=True, slots=True)
class Family:
    """The scores of one family.

    Scores are centred and in units of the largest one's standard deviation.

    Attributes
    ----------
    read : (n_observations,) whether the family was read of an observation; n of them.
    scores, stds : (n, n_scores) with the standard deviations that their numbers state.
    p_wrong : (n,) probability that a reading is wrong altogether, as stated.
    beyond : how many times the family's spread exceeds its errors.
    """

    name: str
    read: npt.NDArray[np.bool_]
    scores: Array
    stds: Array
    p_wrong: Array
    beyond: float


def families_of(observations: Sequence[Observation], *, among: Sequence[str] = ()) -> list[Family]:
    """Return the families that vary, those that vary most beyond their errors first.

    Parameters
    ----------
    observations : those that gave outcomes.
    among : names of the families that are looked at; all if empty.
    """
    tables = [*_number_tables(observations), *_answer_tables(observations)]
    asked = [t for t in tables if not among or t.name in among]
    found = [f for t in asked if (f := _reduced(t)) is not None]
    return sorted(found, key=lambda f: -f.beyond)[:MOST_FAMILIES]


@dataclass(frozen=True, slots=True)
class _Table:
    """Numbers of one family, (n, n_numbers) each, of the observations that hold them all."""

    name: str
    read: npt.NDArray[np.bool_]
    values: Array
    stds: Array
    p_wrong: Array


def _number_tables(observations: Sequence[Observation]) -> list[_Table]:
    """Return the tables of numbers that more than half of the observations hold."""
    counts: dict[str, int] = {}
    for o in observations:
        for name in o.structure.numbers:
            counts[name] = counts.get(name, 0) + 1
    members: dict[str, list[str]] = {}
    for name in sorted(n for n, count in counts.items() if 2 * count > len(observations)):
        members.setdefault(_family_name(name), []).append(name)
    found = []
    for family, names in members.items():
        read = np.array([all(n in o.structure.numbers for n in names) for o in observations])
        rows = [[o.structure.numbers[n] for n in names] for o in _held(observations, read)]
        values = np.array([[r.value for r in row] for row in rows]).reshape(-1, len(names))
        usual = UNKNOWN_SHARE * values.std(axis=0) if len(values) else np.zeros(len(names))
        stds = [
            [u if r.std is None else r.std for r, u in zip(row, usual, strict=True)] for row in rows
        ]
        doubts = np.array([max(r.p_wrong for r in row) for row in rows])
        found.append(_Table(family, read, values, np.array(stds).reshape(values.shape), doubts))
    return found


def _answer_tables(observations: Sequence[Observation]) -> list[_Table]:
    """Return the square roots of answers' probabilities, whose distances are Hellinger's."""
    found = []
    for question in sorted({q for o in observations for q in o.structure.answers}):
        read = np.array([question in o.structure.answers for o in observations])
        said = [o.structure.answers[question] for o in _held(observations, read)]
        names = sorted({a for s in said for a in s.probabilities})
        values = np.sqrt([[s.probabilities.get(a, 0.0) for a in names] for s in said])
        doubts = np.array([s.p_wrong for s in said])
        found.append(_Table(question, read, values, np.zeros(values.shape), doubts))
    return found


def _reduced(table: _Table) -> Family | None:
    """Return the principal scores of a family, None if it was read too rarely or does not vary.

    Readings weigh as far as they are said to be right; the errors of numbers are independent.
    """
    if len(table.values) < ENOUGH:
        return None
    weight = 1 - np.minimum(table.p_wrong, SURE)
    centred = table.values - np.average(table.values, axis=0, weights=weight)
    root = np.sqrt(weight / weight.sum())
    _, length, directions = np.linalg.svd(root[:, None] * centred, full_matrices=False)
    if length[0] <= 1e-9 * (1 + np.abs(table.values).max()):
        return None
    share = length**2 / (length**2).sum()
    kept = directions[: max(1, int((share[:MOST_SCORES] >= LEAST_SHARE).sum()))]
    stds = np.sqrt(table.stds**2 @ (kept**2).T) / length[0]
    error = float(np.sqrt((stds[:, 0] ** 2).mean()))
    return Family(
        table.name,
        table.read,
        centred @ kept.T / length[0],
        stds,
        table.p_wrong,
        beyond=1 / max(error, 1e-6),
    )


def _family_name(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[:-1]) if len(parts) > 2 else name


def _held(observations: Sequence[Observation], read: npt.NDArray[np.bool_]) -> list[Observation]:
    return [o for o, r in zip(observations, read, strict=True) if r]
