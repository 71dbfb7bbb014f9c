"""A synthesizer that is a person: a recipe sheet appears, and comes back filled in.

The sheet is a small TOML file. The person corrects what was done otherwise than asked, writes
``done = true`` (or why it failed) and saves it. The sheets, and the book of what was asked for
beside them, outlive every process: a campaign that was killed asks what became of its order when
it is resumed, and nobody makes a sample twice.
"""

from __future__ import annotations

import glob
import json
import logging
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from instruments.capabilities import Accepted, Capabilities, Consumable
from instruments.clock import Clock
from instruments.commands import Command, Outcome, Synthesize
from instruments.device import Action
from instruments.errors import InstrumentError, InstrumentFault
from instruments.order_book import Ending, Order, OrderBook
from instruments.protocols import Answer, Bench, Estimated
from instruments.remembering import QueryableExecutor, Recollection, RememberingDevice
from instruments.sample import Sample, Setting

logger = logging.getLogger(__name__)


NO_ANSWER = "no_answer"
"""Fault of an order that nobody answered in time; then nothing was used."""


class ByHandSettings(BaseModel):
    """What a laboratory file says about a person who makes samples.

    Attributes
    ----------
    folder : where recipe sheets are laid out; relative to the laboratory file.
    accepts : what a recipe may ask for.
    consumables : what one sample uses up is taken as 1 of each.
    expected, deadline : how long a sample usually takes, and at most [s].
    poll : how often to look at the sheet [s].
    hourly_rate : money per hour.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    folder: str
    accepts: tuple[Accepted, ...] = Field(min_length=1)
    consumables: tuple[Consumable, ...] = ()
    expected: float = Field(default=8 * 3600.0, gt=0)
    deadline: float = Field(default=7 * 24 * 3600.0, gt=0)
    poll: float = Field(default=1.0, gt=0)
    hourly_rate: float = Field(default=0.0, ge=0)


class _Sheet(BaseModel):
    """A recipe sheet as it comes back."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    done: bool
    failed: str = ""
    notes: str = ""
    recipe: dict[str, Setting]


