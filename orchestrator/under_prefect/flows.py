"""One turn of the loop as one short Prefect flow run, and without Prefect when Prefect fails.

What must not be lost is in our history before Prefect hears of it, and every verb finds its record
there. So whatever happens to the server, the turn is finished by the plain loop from the history:
Prefect is the window, not the memory.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Self
from uuid import UUID

import httpx
from prefect import tags
from prefect.context import AsyncClientContext, SyncClientContext
from prefect.exceptions import PrefectException
from prefect.settings import get_current_settings

from orchestrator.flight import TakeTurn
from orchestrator.loop import turn
from orchestrator.report.artifacts import Fractions
from orchestrator.run import Run
from orchestrator.under_prefect.afterwards import publish_missed
from orchestrator.under_prefect.attempt import UNDER_WAY, Attempt, experiment
from orchestrator.under_prefect.health import is_alive
from orchestrator.under_prefect.publish import flush, keep_off_the_screen
from orchestrator.under_prefect.reconcile import reconcile, settle
from orchestrator.under_prefect.transport import PatientTransport
from planners.proposal import Observation

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a turn waits for Prefect, in s; never for the laboratory, which takes its time.

    Attributes
    ----------
    health : for the answer that the server is well.
    begin : for a flow run to begin before the turn is taken without it.
    close : for a finished turn's figures and final state; the rest is done beside the next turn.
    longest_rest : longest pause before a failing server is tried again.
    """

    health: float = 1.0
    begin: float = 15.0
    close: float = 8.0
    longest_rest: float = 60.0


