"""What a driver's author writes: one device that acts, and the action it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime

from instruments.commands import Command
from instruments.measurement import Measurement, Reading
from instruments.protocols import Estimated
from instruments.sample import Sample, Setting


class StoppedAtBoundary(Exception):
    """A stop was asked for, and the device has come to the end of a step."""


@dataclass(slots=True)
class Action:
    """One command being carried out; the device writes down what it does as it does it.

    What stands here is kept however the command ends, so a jammed or stopped synthesis still
    says what it used up.

    Attributes
    ----------
    command_id : id under which it was sent; ``<campaign>/<turn>/<step>/<attempt>``.
    started : laboratory time.
    message : what is happening now, for a person.
    consumed : consumable → amount used so far.
    readback : what the device said of itself.
    stop_requested : a stop is wanted at the end of the present step.
    """

    command_id: str
    started: datetime
    message: str = ""
    consumed: dict[str, float] = field(default_factory=dict)
    readback: dict[str, Setting] = field(default_factory=dict)
    stop_requested: bool = False

    def use(self, consumable: str, amount: float) -> None:
        """Write down that `amount` of a consumable is gone, at the moment it goes."""
        self.consumed[consumable] = self.consumed.get(consumable, 0.0) + amount

    def step(self, message: str = "") -> None:
        """Mark the end of a step; here a device that stops between steps is stopped.

        Raises
        ------
        StoppedAtBoundary
            A stop was asked for. Let it pass through `act`.
        """
        self.message = message
        if self.stop_requested:
            raise StoppedAtBoundary


class Device(ABC):
    """What is particular to one driver. Everything else is done by `instruments.execution`.

    Only `estimate` and `act` must be written. No method but `act` may move matter, and time is
    read and waited for only through the laboratory's clock.
    """

    async def open(self) -> None:  # noqa: B027  nothing to do is a valid answer
        """Open the connection and verify who is at the other end."""

    async def close(self) -> None:  # noqa: B027  nothing to do is a valid answer
        """Close the connection."""

    def faults(self, command: Command) -> list[str]:
        """Return every reason to refuse a command beyond the declared limits."""
        del command
        return []

    @abstractmethod
    def estimate(self, command: Command) -> Estimated:
        """Return the expected duration [s] and consumption of an accepted command.

        The storeroom compares the consumption with what is left.
        """

    @abstractmethod
    async def act(self, action: Action, command: Command) -> Sample | Measurement:
        """Carry out the command and return what came of it.

        The settings are complete: defaults have been filled in. A cancelled `act` must leave the
        device safe to `halt`.

        Raises
        ------
        InstrumentFault
            The device failed; the outcome bears the fault's name.
        """

    async def halt(self, *, emergency: bool) -> None:
        """Bring the device to rest; called for every stop that cuts an action short."""
        del emergency

    async def recover(self) -> None:  # noqa: B027  nothing to do is a valid answer
        """Read everything back before a stopped or faulty device is used again.

        Raises
        ------
        InstrumentFault
            It is still not fit for use.
        """

    async def read(self) -> dict[str, Reading]:
        """Return the device's present readings."""
        return {}
