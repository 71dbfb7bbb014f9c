"""What every borrowed planner needs, so that a foreign optimiser keeps our contract.

The foreign part answers one question, "which points next?"; the frame counts what was tried,
fills in at random before there are data, repairs what came back, and words the reason.
"""

from __future__ import annotations

import importlib.util
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from planners.baselines import tried_points
from planners.encoding import Encoding
from planners.errors import NothingLeftToPropose, PlanningError
from planners.finite import PointTable, key_of, table_of, untried
from planners.objective import Objective
from planners.parameters import Value
from planners.proposal import Observation, Proposal, Reason
from planners.sampling import draw_uniform
from planners.space import Point, SearchSpace


class BorrowedSettings(BaseModel):
    """Settings of a borrowed planner.

    Attributes
    ----------
    n_initial : experiments drawn uniformly at random before the borrowed model is asked; None
        takes the number that the borrowed package itself starts with.
    seed : a campaign gives one to every planner; a borrowed one draws from `rng` and ignores it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_initial: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True)
class Question:
    """What a borrowed planner is asked.

    Attributes
    ----------
    observations : those that succeeded and know every wanted quantity; at least one.
    pending : points under way.
    table : every feasible point of a finite space, None in an infinite one.
    free : which rows of the table were not tried, shape (n_points,).
    n : how many points are wanted.
    seed : of every random number drawn for the answer.
    """

    space: SearchSpace
    objective: Objective
    observations: tuple[Observation, ...]
    pending: tuple[Point, ...]
    table: PointTable | None
    free: npt.NDArray[np.bool_] | None
    n: int
    seed: int


class BorrowedPlanner(ABC):
    """A planner whose choice is made by another package.

    Failed experiments, which no borrowed model takes, only keep their point from coming again.
    """

    name: str
    package: str
    extra: str
    own_initial: int

    def __init__(self, settings: BorrowedSettings) -> None:
        self.settings = settings

    def propose(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),
        n: int = 1,
        rng: np.random.Generator,
    ) -> list[Proposal]:
        """Return `n` points to try next, best first. See `Planner.propose`.

        Raises
        ------
        PlanningError
            The borrowed package is not installed.
        UnsupportedSpace
            It does not serve the space or the objective.
        NothingLeftToPropose
            Fewer than `n` untried points remain of a finite space.
        """
        require(self.package, planner=self.name, extra=self.extra)
        self.require_served(space, objective)
        tried = tried_points(observations, pending)
        known = tuple(o for o in observations if not o.failed and objective.is_complete(o.outcomes))
        initial = self.settings.n_initial or self.own_initial
        if not known or len(known) + len(pending) < initial:
            why = f"experiment {len(known) + len(pending) + 1} of the initial {initial}"
            return self._at_random(space, tried, n, why, rng)
        question = _question(space, objective, known, pending, tried, n=n, rng=rng)
        with warnings.catch_warnings():
            # their own deprecations and numerical worries are nothing a campaign can act on
            warnings.simplefilter("ignore")
            chosen = self.choose(question)
        if question.table is None:
            chosen = _new_and_feasible(space, chosen, tried)[:n]
        reason = Reason(planner=self.name, text=self.in_words(question))
        proposals = [Proposal(values=point, reason=reason) for point in chosen]
        if len(proposals) < n:
            taken = [*tried, *chosen]
            why = f"{self.package} repeated points that were tried"
            proposals += self._at_random(space, taken, n - len(proposals), why, rng)
        return proposals

    @abstractmethod
    def require_served(self, space: SearchSpace, objective: Objective) -> None:
        """Raise UnsupportedSpace if the package cannot search the space or seek the objective."""

    @abstractmethod
    def choose(self, question: Question) -> list[dict[str, Value]]:
        """Return points, best first; of an infinite space they may still need repair."""

    @abstractmethod
    def in_words(self, question: Question) -> str:
        """Return one sentence on how the points were chosen."""

    def _at_random(
        self,
        space: SearchSpace,
        tried: Sequence[Point],
        n: int,
        why: str,
        rng: np.random.Generator,
    ) -> list[Proposal]:
        reason = Reason(planner=self.name, text=f"Drawn uniformly at random ({why}).")
        points = draw_uniform(space, n, rng=rng, avoid=tried)
        return [Proposal(values=point, reason=reason) for point in points]


def require(package: str, *, planner: str, extra: str) -> None:
    """Raise PlanningError if `package` is not installed."""
    if importlib.util.find_spec(package) is None:
        raise PlanningError(
            f"the planner {planner!r} needs the package {package!r}, which is not installed here; "
            f'install it with  pip install "sdlab[{extra}]"  or choose another planner'
        )


def _question(
    space: SearchSpace,
    objective: Objective,
    known: tuple[Observation, ...],
    pending: Sequence[Point],
    tried: Sequence[Point],
    *,
    n: int,
    rng: np.random.Generator,
) -> Question:
    table = table_of(space)
    free = None if table is None else untried(space, table, tried)
    if free is not None and int(free.sum()) < n:
        raise NothingLeftToPropose(
            f"{n} new points were asked for, but {int(free.sum())} of the {len(free)} feasible "
            "points are left untried. Ask for fewer, widen the space, or end the campaign"
        )
    return Question(
        space=space,
        objective=objective,
        observations=known,
        pending=tuple(pending),
        table=table,
        free=free,
        n=n,
        seed=int(rng.integers(2**31)),
    )


def _new_and_feasible(
    space: SearchSpace, points: Sequence[dict[str, Value]], tried: Sequence[Point]
) -> list[dict[str, Value]]:
    """Return points repaired to what can be made, without those that were tried."""
    seen = {key_of(space, p) for p in tried}
    encoding = Encoding(space)
    fresh: list[dict[str, Value]] = []
    for raw in points:
        point = encoding.repair(raw)
        key = key_of(space, point)
        if key not in seen:
            seen.add(key)
            fresh.append(point)
    return fresh
