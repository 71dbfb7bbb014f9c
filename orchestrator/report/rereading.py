"""Samples that were measured again because an agent asked: which of its insights is the last."""

from __future__ import annotations

from orchestrator.store.records import Experiment, InsightSummary


def latest(experiment: Experiment) -> list[InsightSummary]:
    """Return the last insight of each agent on the same plan of measurements, in order.

    An insight is superseded by a later one of its agent that looked at the same measurements and
    at more.
    """
    return [
        insight
        for k, insight in enumerate(experiment.insights)
        if not any(_supersedes(later, insight) for later in experiment.insights[k + 1 :])
    ]


def which_reading(experiment: Experiment, insight: InsightSummary) -> str:
    """Return ``, 2 of 4 scans``: how much an insight had seen of what its agent saw in the end.

    Empty where the agent read the sample once.
    """
    family = [
        other
        for other in experiment.insights
        if _supersedes(other, insight) or _supersedes(insight, other)
    ]
    if not family:
        return ""
    seen = len(insight.measurement_ids)
    most = max(seen, *(len(other.measurement_ids) for other in family))
    return f", {seen} of {most} scans"


def further_ones(experiment: Experiment) -> str:
    """Return a sentence on further measurements that agents asked for; empty without any."""
    n = len({i.id for i in experiment.insights} - {i.id for i in latest(experiment)})
    if not n:
        return ""
    return f"measured again {'once' if n == 1 else f'{n} times'}, as the agent asked"


def _supersedes(later: InsightSummary, earlier: InsightSummary) -> bool:
    return later.agent == earlier.agent and set(later.measurement_ids) > set(
        earlier.measurement_ids
    )
