"""What a new experiment costs by the experience of its campaign, in money and in hours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.acting.current import NOTHING_NEW
from orchestrator.failing.clearing import MORE
from orchestrator.run import Run
from orchestrator.standing import hours_used
from planners.proposal import Observation

LEAST_HOURS = 1e-6
"""What takes no time at all counts as taking this much, since costs are divided by."""


@dataclass(frozen=True, slots=True)
class Price:
    """What something costs: in the laboratory's currency, and as instruments' time [s]."""

    money: float
    seconds: float

    def cost(self, *, in_money: bool) -> float:
        """Return the price as one number: money, or hours."""
        return self.money if in_money else max(self.seconds / 3600, LEAST_HOURS)


def made_so_far(ended: Iterable[tuple[int, Observation]]) -> dict[int, float]:
    """Return the experiments that made a sample of their own, with what each cost."""
    return {n: o.cost for n, o in ended if o.supersedes is None and o.cause != NOTHING_NEW}


def new_price(run: Run, made: Mapping[int, float]) -> Price:
    """Return the mean price of samples with their measurements.

    Parameters
    ----------
    made : number of each experiment that made one → its cost; at least one.
    """
    actions = [a for a in run.history.actions(run.id) if a.number in made and MORE not in a.step]
    return Price(
        money=math.fsum(made.values()) / len(made),
        seconds=3600 * hours_used(actions) / len(made),
    )
