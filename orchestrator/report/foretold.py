"""Did the planner know how little it knew? Predictions counted against what was then observed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, betaincinv

from orchestrator.report import words
from orchestrator.store.records import Experiment
from planners.proposal import Outlook

LEVEL = 0.9
"""Probability that an honest interval holds the observed value."""

CONFIDENCE = 0.95
"""Of the interval that is told for the share of outcomes inside."""

FEWEST = 8
"""Predictions below which no verdict is given."""

NORMAL_QUANTILE = 1.6448536269514722
"""Half width of the central 90 % of a normal distribution, in standard deviations."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """A quantity as it was predicted before an experiment, and as it was observed.

    Attributes
    ----------
    mean, std : of the noise-free value.
    observed_std : standard deviation of the observed value; where the observation states none, the
        noise that the model had learnt; None if neither is known.
    """

    number: int
    mean: float
    std: float
    observed: float
    observed_std: float | None

    @property
    def spread(self) -> float:
        """Standard deviation of the observed value about the predicted one."""
        return math.hypot(self.std, self.observed_std or 0.0)

    @property
    def holds(self) -> bool:
        """Whether the 90 % interval, widened by the noise of the observation, has the value."""
        return abs(self.observed - self.mean) <= NORMAL_QUANTILE * self.spread

    @property
    def residual(self) -> float | None:
        """Observed minus predicted, in standard deviations; None where the spread is zero."""
        return (self.observed - self.mean) / self.spread if self.spread > 0 else None


def foretold(experiments: Iterable[Experiment], quantity: str) -> list[Foretold]:
    """Return every prediction of a quantity that was followed by an observation of it."""
    found = []
    for e in experiments:
        reason, seen = e.proposal.reason, e.observation
        predicted = reason.predicted.get(quantity)
        if predicted is None or seen is None or quantity not in seen.outcomes:
            continue
        found.append(
            Foretold(
                number=e.number,
                mean=predicted.mean,
                std=predicted.std,
                observed=seen.outcomes[quantity],
                observed_std=seen.stds.get(quantity, reason.model.get(f"{quantity}.noise_std")),
            )
        )
    return found


def share_inside(n: int, held: int) -> tuple[float, float]:
    """Return the exact 95 % confidence interval of the true share, from `held` of `n`.

    Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404: quantiles of beta distributions.
    """
    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(held, n - held + 1, tail)) if held else 0.0
    high = float(betaincinv(held + 1, n - held, 1 - tail)) if held < n else 1.0
    return low, high


def inside(found: Sequence[Foretold]) -> str:
    """Return how many outcomes lay inside their 90 % interval, as a sentence."""
    n, held = len(found), sum(f.holds for f in found)
    low, high = (words.percent(share) for share in share_inside(n, held))
    noun, their = ("outcome", "its") if n == 1 else ("outcomes", "their")
    return (
        f"{held} of {n} {noun} lay inside {their} 90 % interval ({words.percent(held / n)}; 95 % "
        f"confidence interval {low} to {high})."
    )


def coverage(found: Sequence[Foretold]) -> str:
    """Return how often the 90 % intervals held the observed value, and what luck alone allows."""
    n, held = len(found), sum(f.holds for f in found)
    low, high = _by_luck(n)
    verdict = "The planner knew how little it knew."
    if n < FEWEST:
        verdict = "These are too few to judge by."
    elif held < low:
        verdict = "The planner was too sure."
    elif held > high:
        verdict = "The planner was too careful."
    return (
        f"{inside(found)} Honest intervals hold {low} to {high} of {n} in nine campaigns "
        f"out of ten. {verdict}"
    )


def _by_luck(n: int) -> tuple[int, int]:
    """Return the central 90 % of the binomial law of how many of `n` honest intervals hold."""
    at_most = bdtr(np.arange(n + 1, dtype=np.float64), n, LEVEL)
    low, high = np.searchsorted(at_most, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return int(low), int(high)


def latest_outlook(experiments: Iterable[Experiment]) -> Outlook | None:
    """Return the model's word with the latest proposal that has one."""
    said = [e.proposal.reason.outlook for e in experiments]
    return next((o for o in reversed(said) if o is not None), None)


def own_count(outlook: Outlook | None) -> str:
    """Return what the planner itself counted of its predictions, and what it made of it."""
    if outlook is None:
        return ""
    parts = []
    if outlook.coverage is not None:
        parts.append(
            "By its own count before its latest proposal, the planner's 90 % intervals held "
            f"{words.percent(outlook.coverage)} of {words.counted(outlook.covered_of, 'outcome')}."
        )
    if outlook.widened != 1.0:
        verb = "widened" if outlook.widened > 1 else "narrowed"
        parts.append(
            f"It {verb} its predicted standard deviations by a factor of "
            f"{words.number(outlook.widened, 3)}."
        )
    return " ".join(parts)


def expected(outlook: Outlook) -> str:
    """Return what the model expected of a proposed experiment, for a person; may be empty."""
    parts = []
    if outlook.probability_of_improvement is not None:
        chance = words.percent(outlook.probability_of_improvement)
        parts.append(f"improvement with probability {chance}")
    if outlook.expected_improvement is not None:
        parts.append(f"expected improvement {words.number(outlook.expected_improvement, 2)}")
    if outlook.expected_regret is not None:
        parts.append(f"expected regret {words.number(outlook.expected_regret, 2)}")
    return ", ".join(parts)
