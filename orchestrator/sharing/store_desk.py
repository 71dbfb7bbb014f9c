"""A desk in the database: processes, also on several machines, share a laboratory's instruments."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from orchestrator.errors import StoreError, StoreLocked
from orchestrator.sharing.holding import is_running, this_process
from orchestrator.sharing.lease_signs import Hearing, Heartbeat
from orchestrator.sharing.scheduling import checked_needs
from orchestrator.store.leases import Lease, Leases

logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tempo:
    """How often a desk looks and is heard, in real seconds.

    Attributes
    ----------
    poll : between two looks at the queue while somebody waits.
    heartbeat : between two signs of life of whoever holds or waits.
    expiry : a holder on another machine that was silent for so long is taken for dead.
    """

    poll: float = 0.2
    heartbeat: float = 5.0
    expiry: float = 20.0


class StoreDesk:
    """Lends the instruments of one laboratory through the table of leases.

    The lease of a process that died is released by whoever waits: at once if it died on this
    machine, after `Tempo.expiry` if it was on another. A process that is only busy keeps its
    leases, as a thread of its own beats for it. A locked database is waited for.

    Parameters
    ----------
    laboratory : its name; leases of two laboratories with one name are the same leases.
    """

    def __init__(self, leases: Leases, laboratory: str, *, tempo: Tempo | None = None) -> None:
        self._leases = leases
        self._laboratory = laboratory
        self._tempo = tempo or Tempo()
        self._me = this_process()
        self._heartbeat = Heartbeat(leases, self._tempo.heartbeat)
        self._hearing = Hearing(self._tempo.expiry)
        self._threads = ThreadPoolExecutor(2, "desk")
        self._waiting: dict[int, asyncio.Future[tuple[str, ...]]] = {}
        self._look_now = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def use(
        self,
        campaign_id: str,
        needs: Sequence[Sequence[str]],
        *,
        purpose: str,
        priority: int = 0,
    ) -> AsyncIterator[tuple[str, ...]]:
        """Hold instruments for the block. See `Desk.use`."""
        ask = partial(
            self._leases.ask,
            self._laboratory,
            campaign_id,
            checked_needs(needs),
            purpose=purpose,
            priority=priority,
            holder=self._me,
        )
        asking = asyncio.ensure_future(self._patiently(ask))
        try:
            row, given = await to_the_end(asking)
        except asyncio.CancelledError:
            if asking.done() and not asking.cancelled() and asking.exception() is None:
                await to_the_end(self._give_back(asking.result()[0]))
            raise
        self._heartbeat.add(row)
        try:
            yield given or await self._granted(row)
        finally:
            await to_the_end(self._give_back(row))

    async def _granted(self, row: int) -> tuple[str, ...]:
        granted: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
        self._waiting[row] = granted
        self._look_now.set()
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        try:
            return await granted
        finally:
            del self._waiting[row]

    async def _give_back(self, row: int) -> None:
        kept = await self._patiently(partial(self._leases.give_back, self._laboratory, row))
        self._heartbeat.remove(row)
        self._look_now.set()
        if not kept:
            logger.warning(
                "lease was taken away laboratory=%s row=%s: this process was silent for too long",
                self._laboratory,
                row,
            )

    async def _watch(self) -> None:
        """Look at the queue while somebody of this process waits in it."""
        while self._waiting:
            self._look_now.clear()
            try:
                await self._look()
            except StoreError as error:
                self._fail(error)
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), self._tempo.poll)

    async def _look(self) -> None:
        look = partial(self._leases.queue, self._laboratory)
        queue = await self._patiently(look)
        if dead := [lease for lease in queue if self._is_dead(lease)]:
            gone = await self._patiently(partial(self._leases.take_away, self._laboratory, dead))
            for lease in gone:
                logger.warning("lease of a dead process released: %s", lease)
            queue = await self._patiently(look)
        for lease in queue:
            waiting = self._waiting.get(lease.row)
            if lease.given and waiting is not None and not waiting.done():
                waiting.set_result(lease.given)

    def _fail(self, error: StoreError) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)

    def _is_dead(self, lease: Lease) -> bool:
        if lease.holder.host == self._me.host:
            return not is_running(lease.holder)
        return self._hearing.is_silent(lease.row, lease.heartbeat)

    async def _patiently(self, work: Callable[[], T]) -> T:
        """Work on the database in a thread, as often as it takes to find it unlocked."""
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
            except StoreLocked as error:
                logger.warning("the queue for instruments waits: %s", error)
                await asyncio.sleep(self._tempo.poll)


async def to_the_end(work: Awaitable[T]) -> T:
    """Wait for work that must be finished even if the waiting is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
