"""Tables and figures on their way into Prefect, and everything else that must leave in time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import ArtifactCreate
from prefect.context import FlowRunContext
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogHandler, APILogWorker

from orchestrator.report.artifacts import Artifact
from orchestrator.run import Run, Step

log = logging.getLogger(__name__)


async def publish(artifacts: Sequence[Artifact]) -> None:
    """Attach artifacts to the flow run around this call, over the connection it already has.

    Raises
    ------
    RuntimeError
        There is no flow run around.
    httpx.HTTPError, prefect.exceptions.PrefectException
        The server did not take one.
    """
    context = FlowRunContext.get()
    client = context.client if context is not None else None
    if context is None or context.flow_run is None or not isinstance(client, PrefectClient):
        raise RuntimeError("artifacts belong to a flow run, and there is none around this call")
    await send(client, context.flow_run.id, artifacts)


async def send(client: PrefectClient, flow_run_id: UUID, artifacts: Sequence[Artifact]) -> None:
    """Attach artifacts to a flow run.

    Raises
    ------
    httpx.HTTPError, prefect.exceptions.PrefectException
        The server did not take one.
    """
    for artifact in artifacts:
        await client.create_artifact(
            ArtifactCreate(
                key=artifact.key,
                type=artifact.kind,
                description=artifact.description,
                data=artifact.data,
                flow_run_id=flow_run_id,
            )
        )


def narrated(run: Run) -> Run:
    """Return the same run, whose steps also become the log lines of the flow run around them."""
    lines = logging.getLogger("sdlab.steps")
    if not lines.handlers:
        lines.addHandler(APILogHandler())
        lines.setLevel(logging.INFO)
        lines.propagate = False

    def watch(step: Step) -> None:
        run.watch(step)
        level = logging.WARNING if step.state == "failed" else logging.INFO
        lines.log(level, "%s %s: %s", step.verb, step.state, step.text)

    return replace(run, watch=watch)


def keep_off_the_screen() -> None:
    """Keep Prefect's lines on runs off the screen; its page shows them all the same.

    A failed step is news for the progress display, not forty lines of traceback across it.
    """
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).propagate = False


async def flush(*, timeout: float) -> None:
    """Send off the events and log lines that still stand in line in this process.

    A task run exists for the server only through its events, so without this the last tasks of
    a process that ends would be missing from the page.
    """
    for worker in (EventsWorker, APILogWorker):
        drained = worker.drain_all(timeout=timeout, at_exit=False)
        try:
            await asyncio.wait_for(drained, timeout=timeout)  # type: ignore[arg-type]
        except TimeoutError:
            log.warning("%s did not send everything within %g s", worker.__name__, timeout)
