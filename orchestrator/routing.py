"""Which agents see which measurement, and what becomes of statements that disagree."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.insight import Estimate, Insight
from analysis.protocols import Agent
from instruments.measurement import Measurement

DISAGREEMENT = 3.0
"""Difference, in combined standard deviations, from which two agents contradict each other."""


def readable(agent: Agent, measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return the measurements an agent can read: those of its technique, or all of them."""
    return [m for m in measurements if agent.technique in ("", m.technique)]


def combine(quantity: str, insights: Sequence[Insight]) -> tuple[Estimate, float] | None:
    """Return what several insights say of one quantity, with the probability that it is wrong.

    Statements are weighted by their inverse variance and by how likely each is right. Two that
    contradict each other raise the probability of being wrong to at least one half: one of them
    must be wrong, and nobody knows which.

    Returns
    -------
    The combined estimate and probability, or None if no insight speaks of the quantity.
    """
    said = [(i.estimates[quantity], i.p_wrong or 0.0) for i in insights if quantity in i.estimates]
    if not said:
        return None
    if len(said) == 1 or any(e.std is None or e.std == 0 for e, _ in said):
        return min(said, key=lambda s: s[1])
    weights = [(1 - p) / e.std**2 if e.std else 0.0 for e, p in said]
    total = sum(weights)
    if total == 0:
        return said[0][0], 1.0
    value = sum(w * e.value for w, (e, _) in zip(weights, said, strict=True)) / total
    std = math.sqrt(1 / sum(1 / e.std**2 for e, _ in said if e.std))
    p_wrong = min(p for _, p in said)
    if _contradict([e for e, _ in said]):
        p_wrong = max(p_wrong, 0.5)
        std = max(std, max(abs(e.value - value) for e, _ in said))
    return Estimate(value, std, said[0][0].unit), p_wrong


def _contradict(estimates: Sequence[Estimate]) -> bool:
    for i, a in enumerate(estimates):
        for b in estimates[i + 1 :]:
            if abs(a.value - b.value) > DISAGREEMENT * math.hypot(a.std or 0.0, b.std or 0.0):
                return True
    return False
