"""Statements of several agents on one quantity or question, ready to be pooled."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from analysis.insight import Estimate
from analysis.learning.voting.causes import Shares
from analysis.learning.voting.verdict import MOST

logger = logging.getLogger(__name__)

SHARES = Shares(by_cause=0.3, by_all=0.3, unseen=0.05)
"""What agents have in common in being wrong. Of what they state: those of the same measurement (a
spoilt measurement), and all (a phase that nobody looks for). Beside that, one measurement in twenty
is of another sample or otherwise not what it seems. Of a grid, what makes 240 simulated samples
most probable, of which an eighth of all measurements is swapped or spoilt and every seventh holds a
phase that nobody looks for (``benchmarks/disagreement.py --learn``)."""

SHARED_ERROR = 0.7
"""Share of the variance that agents of the same measurement have in common: they read the same
counts. Learnt likewise."""

STRETCH = ((1.0, 0.7), (2.0, 0.2), (4.0, 0.1))
"""Factor by which agents' standard deviations are too small, and how probable that is: systematic
errors that they cannot see. A wider one makes those samples no more probable."""

LEAST_WRONG = 1e-3
"""Probability of being wrong that an agent has at least, where others speak too."""

UNTOLD = 0.05
"""Probability of being wrong of an agent that cannot tell, where others speak too."""

FRACTION = 1.0
"""Width of what is a fraction of something."""

MANY_STDS, MANY_SPREADS = 100.0, 3.0
"""Width of a quantity without known bounds, in stds of the sharpest statement or in how far the
statements lie apart, whichever is more."""


class Speaks(Protocol):
    """What is needed of an insight, with or without its arrays."""

    @property
    def agent(self) -> str:
        """Name of the agent."""
        ...

    @property
    def measurement_ids(self) -> tuple[str, ...]:
        """What it looked at."""
        ...

    @property
    def estimates(self) -> Mapping[str, Estimate]:
        """Quantity → number ± std."""
        ...

    @property
    def class_probabilities(self) -> Mapping[str, Mapping[str, float]]:
        """Question → {answer: probability}."""
        ...

    @property
    def p_wrong(self) -> float | None:
        """Probability that the statement is wrong; None if the agent cannot tell."""
        ...


@dataclass(frozen=True, slots=True)
class Ballot:
    """Who speaks of one quantity or question, and how they hang together.

    Attributes
    ----------
    insights : those that speak of it, at most as many as can be weighed.
    p_wrong : of each, between `LEAST_WRONG` and 1.
    causes : number of the measurements that each rests on; see `causes_of`.
    """

    insights: tuple[Speaks, ...]
    p_wrong: tuple[float, ...]
    causes: tuple[int, ...]


def ballot(insights: Sequence[Speaks]) -> Ballot:
    """Return the statements to be weighed; of too many, those least likely to be wrong."""
    chosen = list(insights)
    if len(chosen) > MOST:
        chosen.sort(key=said_wrong)
        logger.warning("%s agents speak; the %s surest are heard", len(chosen), MOST)
    chosen = chosen[:MOST]
    doubts = tuple(max(said_wrong(i), LEAST_WRONG) for i in chosen)
    return Ballot(tuple(chosen), doubts, causes_of(chosen))


def causes_of(insights: Sequence[Speaks]) -> tuple[int, ...]:
    """Return a number for each insight, equal where they rest on a common measurement.

    So do those that are linked by a third that rests on a measurement of each.
    """
    found = list(range(len(insights)))
    for i, one in enumerate(insights):
        for j in range(i):
            if found[i] != found[j] and set(one.measurement_ids) & set(insights[j].measurement_ids):
                found = [found[j] if c == found[i] else c for c in found]
    return tuple(found)


def comparable(quantity: str, insights: Sequence[Speaks]) -> list[Speaks]:
    """Return the insights that estimate a quantity in the unit of the surest of them."""
    speaking = [i for i in insights if quantity in i.estimates]
    if not speaking:
        return []
    unit = min(speaking, key=said_wrong).estimates[quantity].unit
    fitting = [i for i in speaking if i.estimates[quantity].unit == unit]
    for other in (i for i in speaking if i.estimates[quantity].unit != unit):
        logger.warning(
            "agent=%s tells quantity=%s in %s, not in %s; not heard",
            other.agent,
            quantity,
            other.estimates[quantity].unit,
            unit,
        )
    return fitting


def width_of(quantity: str, estimates: Sequence[Estimate], known: float | None = None) -> float:
    """Return the range over which a quantity may lie, in its unit.

    Parameters
    ----------
    known : what the campaign knows of it, such as how far earlier samples lay apart.
    """
    values = [e.value for e in estimates]
    apart = max(values) - min(values)
    if known is not None and known > 0:
        return max(known, apart)
    if _is_fraction(quantity):
        return max(FRACTION, apart)
    stds = [e.std for e in estimates if e.std]
    size = max((abs(v) for v in values), default=0.0) or 1.0
    least = MANY_STDS * min(stds) if stds else size
    return max(least, MANY_SPREADS * apart)


def _is_fraction(quantity: str) -> bool:
    return any(part.endswith("fraction") for part in quantity.split("."))


def said_wrong(insight: Speaks) -> float:
    """Return the probability of being wrong that an insight states, or `UNTOLD`."""
    return UNTOLD if insight.p_wrong is None else insight.p_wrong
