"""A process that kills itself, with SIGKILL, at a random instant of a chosen phase.

The history and the instruments are wrapped from outside; nothing under test knows of it. When
the phase of the chosen action comes, a thread sleeps for a random moment and kills the process, so
the instruction that is hit is a different one each time.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from instruments.capabilities import Capabilities
from instruments.commands import Command, Outcome
from instruments.protocols import Answer, Estimated, Status, StopResult
from orchestrator.store import ActionRecord, Store

Phase = Literal[
    "before the intent",
    "after the intent",
    "after the send",
    "after the acknowledgement",
    "after the result",
    "during the planner's write",
]

PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass
class Sabotage:
    """When to strike.

    Attributes
    ----------
    nth : which occurrence of the phase, counted from 0 in this process.
    within : the blow falls at a random moment up to so many seconds after the phase began.
    on_progress : called at the first sign that a resumed campaign goes on.
    """

    phase: Phase | None
    nth: int
    within: float
    rng: random.Random
    on_progress: Callable[[], None] = lambda: None
    _seen: int = field(default=0)
    _moved: bool = field(default=False)

    def reached(self, phase: Phase) -> None:
        """Strike soon, if this is the occurrence that was chosen."""
        if phase != self.phase:
            return
        self._seen += 1
        if self._seen == self.nth + 1:
            delay = self.rng.uniform(0, self.within)
            threading.Thread(target=_strike, args=(delay,), daemon=True).start()

    def progressed(self) -> None:
        """Note that the campaign has moved on."""
        if not self._moved:
            self._moved = True
            self.on_progress()


def _strike(delay: float) -> None:
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGKILL)


class WatchedHistory:
    """The store, with an eye on the phases."""

    def __init__(self, store: Store, sabotage: Sabotage) -> None:
        self._store = store
        self._sabotage = sabotage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def record_proposal(self, *args: Any, **more: Any) -> None:
        """Begin an experiment."""
        self._sabotage.reached("during the planner's write")
        self._store.record_proposal(*args, **more)
        self._sabotage.progressed()

    def record_action(self, action: ActionRecord) -> None:
        """Write down an action: first intended, then sent."""
        if action.sent is not None:
            self._store.record_action(action)
            return
        self._sabotage.reached("before the intent")
        self._store.record_action(action)
        self._sabotage.reached("after the intent")
        self._sabotage.progressed()

    def settle_action(self, action: ActionRecord) -> None:
        """Write down how an action ended."""
        self._store.settle_action(action)
        self._sabotage.progressed()


class WatchedInstrument:
    """A hosted instrument, with an eye on the phases.

    Parameters
    ----------
    asks : the device cannot be asked what became of a command, and does not know a command that
        is sent a second time: each sending gets an id of its own.
    """

    def __init__(self, inner: Any, sabotage: Sabotage, *, asks: bool) -> None:
        self.name: str = inner.name
        self._inner = inner
        self._sabotage = sabotage
        self._asks = asks

    async def connect(self) -> None:
        """Open the connection."""
        await self._inner.connect()

    async def disconnect(self) -> None:
        """Close the connection."""
        await self._inner.disconnect()

    def describe(self) -> Capabilities:
        """Return what the instrument can do."""
        found: Capabilities = self._inner.describe()
        return found.model_copy(update={"recovery": "ask_operator"}) if self._asks else found

    def check(self, command: Command) -> Estimated:
        """Check a command."""
        estimated: Estimated = self._inner.check(command)
        return estimated

    async def execute(self, command_id: str, command: Command) -> Outcome:
        """Carry a command out; the blow may fall while it is sent, runs, or has just ended."""
        wire_id = f"{command_id}-{os.getpid()}" if self._asks else command_id
        self._sabotage.reached("after the send")
        sending = asyncio.create_task(self._inner.execute(wire_id, command))
        watching = asyncio.create_task(self._acknowledged(wire_id))
        try:
            outcome: Outcome = await sending
        finally:
            watching.cancel()
        self._sabotage.reached("after the result")
        return outcome

    @property
    def memory(self) -> str:
        """Return what the instrument remembers its commands in."""
        found: str = self._inner.memory
        return found

    async def query(self, command_id: str) -> Answer:
        """Return what became of a command."""
        answer: Answer = await self._inner.query(command_id)
        return answer

    async def fence(self, scope: str, token: int) -> None:
        """Accept commands from the holder of a token only."""
        await self._inner.fence(scope, token)

    async def status(self) -> Status:
        """Return what the instrument is doing."""
        status: Status = await self._inner.status()
        return status

    async def stop(self, *, emergency: bool = False) -> StopResult:
        """Stop."""
        result: StopResult = await self._inner.stop(emergency=emergency)
        return result

    async def reset(self) -> None:
        """Leave a fault."""
        await self._inner.reset()

    async def read(self) -> dict[str, Any]:
        """Return present readings."""
        found: dict[str, Any] = await self._inner.read()
        return found

    async def _acknowledged(self, command_id: str) -> None:
        if self._sabotage.phase != "after the acknowledgement":
            return
        while (await self._inner.query(command_id)).fate == "not_seen":
            await asyncio.sleep(0.001)
        self._sabotage.reached("after the acknowledgement")
