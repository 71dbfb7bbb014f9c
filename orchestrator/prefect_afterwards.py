"""Turns that Prefect missed are shown afterwards, from the history, and marked as such."""

from __future__ import annotations

import asyncio
import logging

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas import FlowRun
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Completed

from orchestrator.prefect_attempt import experiment, told_state
from orchestrator.prefect_next import labels
from orchestrator.prefect_publish import send
from orchestrator.prefect_reconcile import numbers
from orchestrator.report.artifacts import Fractions, gather, render
from orchestrator.run import Run

log = logging.getLogger(__name__)

LATER = "added-later"
"""Tag of a flow run that was not there when its turn was taken."""

_PAGE = 200


async def publish_missed(run: Run) -> int:
    """Show every ended experiment of a campaign that has no flow run yet; return how many.

    Raises
    ------
    httpx.HTTPError, prefect.exceptions.PrefectException
        The server failed meanwhile; what is still missing is found by the next call.
    """
    ended = [number for number, _ in run.history.observations(run.id)]
    fractions: dict[int, Fractions] = {}
    async with get_client() as client:
        known = await _known(client, run.id)
        missing = [number for number in ended if number not in known]
        for number in missing:
            await _add(client, run, number, fractions)
    if missing:
        log.info("turns added to Prefect afterwards campaign=%s count=%d", run.id, len(missing))
    return len(missing)


async def _add(
    client: PrefectClient, run: Run, number: int, fractions: dict[int, Fractions]
) -> None:
    """Make the flow run of an ended experiment; it is Completed only when all of it is there."""
    known = run.history.experiment(run.id, number)
    if known is None or known.observation is None:
        return
    ended = known.finished or known.started
    made = await client.create_flow_run(
        experiment,
        name=f"{run.campaign.name}-e{number:03d}",
        tags=[*labels(run.id, number), LATER],
        parameters={"campaign_id": run.id, "number": number},
    )
    view = gather(run, number, fractions=fractions)
    await send(client, made.id, await asyncio.to_thread(render, view))
    told = told_state(known.observation)
    message = (
        f"{told.message} · taken {known.started:%Y-%m-%d %H:%M} to {ended:%H:%M} UTC without "
        "Prefect, added from the history afterwards"
    )
    await client.set_flow_run_state(made.id, Completed(name=told.name, message=message), force=True)


async def _known(client: PrefectClient, campaign_id: str) -> set[int]:
    """Return the experiments that have a flow run which completed, or is still open."""
    found: set[int] = set()
    seen = 0
    while runs := await _page(client, campaign_id, skip=seen):
        found |= {number for run in runs if _stands(run) for number in numbers(run.tags)}
        seen += len(runs)
    return found


async def _page(client: PrefectClient, campaign_id: str, *, skip: int) -> list[FlowRun]:
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[f"campaign:{campaign_id}"])),
        sort=FlowRunSort.START_TIME_ASC,
        offset=skip,
        limit=_PAGE,
    )


def _stands(run: FlowRun) -> bool:
    return run.state is None or not run.state.is_final() or run.state.type == StateType.COMPLETED
