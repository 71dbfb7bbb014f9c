"""What stands: every sample once, with what was read of it last."""

from __future__ import annotations

from collections.abc import Iterable

from planners.proposal import Observation

NOTHING_NEW = "again"
"""Cause of a failed observation of a sample that was measured before: what was known stands."""


def current(ended: Iterable[tuple[int, Observation]]) -> list[tuple[int, Observation]]:
    """Return what is known of each sample, under the number of the experiment that made it.

    An observation that supersedes another stands in its place, with the cost of the sample and
    with what was foretold of it: so both still say what a new sample of these values would cost,
    and how good the planner's word was. Failed attempts to learn more are left out.

    Parameters
    ----------
    ended : number and observation of each experiment, a superseded one before what replaced it.
    """
    standing: dict[int, Observation] = {}
    made_by: dict[int, int] = {}
    for number, observation in ended:
        if observation.cause == NOTHING_NEW:
            continue
        earlier = observation.supersedes
        made = number if earlier is None else made_by.get(earlier, earlier)
        made_by[number] = made
        first = standing.get(made)
        standing[made] = observation if first is None else _in_place(observation, first)
    return list(standing.items())


def latest(ended: Iterable[tuple[int, Observation]], made: int) -> int:
    """Return the number of the experiment whose observation holds what is known of a sample.

    Parameters
    ----------
    made : number of the experiment that made the sample.
    """
    holder = made
    for number, observation in ended:
        if observation.supersedes == holder:
            holder = number
    return holder


def _in_place(observation: Observation, first: Observation) -> Observation:
    return observation.model_copy(update={"cost": first.cost, "predicted": first.predicted})
