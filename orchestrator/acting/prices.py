"""What a new experiment costs by the experience of its campaign, in money and in hours."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from orchestrator.acting.current import NOTHING_NEW
from orchestrator.costs import money_used
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


def made_so_far(ended: Iterable[tuple[int, Observation]]) -> frozenset[int]:
    """Return the experiments that made a sample of their own."""
    return frozenset(n for n, o in ended if o.supersedes is None and o.cause != NOTHING_NEW)


def new_price(run: Run, made: Collection[int]) -> Price:
    """Return the mean price of samples with their planned measurements; further ones are options.

    Parameters
    ----------
    made : the experiments that made one; at least one.
    """
    actions = [a for a in run.history.actions(run.id) if a.number in made and MORE not in a.step]
    return Price(
        money=money_used(run.laboratory, actions) / len(made),
        seconds=3600 * hours_used(actions) / len(made),
    )
