"""Two statements of one agent on one thing: they must agree within what they say.

A sample that was measured again was read from all its measurements, so what changed has the
variance s₁² - s₂² if both stds are right (an efficient estimate against a less efficient one,
Hausman 1978, doi:10.2307/1913827). Samples of one recipe differ by s₁² + s₂² and twice the variance
between batches. Errors that both share cannot be seen, so pairs may only widen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from analysis.insight import Estimate
from orchestrator.trust.calibrating import BROAD, Case
from orchestrator.trust.statements import Statement

SURER = 0.9
"""Ratio of the later to the earlier std from which the later reading tests the earlier."""


def pairs(
    agent: str, statements: Sequence[Statement], *, batch_spread: Mapping[str, float] | None = None
) -> list[Case]:
    """Return an agent's pairs of statements as cases, the later in the place of the truth.

    Parameters
    ----------
    statements : in the order of their turns.
    batch_spread : quantity → standard deviation between samples of one recipe; without it samples
        of one recipe say nothing.
    """
    said = [s for s in statements if s.agent == agent]
    found: list[Case] = []
    for one, other in _neighbours(said, again=True):
        for quantity, first, second in _both(one, other):
            left = (first.std or 0.0) ** 2 - (second.std or 0.0) ** 2
            if left > (1 - SURER**2) * (first.std or 0.0) ** 2:
                found.append(_case(one, quantity, first, second, math.sqrt(left), 0.0))
    for one, other in _neighbours(said, again=False):
        for quantity, first, second in _both(one, other):
            spread = (batch_spread or {}).get(quantity)
            if spread is not None:
                std = math.hypot(first.std or 0.0, second.std or 0.0)
                found.append(_case(one, quantity, first, second, std, math.sqrt(2) * spread))
    return found


def _neighbours(said: Sequence[Statement], *, again: bool) -> Iterator[tuple[Statement, Statement]]:
    """Yield successive statements on one sample, or on successive samples of one recipe."""
    groups: dict[object, list[Statement]] = {}
    for s in said:
        recipe = tuple(sorted(s.values.items()))
        if again or (s.made in (None, s.turn) and recipe):
            groups.setdefault(s.sample if again else recipe, []).append(s)
    for group in groups.values():
        yield from pairwise(group)


def _both(one: Statement, other: Statement) -> Iterator[tuple[str, Estimate, Estimate]]:
    for quantity, first in one.estimates.items():
        second = other.estimates.get(quantity)
        if second is not None and first.std and second.std:
            yield quantity, first, second


def _case(
    one: Statement, quantity: str, first: Estimate, second: Estimate, std: float, between: float
) -> Case:
    return Case(
        one.sample,
        quantity,
        first.value - second.value,
        std,
        between,
        BROAD * (first.std or std),
        one.p_wrong or 0.0,
    )
