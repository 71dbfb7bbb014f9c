"""Several turns of one campaign at once, each in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from instruments.clock import Clock, VirtualClock
from orchestrator.run import Run
from planners.proposal import Observation

TakeTurn = Callable[[Run, int], Awaitable[Observation]]


class Flight:
    """The turns that are under way; leaving the block takes back those that are left.

    Virtual time passes only while every turn is in the laboratory, waiting for an instrument or
    using one. So what happens does not depend on how fast planners, agents or Prefect are.

    Parameters
    ----------
    take_turn : takes one turn.
    """

    def __init__(self, run: Run, take_turn: TakeTurn) -> None:
        self._run = run
        self._take_turn = take_turn
        self._tasks: dict[asyncio.Task[Observation], int] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def begin(self, number: int) -> None:
        """Begin a turn, and return when it has its proposal or has ended.

        So turns are planned one after the other, and each knows of those before it.
        """
        task = asyncio.create_task(self._taken(number), name=f"experiment {number}")
        self._tasks[task] = number
        proposed = self._run.under_way.proposed(number)
        both: set[asyncio.Future[Any]] = {task, proposed}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)

    async def landed(self, *, wait: bool) -> dict[int, BaseException | None]:
        """Return the turns that have ended, with their errors.

        Parameters
        ----------
        wait : until there is one.
        """
        if wait and self._tasks:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        done = [task for task in self._tasks if task.done()]
        return {self._tasks.pop(task): _error(task) for task in done}

    async def _taken(self, number: int) -> Observation:
        with _standing_still(self._run.laboratory.clock) as time_passes:
            run = replace(self._run, time_passes=time_passes)
            return await self._take_turn(run, number)


def _error(task: asyncio.Task[Observation]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()


@contextmanager
def _standing_still(clock: Clock) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Keep virtual time still, and give what lets it pass for a while."""
    if isinstance(clock, VirtualClock):
        with clock.hold():
            yield clock.release
    else:
        yield nullcontext
