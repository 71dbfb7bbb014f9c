"""A fresh sample of the same recipe, after a sample was lost to its measurement or its analysis.

Every experiment has one sample, so the fresh one is an experiment of its own; the failed one stays
in the history as what it was.
"""

from __future__ import annotations

from itertools import takewhile

from orchestrator.run import Run
from planners.proposal import Observation, Proposal, Reason

LOOK_BACK = 128
"""Experiments that may have begun since one failed; more than can be under way at once."""


def to_repeat(run: Run, number: int, ended: dict[int, Observation]) -> Proposal | None:
    """Return the proposal that makes a lost sample anew, None if there is none to make.

    Parameters
    ----------
    ended : finished experiments by number, in rising order.
    """
    recent = takewhile(lambda earlier: earlier >= number - LOOK_BACK, reversed(ended))
    for lost in sorted(n for n in recent if n < number and ended[n].repeat):
        if all(_repeats(run, later) != lost for later in range(lost + 1, number)):
            known = run.history.experiment(run.id, lost)
            assert known is not None
            return made_again(lost, known.proposal, ended[lost])
    return None


def made_again(number: int, proposal: Proposal, observation: Observation) -> Proposal:
    """Return the proposal that repeats an experiment."""
    text = f"A fresh sample of experiment {number}, because {observation.failure}."
    reason = Reason(planner="repeat", text=text, repeats=number)
    return Proposal(values=proposal.values, reason=reason)


def times_repeated(run: Run, number: int) -> int:
    """Return how many experiments before this one were to give the sample that it is about."""
    count = 0
    while (earlier := _repeats(run, number)) is not None:
        count, number = count + 1, earlier
    return count


def _repeats(run: Run, number: int) -> int | None:
    known = run.history.experiment(run.id, number)
    return None if known is None else known.proposal.reason.repeats
