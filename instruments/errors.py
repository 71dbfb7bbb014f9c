"""Errors of the instruments.

InstrumentError
├── CommandRefused      a command was refused before anything moved
│   └── TakenOver       another process has taken over; nothing more may be sent
├── CommandConflict     a command id came back with other contents
├── InstrumentFault     the device failed while acting (jam, empty reagent, timeout, …)
├── NotConnected        the instrument was used before `connect`
├── UnreadableFile      a data file cannot be read as what it claims to be
└── NoRecordedData      a replayed table holds no such candidate
"""

from __future__ import annotations


class InstrumentError(Exception):
    """Something about an instrument or its data went wrong."""


class CommandRefused(InstrumentError, ValueError):
    """The command breaks a limit, names an unknown setting or cannot be carried out now.

    Attributes
    ----------
    faults : every reason found, a sentence each.
    """

    def __init__(self, instrument: str, faults: list[str]) -> None:
        self.instrument = instrument
        self.faults = faults
        super().__init__(f"{instrument} refused the command before acting: " + "; ".join(faults))


class TakenOver(CommandRefused):
    """A higher token was given for the command's scope: another process has taken over.

    Attributes
    ----------
    scope : what was taken over, such as a campaign's id.
    held : the highest token given.
    given : the token this came with, None for none.
    """

    def __init__(self, instrument: str, scope: str, *, held: int, given: int | None) -> None:
        self.scope, self.held, self.given = scope, held, given
        came = "without a token" if given is None else f"with token {given}"
        why = f"{scope} was taken over by the holder of token {held}, and this came {came}"
        super().__init__(instrument, [f"{why}; nothing more may be sent from here"])


class CommandConflict(InstrumentError):
    """A command id that was already executed came back with different contents."""


class InstrumentFault(InstrumentError):
    """The device failed while acting.

    Attributes
    ----------
    kind : the fault's name, such as ``jam`` or ``empty_reagent``.
    needs_reset : the device is not fit for the next command, as after a jam: the instrument stays
        in ``fault`` and refuses commands until `reset`. A missed file or a lost reply needs none.
    """

    def __init__(self, kind: str, message: str, *, needs_reset: bool = False) -> None:
        self.kind = kind
        self.needs_reset = needs_reset
        super().__init__(message)


class NotConnected(InstrumentError):
    """The instrument was used before `connect` or after `disconnect`."""


class UnreadableFile(InstrumentError, ValueError):
    """A data file is missing, truncated, or not what its name says."""


class NoRecordedData(InstrumentError, LookupError):
    """The recorded table holds no such candidate."""
