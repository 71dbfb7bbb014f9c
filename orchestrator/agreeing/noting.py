"""Disputes in the history of a campaign: when they arose, were settled, or stayed open."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from analysis.insight import Insight
from orchestrator.agreeing.disputes import Dispute, disputes
from orchestrator.agreeing.statements import Speaks
from orchestrator.people.notifying import notify
from orchestrator.report.labels import quantity_name
from orchestrator.routing import combine, combine_answers
from orchestrator.run import Run
from orchestrator.store.records import InsightSummary

logger = logging.getLogger(__name__)

AROSE, SETTLED, STANDS = "agents_dispute", "dispute_settled", "dispute_stands"
"""Kinds of events: agents contradict each other; no longer; still, and nothing helps."""


def note_disputes(
    run: Run, number: int, insights: Sequence[Insight], *, first: bool
) -> tuple[Dispute, ...]:
    """Write down what agents have come to disagree on and what they no longer disagree on.

    Each is written down once, also if the turn is taken again.

    Parameters
    ----------
    insights : what the agents say now.
    first : this is what they said first, so nothing can have been settled.

    Returns
    -------
    What they disagree on now.
    """
    heard: Sequence[Speaks] = insights if first else _heard(run, number, insights)
    found = disputes(heard, wanted=run.campaign.objective.quantities)
    if first and not found:
        return found
    arose, settled = (_noted(run, number, kind) for kind in (AROSE, SETTLED))
    for dispute in found:
        if quantity_name(dispute.about) not in arose:
            _note(run, number, AROSE, dispute.sentence)
    still = {quantity_name(dispute.about) for dispute in found}
    for about in _keys(heard):
        name = quantity_name(about)
        if name in arose and name not in still and name not in settled:
            _note(run, number, SETTLED, _settled(about, heard))
    return found


def leave_open(run: Run, number: int, found: Sequence[Dispute]) -> None:
    """Write down that disputes stay open, and tell people once for each sample."""
    if not found or _noted(run, number, STANDS):
        return
    for dispute in found:
        _note(run, number, STANDS, dispute.sentence)
    text = "\n".join(dispute.sentence for dispute in found)
    notify(run, "question", f"agents disagree on experiment {number}", text)


def _note(run: Run, number: int, kind: str, sentence: str) -> None:
    logger.info("%s campaign=%s number=%s: %s", kind, run.id, number, sentence)
    run.history.record_event(run.id, kind, sentence, number)
    run.tell(number, "analyze", "failed" if kind == STANDS else "finished", sentence)


def _noted(run: Run, number: int, kind: str) -> set[str]:
    """Return what an experiment's events of a kind are about."""
    return {
        event.message.partition(":")[0]
        for event in run.history.events(run.id)
        if event.kind == kind and event.number == number
    }


def _heard(run: Run, number: int, insights: Sequence[Insight]) -> list[Speaks]:
    """Return what agents say now, and of those that now abstain what they said before."""
    known = run.history.experiment(run.id, number)
    said: list[Insight | InsightSummary] = list(known.insights if known is not None else ())
    last: dict[str, Insight | InsightSummary] = {}
    for insight in [*said, *insights]:
        if insight.agent not in last or not insight.abstained:
            last[insight.agent] = insight
    return list(last.values())


def _keys(insights: Sequence[Speaks]) -> list[str]:
    told = [key for i in insights for key in (*i.estimates, *i.class_probabilities)]
    return list(dict.fromkeys(told))


def _settled(about: str, insights: Sequence[Speaks]) -> str:
    name = quantity_name(about)
    if (number := combine(about, insights)) is not None:
        return f"{name}: settled at {number[0]}, wrong with probability {number[1]:.0%}"
    answer = combine_answers(about, insights)
    assert answer is not None
    probabilities, p_wrong = answer
    best = max(probabilities, key=probabilities.__getitem__)
    return f"{name}: settled as {best}, wrong with probability {p_wrong:.0%}"
