"""One planner replays one recorded pool: it picks rows, the record answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from planners.errors import PlanningError, UnsupportedSpace
from planners.objective import Objective
from planners.proposal import Observation, Prediction, Proposal
from planners.protocols import Planner
from planners.space import CandidateList, SearchSpace


@dataclass(frozen=True, slots=True)
class Replay:
    """What a planner chose.

    Attributes
    ----------
    rows : candidates in the order of their evaluation, the starts first.
    cpu_seconds : process CPU time of each suggestion, one a row after the starts.
    deviations : (outcome - foretold mean) in foretold standard deviations, noise included, one for
        each quantity of each row that a model chose, in order.
    """

    rows: tuple[int, ...]
    cpu_seconds: tuple[float, ...]
    deviations: tuple[float, ...] = ()


def starts(n_candidates: int, n_starts: int, *, rng: np.random.Generator) -> list[int]:
    """Return the random rows that every planner is given first."""
    return [int(i) for i in rng.choice(n_candidates, n_starts, replace=False)]


def replay(
    planner: Planner,
    space: SearchSpace,
    objective: Objective,
    *,
    answer: Callable[[int], Observation],
    given: Sequence[int],
    budget: int,
    rng_at: Callable[[int], np.random.Generator],
    late: int = 0,
    batch: int = 1,
    told: Callable[[], None] = lambda: None,
) -> Replay:
    """Let a planner choose rows until the budget is spent or every candidate was tried.

    The first question is put twice and only the second answer is timed and kept: imports, and what
    depends on the space alone, are paid once in a campaign and are no part of a suggestion.

    Parameters
    ----------
    answer : row → what an experiment there tells.
    given : rows evaluated before the planner is first asked.
    budget : rows in all, `given` included.
    rng_at : number of rows so far → the generator that the planner draws from.
    late : the results of so many latest proposals are still out; they are pending.
    batch : how many rows are asked for at once.
    told : called after each suggestion.

    Raises
    ------
    PlanningError
        The planner proposed what is no candidate, or one that was already tried.
    UnsupportedSpace
        The space is no list of candidates, or the planner does not serve it.
    """
    listed = _candidates(space)
    points = list(listed.points())
    rows, seconds = list(given), list[float]()
    foretold: dict[int, dict[str, Prediction]] = {}

    def known(row: int) -> Observation:
        return answer(row).model_copy(update={"predicted": foretold.get(row, {})})

    budget = min(budget, len(points))
    while len(rows) < budget:
        n_known = max(len(rows) - late, len(given))
        observations = [known(row) for row in rows[:n_known]]
        pending = [points[row] for row in rows[n_known:]]
        n = min(batch, budget - len(rows))
        ask = partial(
            planner.propose, space, objective, observations=observations, pending=pending, n=n
        )
        if not seconds:
            ask(rng=rng_at(len(rows)))
        begun = time.process_time()
        proposals = ask(rng=rng_at(len(rows)))
        spent = time.process_time() - begun
        for proposal in proposals:
            rows.append(_row(listed, proposal, rows, planner.name))
            foretold[rows[-1]] = proposal.reason.predicted
            seconds.append(spent / n)
            told()
    deviations = [z for row in rows for z in _deviations(known(row))]
    return Replay(rows=tuple(rows), cpu_seconds=tuple(seconds), deviations=tuple(deviations))


def _deviations(observation: Observation) -> list[float]:
    found: list[float] = []
    for quantity, told in observation.predicted.items():
        noise = observation.stds.get(quantity, told.noise)
        total = float(np.hypot(told.std, noise))
        if quantity in observation.outcomes and total > 0:
            found.append((observation.outcomes[quantity] - told.mean) / total)
    return found


def _candidates(space: SearchSpace) -> CandidateList:
    if space.candidates is None or space.is_hybrid:
        raise UnsupportedSpace(
            "a replay needs a space whose every setting comes from a list of candidates, since "
            "only what was measured can answer; give all columns as `candidates`"
        )
    return space.candidates


def _row(listed: CandidateList, proposal: Proposal, rows: Sequence[int], planner: str) -> int:
    row = listed.index(proposal.values)
    if row is None or row in rows:
        what = "which is no candidate" if row is None else "which was tried before"
        raise PlanningError(
            f"the planner {planner!r} proposed {proposal.values}, {what}; a planner must choose an "
            "untried candidate. Check it with planners.conformance.check_planner"
        )
    return row
