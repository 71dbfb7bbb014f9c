"""The command log of one hosted instrument: what was accepted, how it settled, who may send.

A line of JSON an event, on disk before the call returns, so that ``accepted`` stands there before
anything moves. In memory is an index of ids and offsets only, so a command costs the same however
long the log is. A last line that a power cut tore was never acted on and is cut off.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from instruments.commands import Command, Outcome
from instruments.errors import InstrumentError
from instruments.hosting.arrays import LogArrays, sync_folder
from instruments.hosting.wire import digest, outcome_from_json, outcome_to_json
from instruments.measurement import Measurement

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Entry:
    """A command that was accepted.

    Attributes
    ----------
    digest : of its contents.
    settled : offset and length of the line with its outcome, None until there is one.
    """

    digest: str
    settled: tuple[int, int] | None = None


class CommandLog:
    """The log in a folder, made if there is none; one process has it at a time.

    Attributes
    ----------
    identity : drawn when the log was begun; another one means that the memory is another one.
    begun : when the log was begun.
    entries : command id → what was accepted.
    fences : scope → highest token given.

    Raises
    ------
    InstrumentError
        Another process has the log, or a line before the last is damaged.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "commands.jsonl"
        self._turn = threading.Lock()
        self.identity = ""
        self.begun = datetime.now(UTC)
        self.entries: dict[str, Entry] = {}
        self.fences: dict[str, int] = {}
        self._owned = FileLock(folder / "in_use.lock")
        try:
            self._owned.acquire(timeout=0)
        except Timeout:
            raise InstrumentError(
                f"another host keeps its commands in {folder}; end it, or give this one another "
                "folder"
            ) from None
        self._arrays = LogArrays(folder / "arrays.bin")
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            self._end = self._read()
            if not self.identity:
                self._begin(folder)
        except BaseException:
            self._owned.release()
            raise

    def close(self) -> None:
        """Give the log to the next process; a second call changes nothing."""
        if self._owned.is_locked:
            os.close(self._file)
            self._arrays.close()
            self._owned.release()

    def accept(self, command_id: str, command: Command) -> None:
        """Keep that a command is about to be carried out. Nothing may move before this returns."""
        contents = command.model_dump(mode="json")
        known = digest(command)
        self._append({"what": "accepted", "id": command_id, "digest": known, "command": contents})
        self.entries[command_id] = Entry(known)

    def release(self, command_id: str, why: str) -> None:
        """Keep that an accepted command was refused after all; its id is free again."""
        self._append({"what": "released", "id": command_id, "why": why})
        self.entries.pop(command_id, None)

    def settle(self, outcome: Outcome) -> None:
        """Keep how a command ended, its arrays first."""
        with self._turn:
            contents = outcome_to_json(outcome, self._arrays.keep)
            if isinstance(outcome.value, Measurement):
                self._arrays.sync()
        place = self._append({"what": "settled", "id": outcome.command_id, "outcome": contents})
        self.entries[outcome.command_id].settled = place

    def fence(self, scope: str, token: int) -> None:
        """Keep that commands under `scope` are accepted from the holder of `token` on."""
        self._append({"what": "fence", "scope": scope, "token": token})
        self.fences[scope] = token

    def outcome(self, command_id: str) -> Outcome | None:
        """Return how a command ended, None if that is not known.

        Raises
        ------
        InstrumentError
            The line or an array of it cannot be read any more.
        """
        entry = self.entries.get(command_id)
        if entry is None or entry.settled is None:
            return None
        offset, length = entry.settled
        try:
            contents = json.loads(os.pread(self._file, length, offset))["outcome"]
            return outcome_from_json(contents, self._arrays.find)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise InstrumentError(
                f"the outcome of {command_id} at byte {offset} of {self._path} cannot be read "
                f"({type(error).__name__}: {error}); restore the log from a backup"
            ) from error

    def _begin(self, folder: Path) -> None:
        self.identity = uuid.uuid4().hex
        self._append({"what": "begun", "identity": self.identity})
        sync_folder(folder)

    def _append(self, event: dict[str, Any]) -> tuple[int, int]:
        """Return offset and length of the new line, which is on disk."""
        stamped = {**event, "at": datetime.now(UTC).isoformat()}
        line = json.dumps(stamped, allow_nan=False).encode() + b"\n"
        with self._turn:
            offset = self._end
            try:
                if os.pwrite(self._file, line, offset) != len(line):
                    raise OSError(None, "only part of a line was written")
                os.fsync(self._file)
            except OSError as error:
                os.ftruncate(self._file, offset)
                raise InstrumentError(
                    f"the command log {self._path} cannot be written ({error.strerror}); make "
                    "room on that disk"
                ) from error
            self._end = offset + len(line)
        return offset, len(line)

    def _read(self) -> int:
        """Fill the index; return where the next line goes."""
        offset, number = 0, 0
        with self._path.open("rb") as lines:
            for line in lines:
                number += 1
                try:
                    if not line.endswith(b"\n"):
                        raise ValueError("it has no end")
                    self._take(json.loads(line), offset, len(line))
                except (ValueError, KeyError, TypeError) as error:
                    if lines.read(1):
                        raise InstrumentError(
                            f"line {number} of the command log {self._path} is damaged ({error}); "
                            "restore it from a backup"
                        ) from error
                    logger.warning("torn last line cut off file=%s line=%d", self._path, number)
                    os.ftruncate(self._file, offset)
                    os.fsync(self._file)
                    break
                offset += len(line)
        return offset

    def _take(self, event: dict[str, Any], offset: int, length: int) -> None:
        match event["what"]:
            case "begun":
                self.identity = event["identity"]
                self.begun = datetime.fromisoformat(event["at"])
            case "accepted":
                self.entries[event["id"]] = Entry(event["digest"])
            case "released":
                self.entries.pop(event["id"], None)
            case "settled":
                self.entries[event["id"]].settled = (offset, length)
            case "fence":
                self.fences[event["scope"]] = event["token"]
            case other:
                raise ValueError(f"{other!r} is no event of a command log")
