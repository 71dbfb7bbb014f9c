"""An instrument in another process: it goes on when this one dies, and tells what it did."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from instruments.acceptance import wrong_form
from instruments.capabilities import Capabilities
from instruments.clock import Clock, FasterClock, RealClock
from instruments.commands import Command, Outcome
from instruments.errors import CommandRefused, NotConnected
from instruments.hosting.line import QUICK, AnotherMemory, Line, LineLost
from instruments.hosting.security import Access, Address
from instruments.hosting.wire import Json, answer_from_json
from instruments.measurement import Reading
from instruments.protocols import Answer, Estimated, Status, StopResult

logger = logging.getLogger(__name__)

WAIT = 20.0
"""Real seconds that one request waits at the host for a command to end."""


class HostedInstrument:
    """An `Instrument` and `Queryable` whose device is served by a host; see `hosted`.

    A command is submitted once and then waited for by its id. When the connection breaks, it is
    reopened, the host's identity is verified, and the host is asked what became of the command;
    it is submitted again only if the host's log shows that it never arrived. If the host stays
    away longer than `patience`, the outcome is unconfirmed. A caller that is cancelled, or a
    client that disconnects, does not stop the device; `stop` does.

    Parameters
    ----------
    described : what the host said of the instrument; None leaves it undescribed until `connect`,
        which is enough to stop it.
    patience : real seconds for which a host may be away while a command runs.
    """

    def __init__(
        self, name: str, line: Line, described: Json | None = None, *, patience: float = 30.0
    ) -> None:
        self.name = name
        self.clock: Clock = RealClock()
        self._line = line
        self._patience = patience
        self._connected = False
        self._identity = ""
        self._capabilities: Capabilities | None = None
        self._tokens: dict[str, int] = {}
        if described is not None:
            self._learn(described)
            self._identity = ""  # which memory it is counts from `connect` on

    @property
    def memory(self) -> str:
        """Return the name of the host's command log; empty before `connect`."""
        return self._identity

    async def connect(self) -> None:
        """Have the host connect the device, and verify who answers. May be called twice."""
        described = await self._line.post("connect", {})
        self._learn(self._line.verified(described, self._identity))
        self._connected = True

    async def disconnect(self) -> None:
        """Close the connection; a running command goes on. May be called twice."""
        self._connected = False
        await self._line.close()

    def describe(self) -> Capabilities:
        """Return what the host last said that the instrument can do.

        Raises
        ------
        NotConnected
            The host has not said anything yet.
        """
        if self._capabilities is None:
            raise NotConnected(f"{self.name} has not been described by its host; connect it first")
        return self._capabilities

    def check(self, command: Command) -> Estimated:
        """Check a command where the device is; works without a connection.

        Raises
        ------
        CommandRefused
            With every reason found, or because the host does not answer.
        """
        self._well_formed(command)
        order = {"command": command.model_dump(mode="json")}
        try:
            return Estimated(**self._line.now("POST", "check", order))
        except LineLost as error:
            raise CommandRefused(self.name, [str(error)]) from error

    async def execute(self, command_id: str, command: Command) -> Outcome:
        """Have a command carried out once, and say how it settled.

        Raises
        ------
        NotConnected, CommandRefused, CommandConflict
            Nothing has moved. `TakenOver` also if another process took over meanwhile.
        """
        self._need_connection()
        self._well_formed(command)
        started = self.clock.now()
        try:
            answer, begun = await self._carried_out(command_id, command)
        except (_Away, AnotherMemory) as error:
            return self._unconfirmed(command_id, started, str(error))
        if answer.outcome is not None:
            return answer.outcome if begun else replace(answer.outcome, replayed=True)
        return self._unconfirmed(command_id, started, answer.message)

    async def query(self, command_id: str) -> Answer:
        """Return what became of a command. Moves nothing.

        Raises
        ------
        TakenOver
            Another process has taken over.
        InstrumentError
            The host does not answer.
        """
        reply = await self._line.post("query", self._signed(command_id))
        return self._heard(reply)

    async def fence(self, scope: str, token: int) -> None:
        """Accept commands whose id begins with ``scope/`` from the holder of `token` only.

        Raises
        ------
        TakenOver
            A higher token was given before.
        """
        await self._line.post("fence", {"scope": scope, "token": token})
        self._tokens[scope] = token

    async def status(self) -> Status:
        """Return what the instrument is doing now; never waits for a command to end."""
        if not self._connected:
            return Status("disconnected", message=f"{self.name} is not connected")
        try:
            return Status(**await self._line.get("status"))
        except LineLost as error:
            return Status("disconnected", message=str(error))

    async def stop(self, *, emergency: bool = False) -> StopResult:
        """Stop the device as soon as it can; needs no `connect` before."""
        reply = await self._line.apart("stop", {"emergency": emergency}, timeout=QUICK * 12)
        result: StopResult = reply["result"]
        return result

    async def reset(self) -> None:
        """Leave `stopped` or `fault` for `idle`, after the device has read itself back."""
        self._need_connection()
        await self._line.post("reset", {}, timeout=QUICK * 12)

    async def read(self) -> dict[str, Reading]:
        """Return the device's present readings."""
        self._need_connection()
        readings = await self._line.get("read")
        return {name: Reading(*triple) for name, triple in readings.items()}

    async def _carried_out(self, command_id: str, command: Command) -> tuple[Answer, bool]:
        """Return how a command ended, and whether it was begun here.

        A host that died before the command stood in its log has not acted, and one whose driver
        declares its commands idempotent may act again; both say ``not_seen``. A host that was
        restarted while its device is ``running`` adopts the command when it is sent again.
        """
        begun = False
        while True:
            begun = await self._submitted(command_id, command) or begun
            answer = await self._ended(command_id)
            if answer.fate in ("done", "unknown"):
                return answer, begun
            logger.warning("sent again instrument=%s: %s", self.name, answer.message)

    async def _submitted(self, command_id: str, command: Command) -> bool:
        """Hand the command to the host; return whether this call began it."""
        order = {
            **self._signed(command_id),
            "identity": self._identity,
            "command": command.model_dump(mode="json"),
        }
        arrived = False
        while True:
            try:
                return bool((await self._line.post("submit", order))["begun"]) or arrived
            except LineLost as error:
                logger.warning("line lost instrument=%s command=%s", self.name, command_id)
                answer = await self._asked_again(command_id, error)
                if answer.fate in ("done", "unknown"):
                    return True
                arrived = answer.fate == "running"

    async def _ended(self, command_id: str) -> Answer:
        """Wait until the host says that a command has ended, or the connection was broken."""
        inquiry = {**self._signed(command_id), "seconds": WAIT}
        while True:
            try:
                reply = await self._line.post("wait", inquiry, timeout=WAIT + QUICK)
            except LineLost as error:
                logger.warning("line lost instrument=%s command=%s", self.name, command_id)
                return await self._asked_again(command_id, error)
            answer = self._heard(reply)
            if answer.fate != "running":
                return answer

    async def _asked_again(self, command_id: str, lost: LineLost) -> Answer:
        """Reopen the line and ask for the command. Raises _Away."""
        try:
            self._learn(await self._line.reopened(self._identity, patience=self._patience))
            return await self.query(command_id)
        except LineLost as error:
            raise _Away(f"{lost}. It stayed away for {self._patience:g} s") from error

    def _heard(self, reply: Json) -> Answer:
        """Return an answer once it is known whose it is. Raises AnotherMemory."""
        self._learn(self._line.verified(reply["instrument"], self._identity))
        return answer_from_json(reply["answer"])

    def _signed(self, command_id: str) -> Json:
        """Return the id with the token of its scope; the longest scope counts."""
        scopes = [s for s in self._tokens if command_id.startswith(s + "/")]
        token = self._tokens[max(scopes, key=len)] if scopes else None
        return {"command_id": command_id, "token": token}

    def _learn(self, described: Json) -> None:
        inner = Capabilities.model_validate(described["capabilities"])
        self._capabilities = inner.model_copy(update={"recovery": "queryable"})
        self._identity = described["identity"]
        if (told := described["clock"]) is not None and not isinstance(self.clock, FasterClock):
            self.clock = FasterClock(datetime.fromisoformat(told["anchor"]), told["speed"])

    def _well_formed(self, command: Command) -> None:
        if faults := wrong_form(command):
            raise CommandRefused(self.name, faults)

    def _need_connection(self) -> None:
        if not self._connected:
            raise NotConnected(f"{self.name} is not connected; connect it first")

    def _unconfirmed(self, command_id: str, started: datetime, why: str) -> Outcome:
        simulated = self.describe().simulated
        return Outcome(
            command_id, "unconfirmed", None, started, self.clock.now(), simulated, error=why
        )


class _Away(Exception):
    """The host, or its memory, did not come back."""


def hosted(name: str, address: Address, *, host: str, access: Access) -> HostedInstrument:
    """Return an instrument as its host describes it, not yet connected.

    Raises
    ------
    InstrumentError
        The host does not answer, has no such instrument, or may not be contacted.
    """
    line = Line(name, address, host=host, access=access)
    return HostedInstrument(name, line, line.verified(line.now("GET"), ""))
