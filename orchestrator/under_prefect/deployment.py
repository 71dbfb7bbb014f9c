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
from orchestrator.store import Store
from orchestrator.under_prefect.next_turn import deployed_runs, request_turn
from orchestrator.under_prefect.worker import take_turn

log = logging.getLogger(__name__)

POOL = "sdlab"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A campaign whose next turn waits for a worker."""

    campaign_id: str
    number: int
    pool: str


@dataclass(frozen=True, slots=True)
class PoolDeployment:
    """The deployment of a work pool.

    Attributes
    ----------
    pool_was_made : the work pool was not there before.
    """

    id: UUID
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
        made = await ensure_deployment(pool)
        async with get_client() as client:
            tried = len(await deployed_runs(client, campaign_id, number))
        await request_turn(campaign_id, number, deployment_id=made.id, again=tried)
    except (httpx.HTTPError, PrefectException) as error:
        raise ServerError(
            f"the Prefect server did not take {campaign_id} ({error}); it is recorded, and "
            f"`sdlab deploy {campaign_id}` tries again"
        ) from error
    return Deployed(campaign_id, number, pool)


async def ensure_deployment(pool: str) -> PoolDeployment:
    """Create or renew the deployment of a pool; the code is what is installed on the worker.

    Raises
    ------
    httpx.HTTPError, prefect.exceptions.PrefectException
        The server did not take it.
    """
    async with get_client() as client:
        made = await _ensure_pool(client, pool)
    wanted = await take_turn.ato_deployment(
        name=pool,
        work_pool_name=pool,
        tags=["sdlab"],
        description="One turn of a campaign, taken by whichever worker is free.",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return PoolDeployment(await wanted.aapply(), made)


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
