"""The five verbs as Prefect tasks: wrappers, and nothing but wrappers.

A task sees only the campaign's identifier and the experiment's number; what it really does comes
through a context variable, so no record of ours is ever serialised by Prefect. If Prefect's own
machinery fails around a verb, the verb is finished without it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE

from analysis.insight import Insight
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.loop import PLAIN, Verbs
from orchestrator.run import Run
from orchestrator.telling import in_words
from planners.proposal import Observation, Proposal

log = logging.getLogger(__name__)
T = TypeVar("T")
_Carrier = Callable[[str, int], Coroutine[Any, Any, None]]

_LONGEST_NAME = 120


@dataclass(slots=True)
class _Call(Generic[T]):
    """One verb on its way through Prefect and back.

    Attributes
    ----------
    name : what the person reads in the timeline, whose font has no middle dot.
    plain : the verb itself.
    """

    campaign_id: str
    number: int
    name: str
    plain: Callable[[], Awaitable[T]]
    done: bool = False
    result: T | None = None
    error: BaseException | None = None

    async def carry_out(self) -> None:
        """Do it, and keep the result or the error where Prefect cannot lose it."""
        try:
            self.result = await self.plain()
        except BaseException as error:
            self.error = error
            raise
        self.done = True


_CALL: ContextVar[_Call[Any] | None] = ContextVar("sdlab_verb", default=None)


def _call(campaign_id: str, number: int) -> _Call[Any]:
    """Return the verb that is on its way for this experiment."""
    call = _CALL.get()
    if call is None or (call.campaign_id, call.number) != (campaign_id, number):
        raise RuntimeError(
            f"experiment {number} of {campaign_id} has no laboratory in this process; take it "
            f"with `sdlab resume {campaign_id}`"
        )
    return call


def _name() -> str:
    call = _CALL.get()
    return call.name[:_LONGEST_NAME] if call is not None else "without a laboratory"


# A device that has acted must not act again, and two replicates of one recipe are two samples:
# nothing here is cached, persisted or tried again by Prefect. The journal does that.
_physical = task(
    task_run_name=_name, cache_policy=NO_CACHE, persist_result=False, retries=0, log_prints=False
)


@_physical
async def plan(campaign_id: str, number: int) -> None:
    """Choose the next experiment."""
    await _call(campaign_id, number).carry_out()


@_physical
async def synthesize(campaign_id: str, number: int) -> None:
    """Make the sample."""
    await _call(campaign_id, number).carry_out()


@_physical
async def measure(campaign_id: str, number: int) -> None:
    """Take the measurements."""
    await _call(campaign_id, number).carry_out()


@_physical
async def analyze(campaign_id: str, number: int) -> None:
    """Ask the agents."""
    await _call(campaign_id, number).carry_out()


@_physical
async def score(campaign_id: str, number: int) -> None:
    """Turn insights into an observation."""
    await _call(campaign_id, number).carry_out()


async def _propose(run: Run, number: int) -> Proposal:
    name = f"plan: {run.match.planner.name}"
    return await _through(plan, run, number, name, partial(PLAIN.propose, run, number))


async def _synthesize(run: Run, number: int, proposal: Proposal) -> Sample:
    name = f"synthesize {' or '.join(run.match.synthesizers)}: {in_words(run, proposal.values)}"
    plain = partial(PLAIN.synthesize, run, number, proposal)
    return await _through(synthesize, run, number, name, plain)


async def _measure(run: Run, number: int, sample: Sample) -> list[Measurement]:
    again = "" if sample.number == number else " again"
    name = f"measure {', '.join(run.match.users['measure'])}: {sample.id}{again}"
    plain = partial(PLAIN.measure, run, number, sample)
    return await _through(measure, run, number, name, plain)


async def _analyze(run: Run, number: int, measurements: list[Measurement]) -> list[Insight]:
    name = f"analyze: {', '.join(run.match.agents)}"
    plain = partial(PLAIN.analyze, run, number, measurements)
    return await _through(analyze, run, number, name, plain)


async def _score(
    run: Run, number: int, proposal: Proposal, sample: Sample, insights: list[Insight]
) -> Observation:
    name = f"score: {', '.join(run.campaign.objective.quantities)}"
    plain = partial(PLAIN.score, run, number, proposal, sample, insights)
    return await _through(score, run, number, name, plain)


UNDER_PREFECT = Verbs(_propose, _synthesize, _measure, _analyze, _score)
"""The verbs, each as a task of the flow run around it."""


async def _through(
    carrier: _Carrier, run: Run, number: int, name: str, plain: Callable[[], Awaitable[T]]
) -> T:
    """Return what a verb gives, carried by a task if Prefect is able to."""
    call = _Call(run.id, number, name, plain)
    token = _CALL.set(call)
    try:
        await carrier(run.id, number)
    except Exception as error:  # noqa: BLE001  (the verb's own error is kept in the call)
        if call.error is None:
            log.warning("Prefect failed around %r; it goes on without: %r", name, error)
    finally:
        _CALL.reset(token)
    if call.error is not None:
        raise call.error
    return cast(T, call.result) if call.done else await plain()
