"""What an agent answers to a question, also where only a number that it tells implies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scipy.special import ndtr

from orchestrator.agreeing.statements import Speaks

PRESENT, ABSENT = "present", "absent"

TRACE = 0.01
"""Fraction of the mass from which a phase counts as present."""

SHARPEST = 1e-3
"""Standard deviation of a fraction that is believed at most."""

SURE = 0.99
"""Probability with which a number tells at most that a phase is there or not."""


def answer_of(question: str, insight: Speaks) -> Mapping[str, float] | None:
    """Return what an insight says to a question; None if nothing.

    Who states how much of a phase there is (``xrd.weight_fraction.rutile``) says whether it is
    there (``xrd.phase.rutile``): with the probability that the fraction, a normal variable, exceeds
    one hundredth.
    """
    if question in insight.class_probabilities:
        return insight.class_probabilities[question]
    technique, _, rest = question.partition(".phase.")
    estimate = insight.estimates.get(f"{technique}.weight_fraction.{rest}")
    if not rest or estimate is None or estimate.std is None:
        return None
    present = float(ndtr((estimate.value - TRACE) / max(estimate.std, SHARPEST)))
    present = min(max(present, 1 - SURE), SURE)
    return {PRESENT: present, ABSENT: 1 - present}


def answering(question: str, insights: Sequence[Speaks]) -> list[Speaks]:
    """Return the insights that say something to a question that one of them answers itself."""
    if not any(question in i.class_probabilities for i in insights):
        return []
    return [i for i in insights if answer_of(question, i) is not None]
