"""The heart that all drivers share: checking, once-only execution, stopping and settling."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, replace

from instruments.acceptance import Acceptance
from instruments.capabilities import Capabilities
from instruments.clock import Clock
from instruments.commands import Command, Outcome, Settled
from instruments.device import Action, Device, StoppedAtBoundary
from instruments.errors import (
    CommandConflict,
    CommandRefused,
    InstrumentError,
    InstrumentFault,
    NotConnected,
)
from instruments.identity import identity_fault
from instruments.measurement import Measurement, Reading
from instruments.protocols import Estimated, State, Status, StopResult
from instruments.sample import Sample

logger = logging.getLogger(__name__)


EMERGENCY_STOP = "emergency_stop"
"""Fault of a command that somebody's emergency stop cut short; nothing is wrong with its recipe."""


@dataclass(slots=True)
class _Running:
    action: Action
    acting: asyncio.Task[Sample | Measurement]
    estimated: Estimated
    rest: asyncio.Task[bool] | None = None
    emergency: bool = False


class Executor:
    """An `Instrument` made of a `Device`, its capabilities and the laboratory's clock.

    - A command is checked for role, names, ranges, finite numbers, identities and the
      instrument's state before the device sees it, and every fault is reported at once.
    - One command acts at a time. A second one waits its turn, and is checked again when it comes;
      if the first one left the instrument stopped or in fault, the second one is refused.
    - A known command id with the same contents returns the recorded outcome; while it still runs,
      it waits for that outcome. A caller that is cancelled does not stop the device; `stop` does.
    - An `InstrumentFault` settles as failed and, if it needs a reset, leaves the instrument in
      fault. An unexpected exception settles as unconfirmed on hardware, because nobody knows what
      the device did, and as failed on a simulated instrument; both leave the instrument in fault.

    Parameters
    ----------
    remember : how many outcomes are kept for repetition. An older id is refused, never repeated.
    patience : real seconds that a cancelled action may take to end before `stop` says unconfirmed.
    """

    def __init__(
        self,
        name: str,
        capabilities: Capabilities,
        clock: Clock,
        device: Device,
        *,
        remember: int = 32,
        patience: float = 5.0,
    ) -> None:
        self.name = name
        self.clock = clock
        self.device = device
        self._capabilities = capabilities
        self._acceptance = Acceptance(name, capabilities, device)
        self._lock = asyncio.Lock()
        self._connected = False
        self._latched: State = "idle"
        self._why = ""
        self._running: _Running | None = None
        self._known: OrderedDict[str, tuple[Command, asyncio.Task[Outcome]]] = OrderedDict()
        self._forgotten: set[str] = set()
        self._remember = remember
        self._patience = patience

    async def connect(self) -> None:
        """Open the connection; a second call changes nothing."""
        if not self._connected:
            await self.device.open()
            self._connected = True
            logger.info("connected instrument=%s", self.name)

    async def disconnect(self) -> None:
        """Stop what runs and close the connection; a second call changes nothing."""
        if self._connected:
            if self._running:
                await self.stop()
            self._connected = False
            await self.device.close()
            logger.info("disconnected instrument=%s", self.name)

    def describe(self) -> Capabilities:
        """Return what the instrument can do."""
        return self._capabilities

    def check(self, command: Command) -> Estimated:
        """Return the expected duration and consumption; works without a connection.

        Raises
        ------
        CommandRefused
            With every reason found.
        """
        if self._latched != "idle":
            why = f"it is in state {self._latched} ({self._why}); reset it first"
            raise CommandRefused(self.name, [why])
        return self._acceptance.check(command)

    async def execute(self, command_id: str, command: Command) -> Outcome:
        """Carry out a command once, and say how it settled.

        Raises
        ------
        NotConnected, CommandRefused, CommandConflict
            Nothing has moved.
        """
        self._need_connection()
        if command_id in self._known:
            return await self._repeated(command_id, command)
        if fault := identity_fault(command_id):
            raise CommandRefused(self.name, [f"the command id {fault}"])
        if command_id in self._forgotten:
            why = f"command {command_id} was executed, and its outcome is no longer kept here"
            raise CommandRefused(self.name, [why + "; read it from the campaign's history"])
        self.check(command)
        task = asyncio.create_task(self._in_turn(command_id, command))
        self._known[command_id] = (command, task)
        return await asyncio.shield(task)

    async def status(self) -> Status:
        """Return what the instrument is doing now; never waits for a command to end."""
        if not self._connected:
            return Status("disconnected", message=f"{self.name} is not connected")
        running = self._running
        if running is None:
            return Status(self._latched, message=self._why)
        passed = (self.clock.now() - running.action.started).total_seconds()
        return Status(
            "busy",
            command_id=running.action.command_id,
            message=running.action.message,
            remaining=max(running.estimated.seconds - passed, 0.0),
        )

    async def stop(self, *, emergency: bool = False) -> StopResult:
        """Stop as soon as the device can; never queues behind a running command.

        A stopped command leaves the instrument ``stopped`` until `reset`, and so does every
        emergency stop. An emergency stop also cuts short a device that declares that it stops
        only between steps or not at all; the latter cannot confirm it.
        """
        running = self._running
        if running or emergency:
            self._latch("stopped", "emergency stop" if emergency else "stopped by request")
        if running:
            return await self._stopped(running, emergency=emergency)
        if emergency and not await self._brought_to_rest(emergency=True):
            return "unconfirmed"
        return "nothing_running"

    async def reset(self) -> None:
        """Leave ``stopped`` or ``fault`` for ``idle`` once the device has read itself back.

        Raises
        ------
        NotConnected, CommandRefused
            It is not connected, or a command is running.
        InstrumentFault
            The device is still not fit for use; it stays in fault.
        """
        self._need_connection()
        if self._running:
            running = self._running.action.command_id
            raise CommandRefused(self.name, [f"command {running} is running; stop it first"])
        try:
            await self.device.recover()
        except InstrumentFault as error:
            self._latch("fault", str(error))
            raise
        self._latch("idle", "")

    async def read(self) -> dict[str, Reading]:
        """Return the device's present readings.

        Raises
        ------
        NotConnected
            It is not connected.
        """
        self._need_connection()
        return await self.device.read()

    def _need_connection(self) -> None:
        if not self._connected:
            raise NotConnected(f"{self.name} is not connected; connect it first")

    def _latch(self, state: State, why: str) -> None:
        self._latched, self._why = state, why

    async def _repeated(self, command_id: str, command: Command) -> Outcome:
        known, task = self._known[command_id]
        if known != command:
            raise CommandConflict(
                f"{self.name} knows command {command_id} with other contents; "
                "give the new command a new id"
            )
        return replace(await asyncio.shield(task), replayed=True)

    async def _in_turn(self, command_id: str, command: Command) -> Outcome:
        async with self._lock:
            estimated = self._still_accepted(command_id, command)
            action = Action(command_id=command_id, started=self.clock.now())
            acting = asyncio.ensure_future(self._act(action, command))
            self._running = _Running(action, acting, estimated)
            try:
                outcome = await self._settled(self._running, command)
            finally:
                self._running = None
            self._forget_the_oldest()
            logger.info(
                "settled instrument=%s command=%s settled=%s",
                self.name,
                command_id,
                outcome.settled,
            )
            return outcome

    def _still_accepted(self, command_id: str, command: Command) -> Estimated:
        try:
            self._need_connection()
            return self.check(command)
        except (CommandRefused, NotConnected):
            del self._known[command_id]  # nothing has moved: the same id may come again
            raise

    async def _act(self, action: Action, command: Command) -> Sample | Measurement:
        value = await self.device.act(action, self._acceptance.completed(command))
        if fault := self._acceptance.wrong_value(value, command):
            raise InstrumentFault("wrong_result", fault)
        return value

    async def _settled(self, running: _Running, command: Command) -> Outcome:
        """Wait for the action and turn whatever happens into an outcome."""
        try:
            value = await running.acting
        except StoppedAtBoundary:
            return self._outcome(running, "aborted", error="it was stopped at the end of a step")
        except asyncio.CancelledError:
            if running.rest is None:
                await self.device.halt(emergency=False)
                raise  # the event loop is closing; nobody is left to hear an outcome
            return await self._cut_short(running)
        except InstrumentFault as error:
            if error.needs_reset and self._latched == "idle":
                self._latch("fault", str(error))
            return self._outcome(running, "failed", error=str(error), fault=error.kind)
        except Exception as error:  # whatever a driver raises must settle the command
            logger.exception("driver failed instrument=%s command=%s", self.name, command.kind)
            said = f"the driver raised {type(error).__name__}: {error}"
            if self._latched == "idle":
                self._latch("fault", said)
            settled: Settled = "failed" if self._capabilities.simulated else "unconfirmed"
            return self._outcome(running, settled, error=said, fault="driver_error")
        return self._outcome(running, "succeeded", value=value)

    async def _cut_short(self, running: _Running) -> Outcome:
        at_rest = running.rest is not None and await running.rest
        if at_rest and self._capabilities.stop != "none":
            fault = EMERGENCY_STOP if running.emergency else ""
            why = f"it was cut short: {self._why}"
            return self._outcome(running, "aborted", error=why, fault=fault)
        said = "it was cut short, and the device has not confirmed that it came to rest"
        return self._outcome(running, "unconfirmed", error=said)

    def _outcome(
        self,
        running: _Running,
        settled: Settled,
        *,
        value: Sample | Measurement | None = None,
        error: str = "",
        fault: str = "",
    ) -> Outcome:
        return Outcome(
            command_id=running.action.command_id,
            settled=settled,
            value=value,
            started=running.action.started,
            finished=self.clock.now(),
            simulated=self._capabilities.simulated,
            error=error,
            fault=fault,
            readback=dict(running.action.readback),
            consumed=dict(running.action.consumed),
        )

    async def _brought_to_rest(self, *, emergency: bool) -> bool:
        if not self._connected:
            return self._capabilities.simulated
        try:
            await self.device.halt(emergency=emergency)
        except (InstrumentError, OSError) as error:
            logger.error("halt failed instrument=%s error=%s", self.name, error)
            # Only a person may release what an emergency stop has latched; a fault may be reset.
            state: State = "stopped" if emergency else "fault"
            self._latch(state, f"it did not confirm the stop: {error}")
            return False
        return True

    async def _stopped(self, running: _Running, *, emergency: bool) -> StopResult:
        _, outcome = self._known[running.action.command_id]
        how = "abort" if emergency else self._capabilities.stop
        if how == "abort":
            running.emergency = emergency
            running.rest = asyncio.create_task(self._brought_to_rest(emergency=emergency))
            running.acting.cancel()
            await asyncio.wait({outcome, running.rest}, timeout=self._patience)
        else:
            running.action.stop_requested = how == "between_steps"
            await asyncio.wait({outcome})
        if not outcome.done():
            return "unconfirmed"
        settled = outcome.result().settled
        if settled == "aborted":
            return "halted" if how == "abort" else "halted_at_boundary"
        return "unconfirmed" if settled == "unconfirmed" else "ran_to_completion"

    def _forget_the_oldest(self) -> None:
        while len(self._known) > self._remember:
            oldest = next(iter(self._known))
            if not self._known[oldest][1].done():
                return
            del self._known[oldest]
            self._forgotten.add(oldest)
