"""What a planner must do that weighs actions: one method, no memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from planners.actions.records import Option
from planners.objective import Objective
from planners.proposal import Observation, Proposal
from planners.protocols import Planner
from planners.space import Point, SearchSpace


@runtime_checkable
class ActionAware(Planner, Protocol):
    """A planner that weighs a new experiment against measurements of samples that are there."""

    def choose_action(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),
        options: Sequence[Option],
        new_cost: float,
        replicates: bool = True,
        rng: np.random.Generator,
    ) -> Proposal:
        """Return what to do next: a new experiment, a replicate, or one of the options.

        The same call serves both loops: while a sample lies in the instrument, `options` are
        further measurements of it and the last observation is what is known of it so far.

        Parameters
        ----------
        observations : what is known of each sample, oldest first; what was superseded is left out.
        options : measurements that could be taken of samples that are there.
        new_cost : what a new experiment is expected to cost, in the currency of the options.
        replicates : whether a recipe may be made once more.

        Returns
        -------
        A proposal whose `measure_again` is that of the chosen option; None there means that a new
        sample is made, of the same values as an earlier one if a replicate is worth most.
        """
        ...
