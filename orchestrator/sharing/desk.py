"""Desk: where campaigns ask for instruments, wait their turn and give them back."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from instruments.clock import Clock
from orchestrator.sharing.scheduling import Request, checked_needs, grants


class Desk(Protocol):
    """Lends the instruments of one laboratory; an instrument serves one action at a time."""

    def use(
        self,
        campaign_id: str,
        needs: Sequence[Sequence[str]],
        *,
        purpose: str,
        priority: int = 0,
    ) -> AbstractAsyncContextManager[tuple[str, ...]]:
        """Wait for instruments, hold them for the block, and give them back.

        Parameters
        ----------
        needs : alternatives for each need, the preferred one first. All needs are met at once,
            so nobody holds one instrument while waiting for another.
        purpose : what for, in the words of whoever looks at the queue.
        priority : higher goes first; whoever waits rises.

        Returns
        -------
        A block that is given the names, one a need.

        Raises
        ------
        CampaignError
            The needs can never be met.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: Request
    granted: asyncio.Future[tuple[str, ...]]


class LocalDesk:
    """Lends instruments within one process and event loop, also in virtual time.

    One desk may be shared by any number of campaigns on one laboratory.

    Parameters
    ----------
    clock : the laboratory's, by which waiting counts; without one, real time.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self._arrivals = itertools.count()
        self._waiting: dict[int, _Waiting] = {}
        self._held: dict[str, int] = {}

    @asynccontextmanager
    async def use(
        self,
        campaign_id: str,  # noqa: ARG002  one queue serves all campaigns alike
        needs: Sequence[Sequence[str]],
        *,
        purpose: str,  # noqa: ARG002  nobody looks into this queue
        priority: int = 0,
    ) -> AsyncIterator[tuple[str, ...]]:
        """Hold instruments for the block. See `Desk.use`."""
        request = Request(next(self._arrivals), checked_needs(needs), priority, self._now())
        granted: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = _Waiting(request, granted)
        try:
            self._serve()
            yield await granted
        finally:
            self._waiting.pop(request.id, None)
            self._held = {name: by for name, by in self._held.items() if by != request.id}
            self._serve()

    def _now(self) -> float:
        return time.monotonic() if self._clock is None else self._clock.now().timestamp()

    def _serve(self) -> None:
        """Grant what can be granted; whoever was cancelled meanwhile is passed over."""
        waiting = [w.request for w in self._waiting.values() if not w.granted.done()]
        for number, names in grants(self._held, waiting).items():
            self._held |= dict.fromkeys(names, number)
            self._waiting.pop(number).granted.set_result(names)
