"""What people wish of a running campaign, carried out by the process that runs it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Literal

from instruments.protocols import Instrument
from instruments.stopping import Stopped, stop_all
from orchestrator.control import Ending
from orchestrator.errors import CampaignError, StoreError
from orchestrator.flight import TakeTurn
from orchestrator.people.interrupt import Interrupt
from orchestrator.run import Run
from orchestrator.sharing.desk import Desk
from orchestrator.store import Store
from orchestrator.store.wishes import Wish
from planners.proposal import Observation

logger = logging.getLogger(__name__)


class CampaignOver(CampaignError):
    """A person has ended the campaign, so nothing new begins."""


LOOK_EVERY = 0.15
"""Real seconds between two looks at what is wished; an emergency stop waits no longer than this."""

LONGEST_STEP = 48 * 3600.0
"""Real seconds that a cancelled command may take to the end of a step that cannot be cut short."""

SETTLING = 3.0
"""Real seconds granted to stopped commands for writing down how they ended."""


class Steering:
    """Pauses, cancels and stops one campaign as people wish.

    A pause lets the experiments under way come to their end, so that no sample waits half-made;
    nothing new begins. A cancelled campaign's own commands are stopped, an emergency stop reaches
    every instrument of the laboratory.

    Parameters
    ----------
    interrupt : Ctrl-C in this process, which counts as a wish that nothing new begins.
    """

    def __init__(self, run: Run, store: Store, take_turn: TakeTurn, interrupt: Interrupt) -> None:
        self._run = run
        self._store = store
        self._take_turn = take_turn
        self._interrupt = interrupt
        self._wish = Wish("run", "", None, "")
        self._may_begin = asyncio.Event()
        self._may_begin.set()
        self._active = 0
        self._has_ended = False
        self._last_words = ""

    def steered(self, run: Run) -> Run:
        """Return the run, to which no instrument is lent once the campaign is over."""
        return replace(run, desk=_Gate(run.desk, self))

    def goes_on(self) -> bool:
        """Return whether another experiment may be thought of."""
        return not self._interrupt.pressed and not self.is_over

    @property
    def is_over(self) -> bool:
        """Whether a person has ended the campaign, for good or for now."""
        return self._wish.wish in ("cancel", "stop")

    def ending(self, experiments: int) -> Ending:
        """Return how a person has ended the campaign."""
        cancelled = self._wish.wish == "cancel"
        status: Literal["cancelled", "stopped"] = "cancelled" if cancelled else "stopped"
        how = "cancelled" if cancelled else "emergency stop"
        why = f": {self._wish.reason}" if self._wish.reason else ""
        return Ending(status, f"{how} by {self._wish.by}{why}{self._last_words}", experiments)

    async def take(self, run: Run, number: int) -> Observation:
        """Take a turn as soon as it may begin."""
        with run.time_passes():  # or those under way would never end in virtual time
            await self._may_begin.wait()
        self._active += 1
        try:
            return await self._take_turn(run, number)
        finally:
            self._active -= 1

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Carry out wishes while the block runs, whose task is cancelled when it is over.

        The block is left only when every instrument that is to stop has been spoken to.
        """
        campaign = asyncio.current_task()
        assert campaign is not None
        await self._look()
        watching = asyncio.create_task(self._watch(campaign.cancel))
        try:
            yield
        finally:
            self._has_ended = True
            if self.is_over:
                await asyncio.wait({watching})
            watching.cancel()

    async def _watch(self, end: Callable[[], object]) -> None:
        while not self.is_over:
            await asyncio.sleep(LOOK_EVERY)
            await self._look()
            if self._interrupt.pressed and not self._may_begin.is_set() and not self._active:
                self._interrupt.say("stopped while it was paused")
                end()
        try:
            if self._wish.wish == "cancel":
                await self._stop_own()
            if self._wish.wish == "stop":
                await self._stop_everything()
            await self._settled()
        finally:
            if not self._has_ended:
                end()

    async def _look(self) -> None:
        """Read what is wished; a history that cannot be read for a moment changes nothing."""
        try:
            wish = self._store.wishes.find(self._run.id)
            if self._wish.wish == "cancel" and wish.wish != "stop":
                return  # what is being ended for good does not go on
            before, self._wish = self._wish, wish
            if wish.wish != before.wish:
                self._follow(wish)
        except StoreError as error:
            logger.warning("wishes could not be followed campaign=%s: %s", self._run.id, error)

    def _follow(self, wish: Wish) -> None:
        self._interrupt.say(f"{wish.by} wishes: {wish.wish}")
        if wish.wish == "run":
            self._may_begin.set()
            self._store.set_status(self._run.id, "running", f"resumed by {wish.by}")
            return
        self._may_begin.clear()
        if wish.wish == "pause":
            why = f" ({wish.reason})" if wish.reason else ""
            under_way = f"; {self._active} under way will be finished" if self._active else ""
            said = f"paused by {wish.by}{why}{under_way}"
            self._interrupt.say(f"{said}; go on with `sdlab resume {self._run.id}`")
            self._store.set_status(self._run.id, "paused", said)

    async def _stop_everything(self) -> None:
        self._record(await stop_all(self._run.laboratory.instruments, emergency=True))

    async def _stop_own(self) -> None:
        """Stop the commands of this campaign; an emergency stop overtakes that."""
        own = await _busy_with(self._run.laboratory.instruments, self._run.id)
        stopping = asyncio.create_task(stop_all(own, emergency=False, patience=LONGEST_STEP))
        while not stopping.done() and self._wish.wish == "cancel":
            await asyncio.wait({stopping}, timeout=LOOK_EVERY)
            await self._look()
        if stopping.done():
            self._record(stopping.result())
        stopping.cancel()

    async def _settled(self) -> None:
        """Wait until the turns have written down how the stopped commands ended."""
        for _ in range(int(SETTLING / LOOK_EVERY)):
            if not self._active or not self._store.unsettled_actions(self._run.id):
                return
            await asyncio.sleep(LOOK_EVERY)

    def _record(self, said: Mapping[str, Stopped]) -> None:
        words = ", ".join(f"{n}: {s.result} {s.message}".rstrip() for n, s in said.items())
        words = words or "no instrument was working for it"
        self._last_words = f" ({words})"
        self._interrupt.say(words)
        try:
            self._store.record_event(self._run.id, "stopped", words)
        except StoreError as error:
            logger.warning("the stop could not be recorded campaign=%s: %s", self._run.id, error)


@dataclass(frozen=True, slots=True)
class _Gate:
    """A desk that lends nothing any more to a campaign that a person has ended."""

    desk: Desk
    steering: Steering

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
        self._refuse(purpose)
        async with self.desk.use(campaign_id, needs, purpose=purpose, priority=priority) as names:
            self._refuse(purpose)
            yield names

    def _refuse(self, purpose: str) -> None:
        if self.steering.is_over:
            ending = self.steering.ending(0)
            raise CampaignOver(f"{purpose} was not begun: {ending.reason}")


async def _busy_with(
    instruments: Mapping[str, Instrument], campaign_id: str
) -> dict[str, Instrument]:
    """Return the instruments that carry out a command of a campaign."""
    names = list(instruments)
    states = await asyncio.gather(*(instruments[name].status() for name in names))
    return {
        name: instruments[name]
        for name, status in zip(names, states, strict=True)
        if status.state == "busy" and status.command_id.startswith(f"{campaign_id}/")
    }
