"""What a driver must do: one plain class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from instruments.capabilities import Capabilities
from instruments.clock import Clock
from instruments.commands import Command, Outcome
from instruments.measurement import Reading

State = Literal["disconnected", "idle", "busy", "stopped", "fault"]

StopResult = Literal[
    "nothing_running", "halted", "halted_at_boundary", "ran_to_completion", "unconfirmed"
]


@dataclass(frozen=True, slots=True)
class Status:
    """What an instrument is doing now.

    Attributes
    ----------
    command_id : the running command, empty if none.
    message : one sentence for a person.
    remaining : seconds until the running command ends, None if unknown.
    """

    state: State
    command_id: str = ""
    message: str = ""
    remaining: float | None = None


@dataclass(frozen=True, slots=True)
class Estimated:
    """What a command will take before it is sent.

    Attributes
    ----------
    seconds : expected duration.
    consumed : consumable → amount.
    """

    seconds: float
    consumed: dict[str, float] = field(default_factory=dict)


@runtime_checkable
class Instrument(Protocol):
    """A synthesizer or a measuring instrument.

    `execute` never raises for what happens to the device: it returns an Outcome that says how
    the command settled. It raises CommandRefused before anything has moved, NotConnected, and
    CommandConflict if a known command id comes back with other contents. The same id with the
    same contents returns the recorded outcome with ``replayed=True``, without acting again.

    After a stopped command the state is ``stopped``, after some failures ``fault``; then `check`
    and `execute` refuse every command until `reset`.
    """

    name: str

    async def connect(self) -> None:
        """Open the connection and verify who is at the other end. May be called twice."""
        ...

    async def disconnect(self) -> None:
        """Close the connection. May be called twice."""
        ...

    def describe(self) -> Capabilities:
        """Return what the instrument can do; works without a connection."""
        ...

    def check(self, command: Command) -> Estimated:
        """Check limits and state without moving anything.

        Raises
        ------
        CommandRefused
            With every reason found.
        """
        ...

    async def execute(self, command_id: str, command: Command) -> Outcome:
        """Carry out a command once, and say how it settled."""
        ...

    async def status(self) -> Status:
        """Return what the instrument is doing now; never waits for a command to end."""
        ...

    async def stop(self, *, emergency: bool = False) -> StopResult:
        """Stop as soon as the device can; never queues behind a running command."""
        ...

    async def reset(self) -> None:
        """Leave `stopped` or `fault` for `idle`, after reading everything back."""
        ...

    async def read(self) -> dict[str, Reading]:
        """Return the device's present readings, such as a furnace temperature."""
        ...


Fate = Literal["not_seen", "running", "done", "unknown"]
"""What became of a command, by the device's own word. ``unknown``: it was received, and the device
cannot say whether it acted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an instrument says became of a command.

    Attributes
    ----------
    outcome : how it settled; given exactly if `fate` is ``done``.
    message : one sentence for a person.
    """

    fate: Fate
    outcome: Outcome | None = None
    message: str = ""

    def __post_init__(self) -> None:
        if (self.fate == "done") != (self.outcome is not None):
            raise ValueError(f"a command that is {self.fate} was given with {self.outcome!r}")


@runtime_checkable
class Queryable(Protocol):
    """What an instrument with ``recovery="queryable"`` does besides: it remembers its commands.

    It remembers them longer than any process that sends them, so after a crash it can be asked.
    A command that is running is adopted by executing it again under its id: the device does not act
    twice, and the call returns when the command has ended.

    Attributes
    ----------
    memory : names what it remembers its commands in. Under another name than when a command was
        sent, "not seen" says nothing about it. Empty if there can be no other.
    """

    @property
    def memory(self) -> str:
        """Return the name of what it remembers its commands in, known once it is connected."""
        ...

    async def query(self, command_id: str) -> Answer:
        """Return what became of a command. Moves nothing."""
        ...

    async def fence(self, scope: str, token: int) -> None:
        """Accept commands whose id begins with ``scope/`` from the holder of `token` only.

        From now on this connection speaks with that token, and whoever comes with a lower one is
        refused: a process that was believed dead and wakes up can no longer act.

        Raises
        ------
        CommandRefused
            A higher token was given before, so another process has taken over.
        """
        ...


@dataclass(frozen=True, slots=True)
class Bench:
    """What every driver is given when a laboratory is set up.

    Attributes
    ----------
    clock : the only source of time.
    folder : folder of the laboratory file; relative paths in settings start there.
    seed : seed of everything random in the laboratory (simulated noise and faults).
    """

    clock: Clock
    folder: Path
    seed: int


class InstrumentFactory(Protocol):
    """What an entry point of the group ``sdlab.instruments`` names."""

    def __call__(self, name: str, settings: Mapping[str, object], bench: Bench) -> Instrument:
        """Return the driver, not yet connected.

        Raises
        ------
        pydantic.ValidationError, InstrumentError
            The settings are wrong.
        """
        ...
