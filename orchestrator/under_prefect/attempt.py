"""One turn on its way through Prefect: a short flow run whose result Prefect cannot lose.

The flow run carries only names; the turn itself, with the laboratory, reaches it through a context
variable, so nothing of ours is ever serialised by Prefect.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext, TagsContext
from prefect.states import Completed

from orchestrator.loop import turn
from orchestrator.report.artifacts import Fractions, gather, render
from orchestrator.run import Run
from orchestrator.under_prefect.publish import narrated, publish
from orchestrator.under_prefect.spread import spread
from orchestrator.under_prefect.tasks import UNDER_PREFECT
from planners.proposal import Observation

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Attempt:
    """A turn on its way through Prefect.

    Attributes
    ----------
    on_sigterm : the handler of that signal before Prefect takes it over.
    begun, ended : the laboratory's part has begun, has ended.
    abandoned : the turn is taken without Prefect; a flow run that begins later must do nothing.
    """

    run: Run
    number: int
    artifacts: bool
    fractions: dict[int, Fractions]
    on_sigterm: Any = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    abandoned: bool = False
    flow_run_id: UUID | None = None
    observation: Observation | None = None
    error: BaseException | None = None

    @property
    def name(self) -> str:
        """Name of the flow run."""
        return f"{self.run.campaign.name}-e{self.number:03d}"

    async def take(self) -> Observation:
        """Take the turn inside the flow run, and keep its result where Prefect cannot lose it."""
        if self.abandoned:
            raise RuntimeError(f"{self.name} was taken without Prefect, which began too late")
        context = FlowRunContext.get()
        if context is not None and context.flow_run is not None:
            self.flow_run_id = context.flow_run.id
        self.begun.set()
        if callable(self.on_sigterm):
            # Prefect would break off the turn; ours ends the campaign after it.
            signal.signal(signal.SIGTERM, self.on_sigterm)
        try:
            # Tags inherited by tasks would take a lease on the server for each, and a server
            # that dies longer than a lease would cancel whoever holds one: a firing furnace.
            with TagsContext(current_tags=set()):
                run = spread(narrated(self.run))
                self.observation = await turn(run, self.number, verbs=UNDER_PREFECT)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.ended.set()
        return self.observation

    async def show(self) -> None:
        """Publish tables and figures; a failure costs the view, never the turn."""
        try:
            view = gather(self.run, self.number, fractions=self.fractions)
            await publish(await asyncio.to_thread(render, view))
        except Exception:
            log.warning("the figures of %s could not be published", self.name, exc_info=True)


UNDER_WAY: ContextVar[Attempt | None] = ContextVar("sdlab_turn", default=None)
"""The turn that the flow run of this context is to take."""


def _name() -> str:
    attempt = UNDER_WAY.get()
    return attempt.name if attempt is not None else "without a laboratory"


@flow(
    name="experiment",
    flow_run_name=_name,
    validate_parameters=False,
    persist_result=False,
    retries=0,
    log_prints=False,
)
async def experiment(campaign_id: str, number: int) -> State[None]:
    """Plan, synthesize, measure, analyze and score one experiment of a campaign."""
    attempt = UNDER_WAY.get()
    if attempt is None or (attempt.run.id, attempt.number) != (campaign_id, number):
        raise RuntimeError(
            f"experiment {number} of {campaign_id} has no laboratory in this process; take it "
            f"with `sdlab resume {campaign_id}`"
        )
    observation = await attempt.take()
    if attempt.artifacts:
        await attempt.show()
    return told_state(observation)


def told_state(observation: Observation) -> State[None]:
    """Return the state of a flow run whose experiment ended; a failed one is no failed run."""
    if observation.failed:
        return Completed(name="NoResult", message=observation.failure)
    told = ", ".join(f"{q} = {v:.4g}" for q, v in observation.outcomes.items())
    return Completed(message=told)
