"""Alarms and coverage in the words of whoever shows them."""

from __future__ import annotations

from orchestrator.trust.alarms import Alarm
from orchestrator.trust.calibrating import Correction
from orchestrator.trust.coverage import Coverage


def alarm_line(alarm: Alarm) -> str:
    """Return an alarm as one line for a person."""
    return f"{alarm.kind.replace('_', ' ')} of {alarm.agent}: {alarm.message}"


def coverage_line(covered: Coverage, how: Correction) -> str:
    """Return how an agent's word on a quantity held, and what is made of it, as one line."""
    return (
        f"{covered.agent}, {covered.quantity}: {covered.within[1]:.0%} of {covered.n} truths in "
        f"its 90 % interval (share between {covered.low:.0%} and {covered.high:.0%}); "
        f"{what_is_done(covered.quantity, how)}"
    )


def what_is_done(quantity: str, how: Correction) -> str:
    """Return what is done to an agent's word on a quantity."""
    odds = "" if how.shift == 0 else f", odds of being wrong × {2.718281828**how.shift:.2g}"
    return f"std × {how.std(quantity, 1.0):.2g}{odds}"
