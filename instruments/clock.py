"""Clocks: real time, and a virtual time that passes as soon as everyone waits."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The only way an instrument may read or wait for time."""

    @property
    def is_virtual(self) -> bool:
        """Whether waiting costs no real time."""
        ...

    def now(self) -> datetime:
        """Return the laboratory time, with time zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of laboratory time."""
        ...


class RealClock:
    """Wall-clock time."""

    is_virtual = False

    def now(self) -> datetime:
        """Return the present time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for real."""
        await asyncio.sleep(max(seconds, 0.0))


class VirtualClock:
    """A time that jumps to the next wake-up as soon as nothing else can run.

    Sleepers stand in a heap ordered by wake-up time. Whenever somebody goes to sleep, the clock
    yields to the event loop until no other callback is ready, then wakes the earliest sleeper.
    Work that leaves the event loop (a thread, real I/O) is invisible to it, so such work is
    wrapped in `hold`.

    Parameters
    ----------
    start : laboratory time at the beginning.
    """

    is_virtual = True
    _SETTLE_ROUNDS = 8
    """Rounds of the event loop granted to others before time moves."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._holds = 0

    def now(self) -> datetime:
        """Return the virtual time."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of virtual time, in almost no real time."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        wake = loop.create_future()
        heapq.heappush(
            self._sleepers, (self._now + timedelta(seconds=seconds), next(self._order), wake)
        )
        loop.call_soon(self._advance, self._SETTLE_ROUNDS)
        await wake

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep time still while work runs where the clock cannot see it."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if self._sleepers and not self._holds:
                asyncio.get_running_loop().call_soon(self._advance, self._SETTLE_ROUNDS)

    def _advance(self, rounds: int) -> None:
        if self._holds or not self._sleepers:
            return
        if rounds:
            asyncio.get_running_loop().call_soon(self._advance, rounds - 1)
            return
        time, _, wake = heapq.heappop(self._sleepers)
        if not wake.done():
            self._now = max(self._now, time)
            wake.set_result(None)
        if self._sleepers:
            asyncio.get_running_loop().call_soon(self._advance, self._SETTLE_ROUNDS)
