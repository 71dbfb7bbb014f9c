"""A person says what became of a command whose end nobody knows, from any terminal."""

from __future__ import annotations

from orchestrator.errors import CampaignError
from orchestrator.people.asking import Reply
from orchestrator.reconciling import KIND
from orchestrator.store import Store

ANSWERS = ("done", "failed", "not-done", "look-again")


def settle_by_person(
    store: Store, campaign_id: str, answer: str, *, by: str, reason: str = ""
) -> list[str]:
    """Answer every open question about an unsettled action, and say what was answered.

    The campaign itself settles the action when it reads the answer: a process that waits for it
    goes on at once, one that ended does when it is resumed.

    Parameters
    ----------
    answer : ``done`` (the sample was made as ordered), ``failed`` (counts as a failed attempt),
        ``not-done`` (the device never acted; it will be sent again) or ``look-again``.
    by, reason : who says so, and why.

    Raises
    ------
    CampaignError
        The answer is none of these, nothing is asked, or it does not fit the question: ``done``
        cannot be said of a measurement, whose data nobody can supply from memory.
    """
    if answer not in ANSWERS:
        raise CampaignError(f"{answer!r} is no answer; say one of {', '.join(ANSWERS)}")
    asked = [a.question for a in store.questions.open(campaign_id) if a.question.kind == KIND]
    if not asked:
        raise CampaignError(
            f"nothing is unsettled in {campaign_id} that a person was asked about; "
            f"`sdlab resume {campaign_id}` goes on, and asks if it has to"
        )
    for question in asked:
        store.questions.answer(campaign_id, question.key, Reply(answer, reason, by))
    return [f"{question.key}: {by} says {answer}" for question in asked]
