"""Which of two samples is better: answers as they stand among outcomes, and as records."""

from __future__ import annotations

from collections.abc import Sequence

from planners.errors import PlanningError
from planners.proposal import Observation
from planners.settable import Record, Value

PREFERRED_TO = "preferred_to:"
"""Outcome that tells a comparison: ``preferred_to:3`` is 1 if the sample is better than that of
observation 3 (the first is 0), 0 if it is worse, 0.5 if nobody can tell. The plain quantity of the
objective tells the same about the sample that led before."""


class Comparison(Record):
    """Of two points somebody preferred the first."""

    better: dict[str, Value]
    worse: dict[str, Value]


def comparisons_of(
    observations: Sequence[Observation],
    stated: Sequence[tuple[int, int]] = (),
    *,
    quantity: str | None = None,
) -> list[Comparison]:
    """Return every answer: those among the outcomes, then those stated as pairs of indices.

    Parameters
    ----------
    stated : index of the better observation, then of the worse one.
    quantity : outcome that tells whether a sample is better than the one that led before; see
        `duels`.

    Raises
    ------
    PlanningError
        An answer names an observation that does not exist, or a sample compared with itself.
    """
    pairs = [pair for i, o in enumerate(observations) for pair in answers_of(i, o)]
    pairs += duels(observations, quantity)[0] if quantity is not None else []
    for better, worse in [*pairs, *stated]:
        if not (min(better, worse) >= 0 and max(better, worse) < len(observations)):
            raise PlanningError(
                f"observation {better} is preferred to observation {worse}, but there are "
                f"{len(observations)}, counted from 0; correct the comparison"
            )
        if better == worse:
            raise PlanningError(f"observation {better} is compared with itself; name the other one")
    return [
        Comparison(better=observations[b].values, worse=observations[w].values)
        for b, w in [*pairs, *stated]
    ]


def duels(
    observations: Sequence[Observation], quantity: str
) -> tuple[list[tuple[int, int]], int | None]:
    """Return the answers of a campaign in which each sample meets the one that led before it.

    The first sample leads. A later one with a value above 0.5 is better than the leader and takes
    its place, one below is worse, 0.5 tells nothing. So a single outcome of a fixed name, which any
    instrument or person can report, tells every comparison.

    Returns
    -------
    Pairs of indices, the better one first, and the index of the leader, None before any sample.
    """
    pairs: list[tuple[int, int]] = []
    leader: int | None = None
    for i, observation in enumerate(observations):
        value = observation.outcomes.get(quantity)
        if observation.failed or value is None:
            continue
        if leader is None:
            leader = i
        elif value > 0.5:
            pairs.append((i, leader))
            leader = i
        elif value < 0.5:
            pairs.append((leader, i))
    return pairs, leader


def answers_of(index: int, observation: Observation) -> list[tuple[int, int]]:
    """Return the answers among one observation's outcomes as pairs, the better index first.

    Raises
    ------
    PlanningError
        An outcome that begins with `PREFERRED_TO` ends with no index.
    """
    found: list[tuple[int, int]] = []
    for key, value in observation.outcomes.items():
        if not key.startswith(PREFERRED_TO) or value == 0.5:
            continue
        other = key.removeprefix(PREFERRED_TO)
        if not other.isdigit():
            raise PlanningError(
                f"the outcome {key!r} should end with the index of another observation, such as "
                f"{PREFERRED_TO}0; correct it"
            )
        found.append((index, int(other)) if value > 0.5 else (int(other), index))
    return found
