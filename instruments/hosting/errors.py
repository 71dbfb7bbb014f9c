"""Errors ⇄ what the wire carries of them, so that both ends raise the same."""

from __future__ import annotations

from instruments.errors import (
    CommandConflict,
    CommandRefused,
    InstrumentError,
    InstrumentFault,
    NotConnected,
    TakenOver,
)
from instruments.hosting.wire import Json


def error_to_json(error: InstrumentError) -> Json:
    """Return an error as JSON values."""
    told: Json = {"kind": type(error).__name__, "message": str(error)}
    match error:
        case TakenOver():
            told |= {"scope": error.scope, "held": error.held, "given": error.given}
        case CommandRefused():
            told |= {"kind": "CommandRefused", "faults": error.faults}
        case InstrumentFault():
            told |= {"fault": error.kind, "needs_reset": error.needs_reset}
    return told


def error_from_json(instrument: str, told: Json) -> InstrumentError:
    """Return the error that `error_to_json` was given; a kind unknown here as InstrumentError."""
    match told["kind"]:
        case "TakenOver":
            return TakenOver(instrument, told["scope"], held=int(told["held"]), given=told["given"])
        case "CommandRefused":
            return CommandRefused(instrument, list(told["faults"]))
        case "InstrumentFault":
            return InstrumentFault(
                told["fault"], told["message"], needs_reset=bool(told["needs_reset"])
            )
        case "CommandConflict":
            return CommandConflict(told["message"])
        case "NotConnected":
            return NotConnected(told["message"])
        case _:
            return InstrumentError(told["message"])
