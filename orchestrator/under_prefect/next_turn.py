"""Asking Prefect for a campaign's next turn, so that asking twice is harmless."""

from __future__ import annotations

import logging
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas import FlowRun
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterTags,
)
from prefect.client.schemas.sorting import FlowRunSort

from orchestrator.store import Store
from orchestrator.store.records import CampaignRecord

log = logging.getLogger(__name__)

GOES_ON = frozenset({"created", "running", "interrupted"})
"""How a campaign stands that has turns to take."""


def wants_turns(store: Store, record: CampaignRecord) -> bool:
    """Return whether a campaign goes on by itself.

    One that waits does when its questions are answered, a paused one when nobody wishes that any
    more.
    """
    if store.wishes.find(record.id).wish != "run":
        return False
    if record.status == "waiting":
        return not store.questions.open(record.id)
    return record.status in GOES_ON or record.status == "paused"


async def request_turn(
    campaign_id: str, number: int, *, deployment_id: UUID | str, again: int = 0
) -> UUID:
    """Ask for a turn on a deployment's workers; asked twice, it is one flow run.

    Parameters
    ----------
    again : how many flow runs for this turn have died; each is followed by one more.

    Raises
    ------
    httpx.HTTPError, prefect.exceptions.PrefectException
        The server did not take it.
    """
    async with get_client() as client:
        made = await client.create_flow_run_from_deployment(
            UUID(str(deployment_id)),
            parameters={"campaign_id": campaign_id, "number": number},
            name=f"{campaign_id} turn {number}",
            tags=labels(campaign_id, number),
            idempotency_key=f"{campaign_id}-{number}-{again}",
        )
    log.info("turn asked for campaign=%s number=%d again=%d", campaign_id, number, again)
    return made.id


def labels(campaign_id: str, number: int) -> list[str]:
    """Return the tags by which a campaign's flow runs are found."""
    return [f"campaign:{campaign_id}", f"experiment:{number:03d}", "sdlab"]


async def deployed_runs(
    client: PrefectClient, campaign_id: str, number: int | None = None
) -> list[FlowRun]:
    """Return flow runs of a campaign, or of one turn, that came from a deployment; newest first."""
    wanted = [f"campaign:{campaign_id}"]
    if number is not None:
        wanted = labels(campaign_id, number)
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            tags=FlowRunFilterTags(all_=wanted),
            deployment_id=FlowRunFilterDeploymentId(is_null_=False),
        ),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=200,
    )
