"""A campaign on workers: the pool they poll, the deployment they take turns of, the first turn."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectException
from prefect.types.entrypoint import EntrypointType
from prefect.workers.process import ProcessWorker

from orchestrator.errors import ServerError
from orchestrator.prefect_next import deployed_runs, request_turn
from orchestrator.prefect_worker import take_turn
from orchestrator.store import Store

log = logging.getLogger(__name__)

POOL = "sdlab"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A campaign whose next turn waits for a worker.

    Attributes
    ----------
    pool_was_made : the work pool was not there before.
    """

    campaign_id: str
    number: int
    pool: str
    pool_was_made: bool


async def deploy(campaign_id: str, store: Store, *, pool: str = POOL) -> Deployed:
    """Have a recorded campaign's turns taken by the workers of a pool.

    Parameters
    ----------
    pool : work pool, made if it is not there; workers on the machine with the cable poll it.

    Raises
    ------
    ServerError
        The Prefect server did not take it.
    """
    number = len(store.observations(campaign_id))
    try:
        async with get_client() as client:
            made = await _ensure_pool(client, pool)
            tried = len(await deployed_runs(client, campaign_id, number))
        deployment_id = await _apply(pool)
        await request_turn(campaign_id, number, deployment_id=deployment_id, again=tried)
    except (httpx.HTTPError, PrefectException) as error:
        raise ServerError(
            f"the Prefect server did not take {campaign_id} ({error}); it is recorded, and "
            f"`sdlab deploy {campaign_id}` tries again"
        ) from error
    return Deployed(campaign_id, number, pool, made)


async def _apply(pool: str) -> UUID:
    """Create or renew the deployment of a pool; the code is what is installed on the worker."""
    wanted = await take_turn.ato_deployment(
        name=pool,
        work_pool_name=pool,
        tags=["sdlab"],
        description="One turn of a campaign, taken by whichever worker is free.",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return await wanted.aapply()


async def _ensure_pool(client: PrefectClient, name: str) -> bool:
    """Return whether the pool had to be made."""
    try:
        await client.read_work_pool(name)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        wanted = WorkPoolCreate(name=name, type="process", base_job_template=template)
        try:
            await client.create_work_pool(wanted)
        except ObjectAlreadyExists:
            log.debug("the work pool %s was made by another process meanwhile", name)
        return True
    return False