class ByHand(RememberingDevice):
    """Lays out a recipe sheet and waits until it says done; see `ByHandSettings`."""

    def __init__(self, name: str, settings: ByHandSettings, *, folder: Path, clock: Clock) -> None:
        self._name = name
        self._settings = settings
        self._folder = folder
        self._clock = clock
        self._book = OrderBook(folder / ".orders")

    async def open(self) -> None:
        """Make the folder if it is not there.

        Raises
        ------
        InstrumentError
            It cannot be made.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InstrumentError(
                f"{self._name} cannot lay out recipes in {self._folder}: {error.strerror}; correct "
                "`folder` in the laboratory file"
            ) from error

    def estimate(self, command: Command) -> Estimated:
        """Return the usual duration, and one of each consumable."""
        del command
        used = {c.name: 1.0 for c in self._settings.consumables}
        return Estimated(self._settings.expected, used)

    async def act(self, action: Action, command: Command) -> Sample:
        """Return the sample as the sheet says it was made.

        Raises
        ------
        InstrumentFault
            ``person`` if the sheet says why it failed, ``no_answer`` after the deadline.
        """
        assert isinstance(command, Synthesize)
        if self._book.find(action.command_id) is None:
            self._put_away(command)
        asked = Order(command_id=action.command_id, command=command, started=action.started)
        order = self._book.note(asked)
        if order.ending is None:
            self._lay_out(command)
            action.message = f"waiting for a person to make {command.sample_id}: see its sheet "
            action.message += str(self.sheet(command))
            order = self._book.end(order, await self._answer(self.sheet(command), command))
        ending = _ended(order)
        if ending.fault != NO_ANSWER:
            for consumable in self._settings.consumables:
                action.use(consumable.name, 1.0)
        if ending.fault:
            raise InstrumentFault(ending.fault, ending.why)
        return self._sample(order)

    async def recall(self, command_id: str) -> Recollection | None:
        """Return what the book and the sheet say of an order."""
        order = self._book.find(command_id)
        if order is None:
            return None
        path = self.sheet(order.command)
        if order.ending is None and not path.exists():
            return Recollection(order.command, Answer("not_seen", message=f"{path} does not exist"))
        if order.ending is None:
            try:
                ending = self._as_answered(self._read(path, order.command))
            except ValueError as error:
                return Recollection(order.command, Answer("running", message=str(error)))
            if ending is None:
                waits = Answer("running", message=f"{path} waits for a person")
                return Recollection(order.command, waits)
            order = self._book.end(order, ending)
        return Recollection(order.command, Answer("done", self._outcome(order)))

    async def token(self, scope: str) -> int | None:
        """Return the highest token given for a scope."""
        return self._book.token(scope)

    async def keep_token(self, scope: str, token: int) -> None:
        """Remember the highest token of a scope, for every process that uses the folder."""
        self._book.keep_token(scope, token)

    def _outcome(self, order: Order) -> Outcome:
        ending = _ended(order)
        used = (
            {} if ending.fault == NO_ANSWER else {c.name: 1.0 for c in self._settings.consumables}
        )
        return Outcome(
            command_id=order.command_id,
            settled="failed" if ending.fault else "succeeded",
            value=None if ending.fault else self._sample(order),
            started=order.started,
            finished=ending.finished,
            simulated=False,
            error=ending.why,
            fault=ending.fault,
            consumed=used,
        )

    def _sample(self, order: Order) -> Sample:
        ending = _ended(order)
        recipe = ending.recipe or {}
        return Sample(
            id=order.command.sample_id,
            number=order.command.number,
            recipe=recipe,
            units={a.name: a.unit for a in self._settings.accepts if a.name in recipe},
            made_by=self._name,
            consumed={c.name: 1.0 for c in self._settings.consumables},
            simulated=False,
            started=order.started,
            finished=ending.finished,
            notes=(ending.notes,) if ending.notes else (),
        )

    def _lay_out(self, command: Synthesize) -> None:
        path = self.sheet(command)
        if not path.exists():
            # Renamed into place, so that no death of the process leaves half a sheet behind.
            draft = path.with_suffix(".draft")
            draft.write_text(self._laid_out(command), encoding="utf-8")
            draft.replace(path)

    def _put_away(self, command: Synthesize) -> None:
        """Keep the sheet of an earlier attempt aside: what it says is no answer to a new one."""
        path = self.sheet(command)
        if path.exists():
            earlier = len(list(self._folder.glob(f"{glob.escape(path.stem)}.earlier-*")))
            path.rename(path.with_suffix(f".earlier-{earlier}"))

    def sheet(self, command: Synthesize) -> Path:
        """Return the recipe sheet of a sample."""
        return self._folder / f"{command.sample_id.replace('/', '_')}.toml"

    async def _answer(self, path: Path, command: Synthesize) -> Ending:
        waited, complaint = 0.0, ""
        while waited <= self._settings.deadline:
            try:
                ending = self._as_answered(self._read(path, command))
            except ValueError as error:
                # The person may be in the middle of writing; what is wrong is told once.
                if str(error) != complaint:
                    logger.warning("recipe sheet not understood file=%s: %s", path, error)
                complaint = str(error)
            else:
                if ending is not None:
                    return ending
            await self._clock.sleep(self._settings.poll)
            waited += self._settings.poll
        told = complaint or "nobody wrote done = true"
        why = f"{path} had no answer within {self._settings.deadline:g} s: {told}"
        return Ending(finished=self._clock.now(), fault=NO_ANSWER, why=why)

    def _as_answered(self, sheet: _Sheet) -> Ending | None:
        """Return how an order ended by its sheet, None if the person is not done."""
        now = self._clock.now()
        if sheet.failed:
            return Ending(finished=now, notes=sheet.notes, fault="person", why=sheet.failed)
        if sheet.done:
            return Ending(finished=now, notes=sheet.notes, recipe=sheet.recipe)
        return None

    def _read(self, path: Path, command: Synthesize) -> _Sheet:
        """Return the sheet. Raises ValueError with what is wrong with it."""
        try:
            sheet = _Sheet.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ValueError(f"the sheet cannot be read: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        missing = sorted(set(command.recipe) - set(sheet.recipe))
        unknown = sorted(set(sheet.recipe) - set(command.recipe))
        if missing or unknown:
            raise ValueError(
                f"[recipe] lacks {', '.join(missing) or 'nothing'} and has unknown "
                f"{', '.join(unknown) or 'nothing'}"
            )
        return sheet

    def _laid_out(self, command: Synthesize) -> str:
        units = {a.name: a.unit for a in self._settings.accepts}
        lines = [
            f"# Please make sample {command.sample_id}.",
            "# Correct below what was done otherwise, then write done = true and save.",
            "done = false",
            'failed = ""  # or say here why it failed',
            'notes = ""',
            "",
            "[recipe]",
        ]
        for name, value in command.recipe.items():
            unit = f"  # {units[name]}" if units.get(name) else ""
            lines.append(f"{json.dumps(name)} = {json.dumps(value, ensure_ascii=False)}{unit}")
        return "\n".join(lines) + "\n"


def synthesizer(name: str, settings: Mapping[str, object], bench: Bench) -> QueryableExecutor:
    """Return the synthesizer ``by_hand``.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong; see `ByHandSettings`.
    """
    read = ByHandSettings.model_validate(settings)
    capabilities = Capabilities(
        role="synthesize",
        accepts=read.accepts,
        consumables=read.consumables,
        recovery="queryable",
        hourly_rate=read.hourly_rate,
        own_deadline=True,
        simulated=False,
    )
    device = ByHand(name, read, folder=bench.folder / read.folder, clock=bench.clock)
    return QueryableExecutor(name, capabilities, bench.clock, device)


def _ended(order: Order) -> Ending:
    assert order.ending is not None, f"the order {order.command_id} has not ended"
    return order.ending
