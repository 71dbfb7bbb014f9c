"""For drivers whose device remembers its commands by itself, without a host."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

from instruments.capabilities import Capabilities
from instruments.clock import Clock
from instruments.commands import Command, Outcome
from instruments.device import Device
from instruments.errors import CommandConflict, TakenOver
from instruments.execution import Executor
from instruments.protocols import Answer


@dataclass(frozen=True, slots=True)
class Recollection:
    """What a device remembers of a command."""

    command: Command
    answer: Answer


class RememberingDevice(Device):
    """A device that can say what became of a command, also one of a process that has died.

    What it remembers must outlive the process: a controller's own list, a file, a database.
    """

    @abstractmethod
    async def recall(self, command_id: str) -> Recollection | None:
        """Return what is remembered of a command, None if it never came. Moves nothing.

        A command that is said to be ``running`` is adopted by `act`, which must not act again.
        """

    @abstractmethod
    async def token(self, scope: str) -> int | None:
        """Return the highest token given for a scope, None if there is none."""

    @abstractmethod
    async def keep_token(self, scope: str, token: int) -> None:
        """Remember the highest token of a scope."""


class QueryableExecutor(Executor):
    """An `Executor` that is `Queryable`, for a `RememberingDevice`."""

    device: RememberingDevice
    memory = ""

    def __init__(
        self, name: str, capabilities: Capabilities, clock: Clock, device: RememberingDevice
    ) -> None:
        super().__init__(name, capabilities, clock, device)
        self.device = device
        self._tokens: dict[str, int] = {}

    async def execute(self, command_id: str, command: Command) -> Outcome:
        """Carry out a command once, also across processes; see `Executor.execute`."""
        await self._admit(command_id)
        if self._connected and command_id not in self._known:
            recalled = await self.device.recall(command_id)
            if recalled is not None and recalled.command != command:
                raise CommandConflict(
                    f"{self.name} remembers command {command_id} with other contents; "
                    "give the new command a new id"
                )
            if recalled is not None and recalled.answer.outcome is not None:
                return replace(recalled.answer.outcome, replayed=True)
        return await super().execute(command_id, command)

    async def query(self, command_id: str) -> Answer:
        """Return what became of a command. Moves nothing. Raises TakenOver."""
        await self._admit(command_id)
        if command_id in self._known:
            _, task = self._known[command_id]
            if not task.done():
                return Answer("running", message=f"{self.name} is carrying it out")
            if not task.cancelled() and task.exception() is None:
                return Answer("done", task.result())
        recalled = await self.device.recall(command_id)
        return Answer("not_seen") if recalled is None else recalled.answer

    async def fence(self, scope: str, token: int) -> None:
        """Accept commands under `scope` from the holder of `token` only. Raises TakenOver."""
        held = await self.device.token(scope)
        if held is not None and token < held:
            raise TakenOver(self.name, scope, held=held, given=token)
        await self.device.keep_token(scope, token)
        self._tokens[scope] = token

    async def _admit(self, command_id: str) -> None:
        scope = ""
        for part in command_id.split("/")[:-1]:
            scope = f"{scope}/{part}" if scope else part
            held, mine = await self.device.token(scope), self._tokens.get(scope)
            if held is not None and (mine is None or mine < held):
                raise TakenOver(self.name, scope, held=held, given=mine)
