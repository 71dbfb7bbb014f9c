"""A person says what became of a command whose end nobody knows."""

from __future__ import annotations

from dataclasses import replace

from instruments.commands import Synthesize
from instruments.sample import Sample
from orchestrator.actions import NOT_CARRIED_OUT
from orchestrator.errors import CampaignError
from orchestrator.store import Store
from orchestrator.store.records import ActionRecord

ANSWERS = ("done", "failed", "not-done")


def settle_by_person(store: Store, campaign_id: str, answer: str) -> list[str]:
    """Settle every unsettled action of a campaign as a person saw it, and say what was written.

    Parameters
    ----------
    answer : ``done`` (the sample was made as ordered), ``failed`` (counts as a failed attempt)
        or ``not-done`` (the device never acted; it will be sent again).

    Raises
    ------
    CampaignError
        The answer is none of these, nothing is unsettled, or ``done`` is said of a measurement,
        whose data nobody can supply from memory.
    """
    if answer not in ANSWERS:
        raise CampaignError(f"{answer!r} is no answer; say one of {', '.join(ANSWERS)}")
    open_actions = store.unsettled_actions(campaign_id)
    if not open_actions:
        raise CampaignError(
            f"nothing is unsettled in {campaign_id}; `sdlab resume {campaign_id}` goes on"
        )
    said = []
    for action in open_actions:
        if answer == "done":
            store.record_sample(campaign_id, action.number, _sample_as_ordered(action))
        store.settle_action(_settled(action, answer))
        message = f"{action.command_id} on {action.instrument}: a person says {answer}"
        store.record_event(campaign_id, "settled_by_person", message, action.number)
        said.append(message)
    return said


def _settled(action: ActionRecord, answer: str) -> ActionRecord:
    if answer == "done":
        return replace(action, settled="succeeded")
    if answer == "failed":
        return replace(action, settled="failed", fault="person", error="a person saw it fail")
    return replace(
        action, settled="aborted", fault=NOT_CARRIED_OUT, error="a person saw that nothing happened"
    )


def _sample_as_ordered(action: ActionRecord) -> Sample:
    if action.step != "synthesize":
        raise CampaignError(
            f"{action.command_id} was a measurement; its data were not received, so it cannot be "
            "taken as done. Say not-done to have it measured again"
        )
    command = Synthesize.model_validate_json(action.arguments)
    moment = action.sent or action.intended
    return Sample(
        id=command.sample_id,
        number=command.number,
        recipe=command.recipe,
        made_by=action.instrument,
        simulated=False,
        started=moment,
        finished=moment,
        notes=("recipe as ordered: a person confirmed the synthesis after a crash",),
    )
