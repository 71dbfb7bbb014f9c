"""What a station by hand was asked for, in files beside its recipe sheets."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field

from instruments.commands import Synthesize
from instruments.sample import Setting


class Ending(BaseModel):
    """How an order ended.

    Attributes
    ----------
    recipe : as the person made it; None if there is no sample.
    fault, why : what failed, and the person's or the station's words; empty if nothing did.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    finished: datetime
    recipe: dict[str, Setting] | None = None
    notes: str = ""
    fault: str = ""
    why: str = ""


class Order(BaseModel):
    """One command and, once it has ended, how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command_id: str
    command: Synthesize
    started: datetime
    ending: Ending | None = None


class Tokens(BaseModel):
    """Scope → highest token given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by_scope: dict[str, int] = Field(default_factory=dict)


class OrderBook:
    """A folder with a file an order; each file appears whole and is on disk when a call returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, command_id: str) -> Order | None:
        """Return an order, None if it never came."""
        path = self._path(command_id)
        if not path.exists():
            return None
        return Order.model_validate_json(path.read_text(encoding="utf-8"))

    def note(self, order: Order) -> Order:
        """Keep a new order; return it, or the one that was there."""
        known = self.find(order.command_id)
        if known is None:
            self._write(self._path(order.command_id), order)
        return known or order

    def end(self, order: Order, ending: Ending) -> Order:
        """Keep how an order ended; return it, or how it had ended before."""
        with self._alone():
            known = self.find(order.command_id) or order
            if known.ending is None:
                known = order.model_copy(update={"ending": ending})
                self._write(self._path(order.command_id), known)
        return known

    def token(self, scope: str) -> int | None:
        """Return the highest token given for a scope."""
        path = self._folder / "tokens.json"
        if not path.exists():
            return None
        return Tokens.model_validate_json(path.read_text(encoding="utf-8")).by_scope.get(scope)

    def keep_token(self, scope: str, token: int) -> None:
        """Keep the highest token of a scope."""
        path = self._folder / "tokens.json"
        with self._alone():
            known = json.loads(path.read_text())["by_scope"] if path.exists() else {}
            highest = max(token, known.get(scope, token))
            if known.get(scope) != highest:
                self._write(path, Tokens(by_scope={**known, scope: highest}))

    def _alone(self) -> FileLock:
        self._folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self._folder / "lock")

    def _path(self, command_id: str) -> Path:
        return self._folder / f"{hashlib.sha256(command_id.encode()).hexdigest()}.json"

    def _write(self, path: Path, contents: BaseModel) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".draft{os.getpid()}")
        with draft.open("w", encoding="utf-8") as file:
            file.write(contents.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
