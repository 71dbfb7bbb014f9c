"""Is it still worth going on? What the planner's model told with each proposal, counted.

Only what the history keeps is counted, in the order of the experiments' numbers. So a campaign that
is resumed, or has several samples in flight, is judged as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from orchestrator.stopping.rules import (
    ImprovementBelow,
    NotWorthItsCost,
    RegretBelow,
    StopRule,
)
from planners.proposal import Outlook, Proposal

Price = Callable[[int, Proposal], float | None]
"""Number and proposal of an experiment → what it is expected to cost, None if nobody can say."""

Verdict = tuple[bool, str]
"""Whether a rule speaks for stopping, and what the model told, for a person."""

Judge = Callable[[int, Proposal, Outlook], Verdict | None]


@dataclass(slots=True)
class _Streak:
    """One rule and how often in a row it spoke for stopping."""

    times: int
    claim: str
    judge: Judge
    count: int = 0

    def add(self, number: int, proposal: Proposal) -> str | None:
        """Take in a proposal, and return why the campaign is over if the count is complete."""
        outlook = proposal.reason.outlook
        verdict = None if outlook is None else self.judge(number, proposal, outlook)
        if verdict is None or not verdict[0]:
            self.count = 0
            return None
        self.count += 1
        if self.count < self.times:
            return None
        latest = f"experiment {number}: {verdict[1]}"
        if self.times == 1:
            return f"{self.claim}: {latest}"
        return f"{self.claim}, in {self.times} proposals one after the other: {latest}"


@dataclass(slots=True)
class Expectations:
    """What the model's word amounts to, one proposal added after the other.

    Attributes
    ----------
    needed : experiments that the planner must have been told of for its word to count.
    price : tells what a proposed experiment is expected to cost.
    currency : of prices.
    why_over : why the campaign is over by the first rule that was met; None while it goes on.
    """

    stop: StopRule
    needed: int
    price: Price
    currency: str
    why_over: str | None = None
    _streaks: list[_Streak] = field(init=False)

    def __post_init__(self) -> None:
        self._streaks = list(self._rules())

    def add(self, number: int, proposal: Proposal, *, told: int) -> None:
        """Take in the next proposal; one without a recipe of its own is passed over.

        So is what makes a lost sample anew, and what measures an earlier sample again.

        Parameters
        ----------
        told : ended experiments that the planner knew of.
        """
        chooses_no_recipe = proposal.reason.repeats is not None or proposal.measure_again
        if chooses_no_recipe or told < self.needed:
            return
        for streak in self._streaks:
            reason = streak.add(number, proposal)
            self.why_over = self.why_over or reason

    def _rules(self) -> Iterator[_Streak]:
        if (low := self.stop.improvement_below) is not None:
            claim = f"an improvement was less probable than {low.probability:.3g}"
            yield _Streak(low.times, claim, improbable(low))
        if (regret := self.stop.regret_below) is not None:
            claim = f"less than {regret.amount:.3g} of utility is expected to be left to gain"
            yield _Streak(regret.times, claim, settled(regret))
        if (worth := self.stop.not_worth_its_cost) is not None:
            claim = "the next experiment was not worth its cost"
            yield _Streak(worth.times, claim, unprofitable(worth, self.price, self.currency))


def improbable(rule: ImprovementBelow) -> Judge:
    """Return whether an improvement is improbable, as the model's word for one proposal."""

    def judge(_: int, __: Proposal, outlook: Outlook) -> Verdict | None:
        p = outlook.probability_of_improvement
        return None if p is None else (p < rule.probability, f"probability {p:.2g}")

    return judge


def settled(rule: RegretBelow) -> Judge:
    """Return whether little is left to gain, as the model's word with one proposal."""

    def judge(_: int, __: Proposal, outlook: Outlook) -> Verdict | None:
        left = outlook.expected_regret
        return None if left is None else (left < rule.amount, f"expected regret {left:.2g}")

    return judge


def unprofitable(rule: NotWorthItsCost, price: Price, currency: str) -> Judge:
    """Return whether an experiment costs more than its expected improvement is worth."""

    def judge(number: int, proposal: Proposal, outlook: Outlook) -> Verdict | None:
        gain = outlook.expected_improvement
        cost = None if gain is None else price(number, proposal)
        if gain is None or cost is None:
            return None
        worth = gain * rule.price
        told = f"expected gain {gain:.2g} worth {worth:.2f} {currency}, cost {cost:.2f} {currency}"
        return worth < cost, told

    return judge
