"""CPU work beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from instruments.clock import Clock, VirtualClock

T = TypeVar("T")


async def beside(clock: Clock, work: Callable[[], T]) -> T:
    """Return what `work` gives, run in a thread while virtual time stands still."""
    with clock.hold() if isinstance(clock, VirtualClock) else nullcontext():
        return await asyncio.to_thread(work)