class PrefectTurns:
    """Takes turns as Prefect flow runs, and plainly while Prefect cannot.

    As an asynchronous context manager it keeps one connection for all turns, which halves the cost
    of a turn, and waits at the end until Prefect has heard everything.

    Parameters
    ----------
    api_url : the server's API; by default the one in Prefect's settings.
    artifacts : publish tables and figures with every turn.
    """

    def __init__(
        self,
        api_url: str | None = None,
        *,
        artifacts: bool = True,
        patience: Patience | None = None,
    ) -> None:
        self._api_url = api_url or get_current_settings().api.url or ""
        self._artifacts = artifacts
        self._patience = patience or Patience()
        self._troubles = 0
        self._try_again_at = 0.0
        self._closing: set[asyncio.Task[None]] = set()
        self._unsettled: dict[UUID, bool] = {}
        self._missed: dict[str, tuple[Run, set[int]]] = {}
        self._fractions: dict[str, dict[int, Fractions]] = {}
        self._connection = AsyncExitStack()
        keep_off_the_screen()

    async def __aenter__(self) -> Self:
        """Open the connection that all turns share."""
        try:
            plain = self._api_url.startswith("http://")
            line = {"transport": PatientTransport()} if plain else None
            client = AsyncClientContext(httpx_settings=line)
            # Prefect shares a client only with callers who ask for the same settings, and its
            # engine asks for none.
            client._httpx_settings = None
            await self._connection.enter_async_context(client)
            self._connection.enter_context(SyncClientContext.get_or_create())
        except (httpx.HTTPError, PrefectException, RuntimeError) as error:
            log.warning("no lasting connection to Prefect, so each turn makes its own: %r", error)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Tell Prefect everything and close the connection."""
        try:
            await self.finish()
        finally:
            await self._connection.aclose()

    async def take(self, run: Run, number: int) -> Observation:
        """Take one turn, seen in Prefect if it works, and return what the turn told.

        Raises
        ------
        CampaignError
            The campaign cannot go on; exactly what the plain loop would raise.
        """
        if not await self._works():
            return await self._without(run, number)
        fractions = self._fractions.setdefault(run.id, {})
        handler = signal.getsignal(signal.SIGTERM)
        attempt = Attempt(run, number, self._artifacts, fractions, handler)
        await self._through_prefect(attempt)
        if attempt.error is not None:
            raise attempt.error
        if attempt.observation is None:
            return await self._without(run, number)
        return attempt.observation

    def add_missed(self, run: Run, taken: Collection[int] = ()) -> None:
        """Have turns shown that were taken without Prefect, while the next ones are taken."""
        adding = asyncio.create_task(self._add_missed(run, taken))
        self._closing.add(adding)
        adding.add_done_callback(self._closing.discard)

    async def finish(self, *, timeout: float = 30.0) -> None:
        """Wait until Prefect has heard everything, `timeout` seconds at the longest."""
        deadline = time.monotonic() + timeout
        await self._close(deadline)
        if await self._works():
            await self._close(deadline)
            await flush(timeout=max(deadline - time.monotonic(), 1.0))
        for late in self._closing:
            late.cancel()

    async def _close(self, deadline: float) -> None:
        """Wait for what is still being told to Prefect."""
        if self._closing:
            await asyncio.wait(self._closing, timeout=max(deadline - time.monotonic(), 0.0))

    async def _works(self) -> bool:
        if not self._api_url or time.monotonic() < self._try_again_at:
            return False
        began = time.monotonic()
        if await asyncio.to_thread(is_alive, self._api_url, timeout=self._patience.health):
            await self._settle()
            self._catch_up()
            return True
        if time.monotonic() - began > self._patience.health / 2:
            self._rest()  # a dead server refuses at once, a hanging one costs time
        return False

    async def _through_prefect(self, attempt: Attempt) -> None:
        """Carry a turn; whatever Prefect does, return with what the laboratory did."""
        carrying = asyncio.create_task(self._call(attempt))
        self._closing.add(carrying)
        carrying.add_done_callback(self._closing.discard)
        try:
            await _first(carrying, attempt.begun, timeout=self._patience.begin)
            if not attempt.begun.is_set():
                attempt.abandoned = True
                carrying.cancel()
                self._trouble(f"the flow run of {attempt.name} did not begin")
                return
            await _first(carrying, attempt.ended, timeout=None)
            await asyncio.wait({carrying}, timeout=self._patience.close)
        except asyncio.CancelledError:
            carrying.cancel()
            await asyncio.wait({carrying}, timeout=self._patience.close)
            raise
        if not carrying.done():
            self._trouble(f"the flow run of {attempt.name} did not close in time")

    async def _call(self, attempt: Attempt) -> None:
        """Call the flow; Prefect's own errors end here."""
        UNDER_WAY.set(attempt)
        run = attempt.run
        labels = (f"campaign:{run.id}", f"experiment:{attempt.number:03d}", "sdlab")
        try:
            with tags(*labels):
                await experiment(run.id, attempt.number, return_state=True)
            self._troubles = 0
        except Exception as error:  # noqa: BLE001  (the laboratory's own error is in the attempt)
            if attempt.error is None:
                self._trouble(f"the flow run of {attempt.name} broke off ({error!r})")
            if attempt.flow_run_id is not None:
                self._unsettled[attempt.flow_run_id] = attempt.observation is not None

    def _trouble(self, what: str) -> None:
        log.warning("%s; the campaign goes on without Prefect and tries it again", what)
        self._rest()

    def _rest(self) -> None:
        self._troubles += 1
        rest = min(2.0 ** (self._troubles - 1), self._patience.longest_rest)
        self._try_again_at = time.monotonic() + rest

    async def _without(self, run: Run, number: int) -> Observation:
        """Take a turn that Prefect will only hear of afterwards."""
        observation = await turn(run, number)
        self._missed.setdefault(run.id, (run, set()))[1].add(number)
        return observation

    async def _add_missed(self, run: Run, taken: Collection[int]) -> None:
        try:
            await publish_missed(run, taken_without=taken)
        except (httpx.HTTPError, PrefectException, RuntimeError) as error:
            log.warning("turns of %s that Prefect missed were not all added: %r", run.id, error)
            self._missed.setdefault(run.id, (run, set()))[1].update(taken)

    def _catch_up(self) -> None:
        missed, self._missed = self._missed, {}
        for run, taken in missed.values():
            self.add_missed(run, taken)

    async def _settle(self) -> None:
        """Tell a server that is back how the flow runs ended that it lost sight of."""
        lost, self._unsettled = self._unsettled, {}
        if lost and not await settle(lost):
            self._unsettled.update(lost)


@asynccontextmanager
async def seen_in_prefect(run: Run) -> AsyncIterator[TakeTurn]:
    """Give the function that takes a campaign's turns under Prefect.

    Flow runs that an earlier process left open are closed first; at the end everything that
    Prefect has not heard yet is sent off. Enter it while this process holds the campaign.
    """
    async with PrefectTurns() as turns:
        finished = {number for number, _ in run.history.observations(run.id)}
        try:
            await reconcile(run.id, finished=finished)
        except (httpx.HTTPError, PrefectException) as error:
            log.warning("open flow runs of %s could not be closed: %r", run.id, error)
        if finished:
            turns.add_missed(run)
        yield turns.take


async def turn_under_prefect(run: Run, number: int) -> Observation:
    """Take one turn with this process' `PrefectTurns`; see there."""
    return await process_turns().take(run, number)


@cache
def process_turns() -> PrefectTurns:
    """Return the one `PrefectTurns` of this process, for the server in Prefect's settings."""
    return PrefectTurns()


async def _first(
    carrying: asyncio.Task[None], event: asyncio.Event, *, timeout: float | None
) -> None:
    """Return when the task or the event is done, or after `timeout` seconds."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait(
            {carrying, waiting}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        waiting.cancel()
