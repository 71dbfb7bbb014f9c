"""A campaign's turns on workers: one short flow run takes one turn and asks for the next.

A worker may stand on any machine that reaches the history and the instruments. It knows nothing
but the campaign's name; everything else is in the history. So whichever worker takes the next
turn decides the same, and one that dies is followed by another.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import httpx
from prefect import flow
from prefect.client.schemas.objects import State
from prefect.exceptions import PrefectException
from prefect.runtime import deployment
from prefect.states import Completed

from orchestrator.control import Ending
from orchestrator.errors import CampaignHeld
from orchestrator.home import home_folder, open_store
from orchestrator.launch import reopen
from orchestrator.people.attending import Attendance
from orchestrator.people.interrupt import Interrupt
from orchestrator.report.artifacts import Fractions
from orchestrator.run import Run
from orchestrator.session import carry_out, people_of, tell_the_end
from orchestrator.sharing.holding import hold
from orchestrator.store import Store
from orchestrator.under_prefect.afterwards import publish_missed
from orchestrator.under_prefect.attempt import Attempt
from orchestrator.under_prefect.next_turn import request_turn, wants_turns
from planners.proposal import Observation

log = logging.getLogger(__name__)


@flow(
    name="sdlab turn",
    flow_run_name="{campaign_id} turn {number}",
    persist_result=False,
    retries=0,
    log_prints=False,
)
async def take_turn(campaign_id: str, number: int) -> State[None]:
    """Take a campaign's next turn on this worker, and ask for the one after it.

    Parameters
    ----------
    number : the turn that was asked for; if it has been taken already, the first that is missing
        is. Asked for twice, a turn is still taken once.
    """
    log.info("turn begins on a worker campaign=%s asked_for=%d", campaign_id, number)
    with open_store(home_folder()) as store:
        record = store.campaign(campaign_id)
        if not wants_turns(store, record):
            said = f"{campaign_id} wants no turn now: {record.status} {record.message}".rstrip()
            return Completed(name="NoTurn", message=said)
        try:
            ending = await _take(campaign_id, store)
        except CampaignHeld as error:
            return Completed(name="HeldElsewhere", message=str(error))
        return Completed(message=f"{ending.experiments} experiments: {ending.reason}")


async def _take(campaign_id: str, store: Store) -> Ending:
    """Take turns until the server knows of the next, usually one; return how the campaign stands.

    While the server is silent the campaign does not wait for it: this process goes on, and what
    the server missed is shown afterwards.
    """
    alone = 0
    while (ending := await _one_turn(campaign_id, store)).status == "interrupted":
        if await _asked_for_next(campaign_id, ending.experiments):
            break
        alone += 1
    if alone:
        await _show_missed(campaign_id, store)
    return ending


async def _one_turn(campaign_id: str, store: Store) -> Ending:
    """Hold the campaign for one turn, with the laboratory connected."""
    with hold(store, campaign_id) as held:
        run = replace(reopen(campaign_id, store), token=held.token)
        turns = _OneTurn()
        nobody = Attendance(waits=False)  # a worker does not sit and wait for an answer
        with people_of(run, store, nobody, prefect=True, say=log.info) as attended:
            with turns.interrupt.listening():
                ending = await carry_out(attended, store, turns.take, turns.interrupt)
            if ending.status != "interrupted":
                store.set_status(campaign_id, ending.status, ending.reason)
                tell_the_end(attended, ending)
    return ending


async def _show_missed(campaign_id: str, store: Store) -> None:
    try:
        await publish_missed(reopen(campaign_id, store))
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        log.warning("turns of %s that Prefect missed were not all added: %r", campaign_id, error)


async def _asked_for_next(campaign_id: str, number: int) -> bool:
    """Ask for the next turn on the same deployment; return whether the server knows of it."""
    if deployment.id is None:  # a person called the flow by hand: one turn is what they wanted
        return True
    try:
        await request_turn(campaign_id, number, deployment_id=deployment.id)
    except (httpx.HTTPError, PrefectException) as error:
        log.warning("turn %d of %s could not be asked for: %r", number, campaign_id, error)
        return False
    return True


class _OneTurn:
    """Takes a turn as tasks of the flow run around it, shown with figures; then no other begins."""

    def __init__(self) -> None:
        self.interrupt = Interrupt(log.info)
        self._fractions: dict[int, Fractions] = {}

    async def take(self, run: Run, number: int) -> Observation:
        attempt = Attempt(run, number, artifacts=True, fractions=self._fractions)
        try:
            observation = await attempt.take()
        finally:
            self.interrupt.press()
        await attempt.show()
        return observation
