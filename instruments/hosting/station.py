"""One hosted instrument: carries each command out once, by a log that outlives the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from instruments.clock import Clock
from instruments.commands import Command, Outcome
from instruments.errors import CommandConflict, CommandRefused, InstrumentError, TakenOver
from instruments.hosting.log import CommandLog
from instruments.hosting.wire import digest
from instruments.identity import identity_fault
from instruments.protocols import Answer, Instrument, Queryable

logger = logging.getLogger(__name__)

Say = Callable[[str], None]

PATIENCE = 10.0
"""Real seconds that a device has to come to rest when its host ends."""


class Station:
    """An instrument, its command log, and the commands in flight.

    A command goes on whether or not anybody waits for it. After the host died in the middle of
    one, the device is asked if it can be asked; a driver that declares its commands idempotent
    carries it out again when it is sent again; otherwise nobody knows, and the answer says so.

    Parameters
    ----------
    say : told in a line when a command begins and ends.
    """

    def __init__(self, instrument: Instrument, log: CommandLog, *, clock: Clock, say: Say) -> None:
        self.instrument = instrument
        self.log = log
        self._clock = clock
        self._say = say
        self._in_flight: dict[str, tuple[str, asyncio.Task[Outcome]]] = {}
        self._ended: dict[str, Outcome] = {}
        """Outcomes that could not be written, such as on a full disk."""
        self._refusals: dict[str, str] = {}
        self._told: dict[str, int] = {}
        """Tokens that the device was given by this process."""

    async def submit(self, command_id: str, command: Command, token: int | None) -> bool:
        """Begin a command unless its id is known; return whether it was begun by this call.

        Raises
        ------
        CommandRefused, CommandConflict, NotConnected
            Nothing has moved. `TakenOver` if a higher token was given for its scope.
        """
        self.admit(command_id, token)
        contents = digest(command)
        known = self._known_contents(command_id)
        if known is not None and known != contents:
            raise CommandConflict(
                f"{self.instrument.name} knows command {command_id} with other contents; "
                "give the new command a new id"
            )
        interrupted = self._is_interrupted(command_id)
        if known is not None and not (interrupted and await self._may_go_on(command_id)):
            return False
        if command_id in self._in_flight:
            return False  # begun by somebody else while the device was asked
        if fault := identity_fault(command_id):
            raise CommandRefused(self.instrument.name, [f"the command id {fault}"])
        if not interrupted:
            self.instrument.check(command)
        self._refusals.pop(command_id, None)
        task = asyncio.create_task(self._carry_out(command_id, command, accepted=interrupted))
        self._in_flight[command_id] = (contents, task)
        task.add_done_callback(lambda done: self._landed(command_id, done))
        return True

    async def wait(self, command_id: str, seconds: float, token: int | None) -> Answer:
        """Return what became of a command, at the latest after `seconds`.

        Raises
        ------
        CommandRefused
            It was refused when its turn came; nothing has moved.
        """
        self.admit(command_id, token)
        if command_id in self._in_flight:
            _, task = self._in_flight[command_id]
            await asyncio.wait({task}, timeout=seconds)
            if task.done():
                task.result()
        if command_id in self._refusals and command_id not in self.log.entries:
            raise CommandRefused(self.instrument.name, [self._refusals[command_id]])
        return await self.answer(command_id)

    async def query(self, command_id: str, token: int | None) -> Answer:
        """Return what became of a command; moves nothing. Raises TakenOver."""
        self.admit(command_id, token)
        return await self.answer(command_id)

    async def answer(self, command_id: str) -> Answer:
        """Return what became of a command by the log, and by the device where the log ends."""
        if command_id in self._in_flight:
            return Answer("running", message=f"{self.instrument.name} is carrying it out")
        if command_id in self._ended:
            return Answer("done", self._ended[command_id])
        if command_id not in self.log.entries:
            return Answer("not_seen", message=self._refusals.get(command_id, "it never came here"))
        try:
            outcome = await asyncio.to_thread(self.log.outcome, command_id)
        except InstrumentError as error:
            return Answer("unknown", message=str(error))
        if outcome is not None:
            return Answer("done", outcome)
        return await self._asked(command_id)

    async def fence(self, scope: str, token: int) -> None:
        """Accept commands under `scope` from the holder of `token` only, from now on."""
        if fault := identity_fault(scope):
            raise CommandRefused(self.instrument.name, [f"the scope {fault}"])
        known = self.log.fences.get(scope)
        if known is not None and token < known:
            raise TakenOver(self.instrument.name, scope, held=known, given=token)
        await self._tell(scope, token)
        if known != token:
            await asyncio.to_thread(self.log.fence, scope, token)

    def admit(self, command_id: str, token: int | None) -> None:
        """Refuse whoever has been overtaken. Raises TakenOver."""
        for scope, held in self._fences(command_id):
            if token is None or token < held:
                raise TakenOver(self.instrument.name, scope, held=held, given=token)

    async def stop_what_runs(self) -> None:
        """Stop a running command and keep how it ended."""
        waiting = [task for _, task in self._in_flight.values()]
        if waiting:
            self._say(f"{self.instrument.name}: stopping")
            stopping = asyncio.ensure_future(self.instrument.stop())
            await asyncio.wait({stopping, *waiting}, timeout=PATIENCE)

    async def make_safe(self) -> None:
        """Stop what runs, disconnect, and give the log free."""
        await self.stop_what_runs()
        leaving = asyncio.ensure_future(self.instrument.disconnect())
        await asyncio.wait({leaving}, timeout=PATIENCE)
        self.log.close()

    async def _carry_out(self, command_id: str, command: Command, *, accepted: bool) -> Outcome:
        name = self.instrument.name
        if not accepted:
            await self._accept(command_id, command)
        await self._remind(command_id)
        self._say(f"{name}: {command_id} began")
        try:
            outcome = await self.instrument.execute(command_id, command)
        except InstrumentError as error:
            self._say(f"{name}: {command_id} was refused: {error}")
            if accepted and not self._declares("idempotent"):
                raise InstrumentError(
                    f"{name} was carrying out {command_id} when its host died and does not take it "
                    f"up again ({error}); see to the device, then resume the campaign"
                ) from error
            self._refusals[command_id] = f"it was refused when its turn came: {error}"
            await asyncio.to_thread(self.log.release, command_id, str(error))
            raise
        except Exception as error:  # whatever a driver raises must settle the command
            logger.exception("driver failed instrument=%s command=%s", name, command_id)
            outcome = self._unconfirmed(command_id, f"{type(error).__name__}: {error}")
        await self._settle(outcome)
        self._say(f"{name}: {command_id} {outcome.settled} {outcome.error}".rstrip())
        return outcome

    async def _accept(self, command_id: str, command: Command) -> None:
        try:
            await asyncio.to_thread(self.log.accept, command_id, command)
        except InstrumentError as error:
            self._refusals[command_id] = str(error)
            raise CommandRefused(self.instrument.name, [str(error)]) from error

    async def _settle(self, outcome: Outcome) -> None:
        try:
            await asyncio.to_thread(self.log.settle, outcome)
        except (InstrumentError, OSError) as error:
            # The outcome is still told to whoever asks while this process lives.
            logger.error("outcome not written command=%s error=%s", outcome.command_id, error)
            self._say(f"{self.instrument.name}: {outcome.command_id} could not be written: {error}")
            self._ended[outcome.command_id] = outcome

    def _landed(self, command_id: str, task: asyncio.Task[Outcome]) -> None:
        self._in_flight.pop(command_id, None)
        if not task.cancelled() and (error := task.exception()):
            logger.info("not carried out command=%s: %s", command_id, error)

    def _known_contents(self, command_id: str) -> str | None:
        if command_id in self._in_flight:
            return self._in_flight[command_id][0]
        entry = self.log.entries.get(command_id)
        return None if entry is None else entry.digest

    def _is_interrupted(self, command_id: str) -> bool:
        """Return whether a host that is gone accepted the command and never settled it."""
        entry = self.log.entries.get(command_id)
        is_open = entry is not None and entry.settled is None
        return is_open and command_id not in self._in_flight and command_id not in self._ended

    async def _may_go_on(self, command_id: str) -> bool:
        return (await self._asked(command_id)).fate in ("not_seen", "running")

    async def _asked(self, command_id: str) -> Answer:
        """Return what an instrument says of a command at which the host died."""
        if self._declares("queryable") and isinstance(self.instrument, Queryable):
            await self._remind(command_id)
            answer = await self.instrument.query(command_id)
            if answer.outcome is not None:
                await self._settle(answer.outcome)
            return answer
        died = "it was accepted, and the host died before it ended"
        if self._declares("idempotent"):
            why = f"{died}; its driver declares that it may be carried out again"
            return Answer("not_seen", message=why)
        why = f"{died}; {self.instrument.name} cannot say whether it acted. Look at the device"
        return Answer("unknown", message=why)

    async def _remind(self, command_id: str) -> None:
        """Tell the device whom to obey if that was said before this process started."""
        for scope, token in self._fences(command_id):
            await self._tell(scope, token)

    async def _tell(self, scope: str, token: int) -> None:
        is_asked = isinstance(self.instrument, Queryable) and self._declares("queryable")
        if is_asked and self._told.get(scope) != token:
            await self.instrument.fence(scope, token)  # type: ignore[attr-defined]
            self._told[scope] = token

    def _fences(self, command_id: str) -> list[tuple[str, int]]:
        """Return the scopes of a command that somebody holds, with their tokens."""
        parts = command_id.split("/")
        scopes = ["/".join(parts[:end]) for end in range(1, len(parts))]
        return [(s, self.log.fences[s]) for s in scopes if s in self.log.fences]

    def _declares(self, recovery: str) -> bool:
        return self.instrument.describe().recovery == recovery

    def _unconfirmed(self, command_id: str, why: str) -> Outcome:
        now = self._clock.now()
        simulated = self.instrument.describe().simulated
        return Outcome(command_id, "unconfirmed", None, now, now, simulated, error=why)
