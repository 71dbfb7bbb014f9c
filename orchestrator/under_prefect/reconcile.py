"""Flow runs that Prefect believes to be running although nobody runs them.

Prefect has no service that notices a dead process: such a run would stay Running for ever. The
history knows which experiments ended, so it settles what Prefect cannot know.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas import FlowRun
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import PrefectException
from prefect.states import Completed, Crashed

log = logging.getLogger(__name__)

_OPEN = [StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
_PAGE = 200


async def reconcile(campaign_id: str, *, finished: Collection[int] = ()) -> int:
    """Close every open flow run of a campaign that no living process runs; return how many.

    Call it while this process holds the campaign and before its first turn.

    Parameters
    ----------
    finished : experiments that have ended in the history; their runs become Completed, all
        others Crashed.

    Raises
    ------
    httpx.HTTPError, prefect.exceptions.PrefectException
        The server did not do it.
    """
    closed = 0
    async with get_client() as client:
        while runs := await _open_runs(client, campaign_id):
            for run in runs:
                await _close(client, run.id, completed=bool(numbers(run.tags) & set(finished)))
            closed += len(runs)
    if closed:
        log.info("flow runs closed that nobody ran campaign=%s count=%d", campaign_id, closed)
    return closed


async def settle(ended: Mapping[UUID, bool]) -> bool:
    """Close flow runs that ended while the server was away; return whether it was done.

    Parameters
    ----------
    ended : flow run → whether its experiment ended with an observation.
    """
    try:
        async with get_client() as client:
            for run_id, completed in ended.items():
                await _close(client, run_id, completed=completed)
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        log.warning("the server could not be told of %d ended flow runs: %r", len(ended), error)
        return False
    return True


async def _open_runs(client: PrefectClient, campaign_id: str) -> list[FlowRun]:
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            tags=FlowRunFilterTags(all_=[f"campaign:{campaign_id}"]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_OPEN)),
        ),
        limit=_PAGE,
    )


async def _close(client: PrefectClient, run_id: UUID, *, completed: bool) -> None:
    state: State[None] = (
        Completed(message="ended while Prefect could not see it; the history has its result")
        if completed
        else Crashed(message="the process that ran it is gone; a resumed campaign takes it again")
    )
    unfinished = await client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run_id])),
        task_run_filter=TaskRunFilter(
            state=TaskRunFilterState(type=TaskRunFilterStateType(any_=_OPEN))
        ),
    )
    for task_run in unfinished:
        await client.set_task_run_state(task_run.id, state, force=True)
    await client.set_flow_run_state(run_id, state, force=True)


def numbers(labels: Iterable[str]) -> set[int]:
    """Return the experiments that a flow run's tags name; one, or none of a foreign run."""
    parts = (label.partition(":") for label in labels)
    return {int(v) for kind, _, v in parts if kind == "experiment" and v.isdecimal()}
