"""Clocks: real time, faster time, and a virtual time that passes as soon as everyone waits."""

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


class FasterClock:
    """Real time that runs faster, to rehearse with simulated instruments in other processes.

    Parameters
    ----------
    anchor : the moment at which it agreed with the wall clock; processes that share it and
        `speed` agree on the time.
    speed : seconds of laboratory time in a real second.
    """

    is_virtual = False

    def __init__(self, anchor: datetime, speed: float) -> None:
        self.anchor = anchor
        self.speed = speed

    def now(self) -> datetime:
        """Return the laboratory time."""
        return self.anchor + (datetime.now(UTC) - self.anchor) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for the real part of `seconds`."""
        await asyncio.sleep(max(seconds, 0.0) / self.speed)


class VirtualClock:
    """A time that jumps to the next wake-up as soon as nothing else can run.

    Sleepers stand in a heap ordered by wake-up time. One ticker gives everybody else some rounds
    of the event loop, wakes the earliest sleeper, and starts counting again, so that a woken
    sleeper acts, and may sleep again, before time moves on. Work that leaves the event loop (a
    thread, real I/O) is invisible to it, so such work is wrapped in `hold`.

    Parameters
    ----------
    start : laboratory time at the beginning, with time zone.

    Raises
    ------
    ValueError
        `start` has no time zone.
    """

    is_virtual = True
    _SETTLE_ROUNDS = 16
    """Rounds of the event loop granted to others before time moves."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        if self._now.tzinfo is None:
            raise ValueError(f"the clock starts at {self._now} without a time zone; add one")
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._holds = 0
        self._rounds = 0
        self._ticking_on: asyncio.AbstractEventLoop | None = None

    def now(self) -> datetime:
        """Return the virtual time."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of virtual time, in almost no real time."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake = asyncio.get_running_loop().create_future()
        time = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (time, next(self._order), wake))
        self._let_others_run()
        await wake

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep time still while work runs where the clock cannot see it."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if not self._holds:
                self._let_others_run()

    @contextmanager
    def release(self) -> Iterator[None]:
        """Let time pass in a block inside `hold`, as far as nobody else holds it."""
        self._holds -= 1
        if not self._holds:
            self._let_others_run()
        try:
            yield
        finally:
            self._holds += 1

    def _let_others_run(self) -> None:
        """Start the count of rounds anew; there is one ticker an event loop, never two."""
        self._rounds = self._SETTLE_ROUNDS
        loop = asyncio.get_running_loop()
        if self._ticking_on is not loop:
            self._ticking_on = loop
            loop.call_soon(self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # its task was cancelled; time does not move for it
        if self._holds or not self._sleepers:
            self._ticking_on = None
            return
        if self._rounds:
            self._rounds -= 1
        else:
            time, _, wake = heapq.heappop(self._sleepers)
            self._now = max(self._now, time)
            wake.set_result(None)
            self._rounds = self._SETTLE_ROUNDS
        loop.call_soon(self._tick, loop)
