"""How sure agents would be of a quantity or question if one measurement were taken once more."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from analysis.learning.voting.causes import blame
from analysis.learning.voting.verdict import Verdict
from orchestrator.agreeing.answering import answering
from orchestrator.agreeing.statements import (
    SHARES,
    UNTOLD,
    Ballot,
    Speaks,
    ballot,
    comparable,
)
from orchestrator.routing import pooled_answer, pooled_number


def doubt_after(about: str, insights: Sequence[Speaks], *, again: Collection[str]) -> float:
    """Return the probability of being wrong that is expected after a repeated measurement.

    A repeat shows whether the first one was at fault. If it was, those who read it now join the
    others, and no more doubt is left than that of a new reading; if not, what they said stands, and
    one reason less remains why it may be wrong. Either is weighed by how likely it is from what all
    have said. What agents make of good data, their lists of phases, no repeat can change.

    Parameters
    ----------
    about : quantity or question, of which two agents or more speak.
    again : ids of the measurement that is repeated, and of its earlier repeats.
    """
    speaking = speakers(about, insights)
    heard = ballot(speaking)
    now = _verdict(about, speaking)
    cause = next(
        (c for i, c in zip(heard.insights, heard.causes, strict=True) if _read(i, again)), None
    )
    if cause is None:
        return now.p_wrong
    spared = _verdict(about, speaking, spared=frozenset({cause}))
    fault = _probability_of_fault(heard, cause, now, spared)
    return fault * UNTOLD * now.p_wrong + (1 - fault) * spared.p_wrong


def speakers(about: str, insights: Sequence[Speaks]) -> list[Speaks]:
    """Return who speaks of a quantity or answers a question."""
    return comparable(about, insights) or answering(about, insights)


def _verdict(
    about: str, speaking: Sequence[Speaks], *, spared: frozenset[int] = frozenset()
) -> Verdict:
    shares = replace(SHARES, spared=spared)
    if about in speaking[0].estimates:
        return pooled_number(about, speaking, shares=shares).verdict
    return pooled_answer(about, speaking, shares=shares).verdict


def _probability_of_fault(heard: Ballot, cause: int, now: Verdict, spared: Verdict) -> float:
    """Return how likely a cause has struck, by Bayes' rule from the evidence with and without."""
    before = blame(heard.p_wrong, heard.causes, SHARES).by_cause[cause]
    kept = (1 - before) * math.exp(spared.log_evidence - now.log_evidence)
    return min(max(1 - kept, 0.0), 1.0)


def _read(insight: Speaks, measurements: Collection[str]) -> bool:
    return bool(set(insight.measurement_ids) & set(measurements))
