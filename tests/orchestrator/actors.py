"""A planner for tests that measures samples again by a rule that the test states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from planners.actions.records import Option
from planners.baselines import make_random
from planners.proposal import Observation, Proposal, Reason

Rule = Callable[[Sequence[Observation], Sequence[Option]], Option | None]
"""Takes what is known and what is offered; returns the option to take, None for a new sample."""


@dataclass
class Repeater:
    """Draws at random, unless its rule takes an option.

    Attributes
    ----------
    seen : what it was asked, call by call: observations, options, cost of a new experiment.
    replicates : whether it might repeat a recipe, likewise.
    """

    rule: Rule
    name: str = "repeater"
    seen: list[tuple[list[Observation], list[Option], float]] = field(default_factory=list)
    replicates: list[bool] = field(default_factory=list)

    def propose(self, space: Any, objective: Any, **known: Any) -> list[Proposal]:
        return make_random({}).propose(space, objective, **known)

    def choose_action(
        self,
        space: Any,
        objective: Any,
        *,
        observations: Sequence[Observation],
        pending: Sequence[Any] = (),
        options: Sequence[Option],
        new_cost: float,
        replicates: bool = True,
        rng: np.random.Generator,
    ) -> Proposal:
        self.seen.append((list(observations), list(options), new_cost))
        self.replicates.append(replicates)
        option = self.rule(observations, options)
        if option is None:
            known = {"observations": observations, "pending": pending}
            return self.propose(space, objective, rng=rng, **known)[0]
        return Proposal(
            values=observations[option.row].values,
            reason=Reason(planner=self.name, text=f"experiment {option.again.experiment} again"),
            measure_again=option.again,
        )


def first_after(turns: dict[int, int]) -> Rule:
    """Return a rule: so many samples known → the row of the sample that is measured again."""

    def rule(observations: Sequence[Observation], options: Sequence[Option]) -> Option | None:
        row = turns.get(len(observations))
        done = any(o.supersedes is not None for o in observations)
        return None if done else next((o for o in options if o.row == row), None)

    return rule
