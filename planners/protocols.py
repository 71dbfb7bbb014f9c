"""What a planner must do: one method, no memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from planners.objective import Objective
from planners.proposal import Observation, Proposal
from planners.space import Point, SearchSpace


@runtime_checkable
class Planner(Protocol):
    """Chooses the next experiments from everything known so far.

    A planner is stateless: the same arguments give the same proposals, so a resumed campaign
    repeats itself.
    """

    name: str

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
        """Return `n` feasible points to try next, best first.

        Parameters
        ----------
        observations : finished experiments, oldest first, failed ones included.
        pending : points under way, not to be proposed again without cause.
        rng : the only source of randomness.

        Raises
        ------
        NothingLeftToPropose
            Fewer than `n` untried points remain of a finite space.
        UnsupportedSpace
            This planner cannot serve the space or the objective.
        """
        ...


@runtime_checkable
class Foretelling(Planner, Protocol):
    """A planner whose model tells an `Outlook` with each proposal, which stop rules follow."""

    def foretells(self, objective: Objective) -> frozenset[str]:
        """Return the fields of `Outlook` that its model fills in for an objective."""
        ...


@runtime_checkable
class PhaseMapping(Planner, Protocol):
    """A planner that may be given an objective with a `phase_map`.

    Attributes
    ----------
    serves_phase_maps : always true; others would leave the wish aside without a word.
    """

    serves_phase_maps: bool


class PlannerFactory(Protocol):
    """What an entry point of the group ``sdlab.planners`` names."""

    def __call__(self, settings: Mapping[str, object]) -> Planner:
        """Return the planner.

        Raises
        ------
        pydantic.ValidationError, PlanningError
            The settings are wrong.
        """
        ...
