"""A check standard: a recipe whose sample is known takes its turn, and its truths are told."""

from __future__ import annotations

from orchestrator.run import Run
from orchestrator.trust.plan import Standard
from orchestrator.trust.statements import Truth
from orchestrator.trust.wording import TRUTH, truth_in_words, truths_of
from planners.proposal import Proposal, Reason

STANDARD = "standard"
"""Stands for the planner in the reason of a proposal that makes the standard."""


def to_check(run: Run, number: int) -> Proposal | None:
    """Return the proposal that makes the campaign's standard, None if it is not its turn."""
    standard = run.campaign.trust.standard
    if standard is None or number == 0 or number % standard.every:
        return None
    return check(standard)


def check(standard: Standard) -> Proposal:
    """Return the proposal that makes a standard."""
    known = ", ".join(k.quantity for k in standard.known)
    text = f"The standard, of which {known} is known, after {standard.every} experiments."
    return Proposal(values=dict(standard.values), reason=Reason(planner=STANDARD, text=text))


def tell_standard(run: Run, number: int) -> None:
    """Write down what is true of the sample of an experiment, if it made the standard."""
    standard, known = run.campaign.trust.standard, run.history.experiment(run.id, number)
    if standard is None or known is None or known.proposal.reason.planner != STANDARD:
        return
    told = {t.quantity for t in truths_of(run.history.events(run.id)) if t.sample == number}
    for k in standard.known:
        if k.quantity not in told:
            truth = Truth(number, k.quantity, k.value, k.std, "the standard")
            run.history.record_event(run.id, TRUTH, truth_in_words(truth), number)
