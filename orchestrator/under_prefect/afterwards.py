"""Turns that Prefect missed are shown afterwards, from the history, and marked as such."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas import FlowRun
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Completed

from orchestrator.report.artifacts import Fractions, gather, render
from orchestrator.run import Run
from orchestrator.under_prefect.attempt import experiment, told_state
from orchestrator.under_prefect.next_turn import labels
from orchestrator.under_prefect.publish import send
from orchestrator.under_prefect.reconcile import numbers

log = logging.getLogger(__name__)

LATER = "added-later"
"""Tag of a flow run that was not there when its turn was taken."""

_PAGE = 200


async def publish_missed(run: Run, *, taken_without: Collection[int] = ()) -> int:
    """Show every ended experiment of a campaign that has no flow run yet; return how many.

    Parameters
    ----------
    taken_without : experiments that this process took without Prefect. A flow run of theirs that
        is still open was left behind when the server died, and is completed.

    Raises
    ------
    httpx.HTTPError, prefect.exceptions.PrefectException
        The server failed meanwhile; what is still missing is found by the next call.
    """
    ended = [number for number, _ in run.history.observations(run.id)]
    fractions: dict[int, Fractions] = {}
    added = 0
    async with get_client() as client:
        shown = await _shown(client, run.id)
        for number in ended:
            if number not in shown:
                flow_run_id = await _create(client, run, number)
            elif number in taken_without and not _is_final(shown[number]):
                flow_run_id = shown[number].id
                await client.update_flow_run(flow_run_id, tags=[*shown[number].tags, LATER])
            else:
                continue
            await _complete(client, run, number, flow_run_id, fractions)
            added += 1
    if added:
        log.info("turns added to Prefect afterwards campaign=%s count=%d", run.id, added)
    return added


async def _create(client: PrefectClient, run: Run, number: int) -> UUID:
    made = await client.create_flow_run(
        experiment,
        name=f"{run.campaign.name}-e{number:03d}",
        tags=[*labels(run.id, number), LATER],
        parameters={"campaign_id": run.id, "number": number},
    )
    return made.id


async def _complete(
    client: PrefectClient,
    run: Run,
    number: int,
    flow_run_id: UUID,
    fractions: dict[int, Fractions],
) -> None:
    """Give a flow run its tables and figures, and then the state of its ended experiment."""
    known = run.history.experiment(run.id, number)
    assert known is not None
    assert known.observation is not None
    view = gather(run, number, fractions=fractions)
    await send(client, flow_run_id, await asyncio.to_thread(render, view))
    told, until = told_state(known.observation), known.finished or known.started
    message = (
        f"{told.message} · taken {known.started:%Y-%m-%d %H:%M} to {until:%H:%M} UTC without "
        "Prefect, added from the history afterwards"
    )
    state: State[None] = Completed(name=told.name, message=message)
    await client.set_flow_run_state(flow_run_id, state, force=True)


async def _shown(client: PrefectClient, campaign_id: str) -> dict[int, FlowRun]:
    """Return experiment → its flow run that completed, or else one that is still open."""
    found: dict[int, FlowRun] = {}
    seen = 0
    while runs := await _page(client, campaign_id, skip=seen):
        for run in runs:
            for number in numbers(run.tags):
                if _is_completed(run) or (not _is_final(run) and number not in found):
                    found[number] = run
        seen += len(runs)
    return found


async def _page(client: PrefectClient, campaign_id: str, *, skip: int) -> list[FlowRun]:
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[f"campaign:{campaign_id}"])),
        sort=FlowRunSort.START_TIME_ASC,
        offset=skip,
        limit=_PAGE,
    )


def _is_final(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()


def _is_completed(run: FlowRun) -> bool:
    return run.state is not None and run.state.type == StateType.COMPLETED
