"""Coverage: how often truths fell into what an agent had said, and how probable that was.

The share inside an interval is a binomial draw, and its credible interval is that of a beta
distribution with Jeffreys' prior (Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, binom, norm

from orchestrator.trust.calibrating import Case

LEVELS = (0.68, 0.90)

GROSS = 5.0
"""Deviation in stated standard deviations from which a statement was wrong altogether."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How one agent's statements on one quantity fared.

    Attributes
    ----------
    n : statements whose truth is known.
    within : share of truths inside the 68 % and the 90 % interval.
    low, high : 90 % credible interval of the share inside the 90 % interval.
    mean_square : of the deviations in stated standard deviations; 1 if they are right.
    brier : mean squared difference of `p_wrong` from what happened, 0 … 1.
    """

    agent: str
    quantity: str
    n: int
    within: tuple[float, float]
    low: float
    high: float
    mean_square: float
    brier: float


def coverage(agent: str, found: Sequence[Case]) -> list[Coverage]:
    """Return the coverage of each quantity of which truths are known."""
    return [
        _of_quantity(agent, quantity, [case for case in found if case.quantity == quantity])
        for quantity in dict.fromkeys(case.quantity for case in found)
    ]


def _of_quantity(agent: str, quantity: str, found: Sequence[Case]) -> Coverage:
    z = np.abs([case.z for case in found])
    inside = [z <= norm.ppf(0.5 + level / 2) for level in LEVELS]
    n, k = len(found), int(inside[1].sum())
    low, high = beta.ppf((0.05, 0.95), k + 0.5, n - k + 0.5)
    doubts = np.array([case.p_wrong for case in found])
    return Coverage(
        agent=agent,
        quantity=quantity,
        n=n,
        within=(float(inside[0].mean()), float(inside[1].mean())),
        low=float(low),
        high=float(high),
        mean_square=float(np.mean(z**2)),
        brier=float(np.mean((doubts - (z > GROSS)) ** 2)),
    )


def probability_of_promise(found: Sequence[Case]) -> float:
    """Return the probability that so many truths, or more, are missed if the agent's word is true.

    A sample counts once, with the deviation of its worst quantity corrected for their number
    (Šidák 1967, doi:10.1080/01621459.1967.10482935), so that quantities that err together are not
    counted over and over. A statement may also miss by being wrong, as often as it says.
    """
    by_sample: dict[int, list[Case]] = {}
    for case in found:
        by_sample.setdefault(case.sample, []).append(case)
    groups = list(by_sample.values())
    missed = sum(_sidak([abs(case.z) for case in group]) < 1 - LEVELS[1] for group in groups)
    if not missed:
        return 1.0
    doubts = np.array([max(case.p_wrong for case in group) for group in groups])
    expected = float(np.mean(doubts + (1 - doubts) * (1 - LEVELS[1])))
    return float(binom.sf(missed - 1, len(groups), expected))


def _sidak(deviations: Sequence[float]) -> float:
    """Return the probability that the largest of so many deviations is as large."""
    return float(1 - (1 - 2 * norm.sf(max(deviations))) ** len(deviations))
