"""A person tells a campaign what is true, or that an alarm has been seen to."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING

from orchestrator.errors import CampaignError, UnknownCampaign
from orchestrator.trust.alarms import Alarm
from orchestrator.trust.statements import Truth
from orchestrator.trust.wording import (
    RESOLVED,
    TRUTH,
    alarms_of,
    resolved_in_words,
    truth_in_words,
)

if TYPE_CHECKING:
    from orchestrator.store import Store


def state_truth(store: Store, campaign_id: str, truth: Truth) -> str:
    """Write down what a sample really is; return the line. A later one takes its place.

    Raises
    ------
    UnknownCampaign
        The campaign has no such experiment.
    CampaignError
        It made no sample, no agent speaks of that quantity, or the value is none of it.
    """
    experiments = store.experiments(campaign_id)
    made = next((e for e in experiments if e.number == truth.sample), None)
    if made is None:
        raise UnknownCampaign(f"{campaign_id} has no experiment {truth.sample}")
    if made.sample is None:
        raise CampaignError(
            f"experiment {truth.sample} of {campaign_id} made no sample; a truth is told of the "
            "experiment that made it"
        )
    insights = [insight for e in experiments for insight in e.insights]
    numbers = {quantity for insight in insights for quantity in insight.estimates}
    answers = {question for insight in insights for question in insight.class_probabilities}
    _check(truth, numbers=numbers, answers=answers)
    line = truth_in_words(truth)
    store.record_event(campaign_id, TRUTH, line, truth.sample)
    return line


def resolve(store: Store, campaign_id: str, *, kind: str, agent: str, reason: str) -> list[Alarm]:
    """Write down that somebody has seen to alarms; return those that are off now.

    Parameters
    ----------
    kind, agent : only these; empty for all.
    """
    off = [
        alarm
        for alarm in alarms_of(store.events(campaign_id))
        if kind in ("", alarm.kind) and agent in ("", alarm.agent)
    ]
    latest = max((n for n, _ in store.observations(campaign_id)), default=0)
    for alarm in off:
        store.record_event(campaign_id, RESOLVED, resolved_in_words(alarm, reason), latest)
    return off


def _check(truth: Truth, *, numbers: set[str], answers: set[str]) -> None:
    if truth.quantity not in numbers | answers:
        close = difflib.get_close_matches(truth.quantity, sorted(numbers | answers), n=3)
        raise CampaignError(
            f"no agent of this campaign has spoken of {truth.quantity!r}"
            + (f"; did you mean {', '.join(close)}?" if close else "")
        )
    is_text = isinstance(truth.value, str)
    if is_text and truth.quantity not in answers:
        raise CampaignError(f"{truth.quantity} is a number, and {truth.value!r} is none")
    if not is_text and not math.isfinite(float(truth.value)):
        raise CampaignError(f"{truth.quantity} = {truth.value} is no finite number")
    if not (math.isfinite(truth.std) and truth.std >= 0):
        raise CampaignError(f"a standard deviation of {truth.std} is no finite number >= 0")
