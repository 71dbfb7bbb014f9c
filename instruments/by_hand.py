"""A synthesizer that is a person: a recipe sheet appears, and comes back filled in.

The sheet is a small TOML file. The person corrects what was done otherwise than asked, writes
``done = true`` (or why it failed) and saves it. Since the sheet stays where it is, a campaign that
was killed meanwhile finds the answer when it is resumed, and nobody makes the sample twice.
"""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from instruments.capabilities import Accepted, Capabilities, Consumable
from instruments.clock import Clock
from instruments.commands import Command, Synthesize
from instruments.device import Action, Device
from instruments.errors import InstrumentError, InstrumentFault
from instruments.execution import Executor
from instruments.protocols import Bench, Estimated
from instruments.sample import Sample, Setting

logger = logging.getLogger(__name__)


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


class ByHand(Device):
    """Lays out a recipe sheet and waits until it says done; see `ByHandSettings`."""

    def __init__(self, name: str, settings: ByHandSettings, *, folder: Path, clock: Clock) -> None:
        self._name = name
        self._settings = settings
        self._folder = folder
        self._clock = clock

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
        path = self.sheet(command)
        if not path.exists():
            # Renamed into place, so that no death of the process leaves half a sheet behind.
            draft = path.with_suffix(".draft")
            draft.write_text(self._laid_out(command), encoding="utf-8")
            draft.replace(path)
        action.message = f"waiting for a person to make {command.sample_id}: see {path}"
        sheet = await self._answer(path, command)
        for consumable in self._settings.consumables:
            action.use(consumable.name, 1.0)
        if sheet.failed:
            raise InstrumentFault("person", sheet.failed)
        return Sample(
            id=command.sample_id,
            number=command.number,
            recipe=sheet.recipe,
            units={a.name: a.unit for a in self._settings.accepts if a.name in sheet.recipe},
            made_by=self._name,
            consumed=dict(action.consumed),
            simulated=False,
            started=action.started,
            finished=self._clock.now(),
            notes=(sheet.notes,) if sheet.notes else (),
        )

    def sheet(self, command: Synthesize) -> Path:
        """Return the recipe sheet of a sample."""
        return self._folder / f"{command.sample_id.replace('/', '_')}.toml"

    async def _answer(self, path: Path, command: Synthesize) -> _Sheet:
        waited, complaint = 0.0, ""
        while waited <= self._settings.deadline:
            try:
                sheet = self._read(path, command)
            except ValueError as error:
                # The person may be in the middle of writing; what is wrong is told once.
                if str(error) != complaint:
                    logger.warning("recipe sheet not understood file=%s: %s", path, error)
                complaint = str(error)
            else:
                if sheet.done or sheet.failed:
                    return sheet
            await self._clock.sleep(self._settings.poll)
            waited += self._settings.poll
        told = complaint or "nobody wrote done = true"
        raise InstrumentFault(
            "no_answer", f"{path} had no answer within {self._settings.deadline:g} s: {told}"
        )

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


def synthesizer(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
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
        recovery="idempotent",  # the sheet is laid out once; its answer stays
        hourly_rate=read.hourly_rate,
        own_deadline=True,
        simulated=False,
    )
    device = ByHand(name, read, folder=bench.folder / read.folder, clock=bench.clock)
    return Executor(name, capabilities, bench.clock, device)
