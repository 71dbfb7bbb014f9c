"""A measuring instrument that is a folder: somebody measures, and the file appears."""

from __future__ import annotations

import glob
import logging
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from instruments.capabilities import Accepted, Capabilities
from instruments.clock import Clock
from instruments.commands import Command, Measure
from instruments.device import Action, Device
from instruments.errors import InstrumentError, InstrumentFault, UnreadableFile
from instruments.execution import Executor
from instruments.formats.reading import READERS, read_measurement
from instruments.measurement import Measurement
from instruments.protocols import Bench, Estimated

logger = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]
"""Size [bytes], time of the last change [ns] and inode of a file."""


class HotFolderSettings(BaseModel):
    """What a laboratory file says about a hot folder.

    Attributes
    ----------
    folder : where the file appears; relative to the laboratory file.
    pattern : name of the file, with ``{measurement}``, ``{sample}`` or ``{number}`` for whose
        it is, and ``*`` and ``?`` as wildcards; a ``/`` in an id is written ``_``.
    technique : what the curves are.
    deadline : how long to wait for the file [s].
    expected : how long a measurement usually takes [s].
    stable_for : how long size and time of change must stand still [s] before it is read.
    unreadable_for : how long a file that stands still may be unreadable [s].
    poll : how often to look [s].
    accept_existing : whether a file that was there before the command, unchanged, may count.
        Otherwise it is stale, even if it bears the right name.
    wavelength, points : see `read_measurement`.
    accepts : settings that the person or program honours; recorded with the measurement.
    hourly_rate : money per hour of use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    folder: str
    pattern: str
    technique: str = "xrd"
    deadline: float = Field(default=8 * 3600.0, gt=0)
    expected: float = Field(default=900.0, gt=0)
    stable_for: float = Field(default=2.0, gt=0)
    unreadable_for: float = Field(default=60.0, gt=0)
    poll: float = Field(default=0.5, gt=0)
    accept_existing: bool = False
    wavelength: float | None = Field(default=None, gt=0)
    points: int | None = Field(default=None, gt=0)
    accepts: tuple[Accepted, ...] = ()
    hourly_rate: float = Field(default=0.0, ge=0)

    @field_validator("pattern")
    @classmethod
    def _names_one_file(cls, pattern: str) -> str:
        if "/" in pattern or "\\" in pattern:
            raise ValueError(f"{pattern!r} holds a path; only a file name was expected")
        if "{measurement}" not in pattern and "{sample}" not in pattern:
            raise ValueError(f"{pattern!r} holds neither {{measurement}} nor {{sample}}")
        if Path(pattern).suffix.lower() not in READERS:
            raise ValueError(f"{pattern!r} must end with one of {', '.join(READERS)}")
        try:
            pattern.format(measurement="m", sample="s", number=0)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"{pattern!r} holds an unknown placeholder: {error}") from error
        return pattern


@dataclass(slots=True)
class _Seen:
    """A file as it was last seen, and since when it has stood still [s of waiting]."""

    stamp: _Stamp
    since: float
    error: str = ""


class HotFolder(Device):
    """Waits for a fresh, finished, readable file; see `HotFolderSettings`."""

    def __init__(
        self, name: str, settings: HotFolderSettings, *, folder: Path, clock: Clock
    ) -> None:
        self._name = name
        self._settings = settings
        self._folder = folder
        self._clock = clock

    async def open(self) -> None:
        """Verify that the folder is there.

        Raises
        ------
        InstrumentError
            It is no folder.
        """
        if not self._folder.is_dir():
            raise InstrumentError(
                f"{self._name} watches {self._folder}, which is no folder; create it or correct "
                "`folder` in the laboratory file"
            )

    def estimate(self, command: Command) -> Estimated:
        """Return the usual duration of a measurement."""
        del command
        return Estimated(self._settings.expected)

    async def act(self, action: Action, command: Command) -> Measurement:
        """Return the measurement in the file that appears.

        Raises
        ------
        InstrumentFault
            ``missing_file``, ``wrong_name``, ``stale_file``, ``duplicate_file`` or
            ``unreadable_file``, none before its time has passed.
        """
        assert isinstance(command, Measure)
        names = self.names(command)
        before = self._stamps()
        action.message = f"waiting for {names} in {self._folder}"
        measurement = await self._waited_for(command, names, before)
        action.readback["file"] = measurement.source["file"]
        return replace(
            measurement,
            settings={**measurement.settings, **command.settings},
            started=action.started,
            finished=self._clock.now(),
        )

    def names(self, command: Measure) -> str:
        """Return the glob pattern of the file that belongs to a command."""
        return self._settings.pattern.format(
            measurement=glob.escape(command.measurement_id.replace("/", "_")),
            sample=glob.escape(command.sample.id.replace("/", "_")),
            number=command.sample.number,
        )

    async def _waited_for(
        self, command: Measure, names: str, before: dict[Path, _Stamp]
    ) -> Measurement:
        stale = {} if self._settings.accept_existing else before
        seen: dict[Path, _Seen] = {}
        waited = 0.0
        while waited <= self._settings.deadline:
            fresh = {p: s for p, s in self._stamps().items() if stale.get(p) != s}
            mine = {p: s for p, s in fresh.items() if p.match(names)}
            if found := self._finished(command, mine, seen, waited):
                return found
            await self._clock.sleep(self._settings.poll)
            waited += self._settings.poll
        raise self._missed(names, before, seen)

    def _finished(
        self, command: Measure, mine: dict[Path, _Stamp], seen: dict[Path, _Seen], waited: float
    ) -> Measurement | None:
        """Return the measurement once every file of that name stands still and one reads."""
        for path in set(seen) - set(mine):
            del seen[path]
        for path, stamp in mine.items():
            if path not in seen or seen[path].stamp != stamp:
                seen[path] = _Seen(stamp, waited)
        still = [p for p in mine if waited - seen[p].since >= self._settings.stable_for]
        if not still or len(still) < len(mine):
            return None
        read = [m for p in sorted(still) if (m := self._read(command, p, seen[p], waited))]
        if len({m.source["sha256"] for m in read}) > 1:
            files = ", ".join(m.source["file"] for m in read)
            raise InstrumentFault(
                "duplicate_file", f"{len(read)} different files claim to be this one: {files}"
            )
        if len(read) < len(still) or not read:
            return None
        return (
            read[0]
            if len(read) == 1
            else replace(read[0], flags=(*read[0].flags, "duplicate_file"))
        )

    def _read(self, command: Measure, path: Path, seen: _Seen, waited: float) -> Measurement | None:
        """Return the file's measurement, or None while it may still be written to."""
        try:
            measurement = read_measurement(
                path,
                technique=self._settings.technique,
                sample_id=command.sample.id,
                measurement_id=command.measurement_id,
                wavelength=self._settings.wavelength,
                points=self._settings.points,
                instrument=self._name,
            )
        except UnreadableFile as error:
            if waited - seen.since >= self._settings.unreadable_for:
                raise InstrumentFault("unreadable_file", str(error)) from error
            if seen.error != str(error):
                logger.info("file not readable yet instrument=%s error=%s", self._name, error)
            seen.error = str(error)
            return None
        return measurement if self._stamps().get(path) == seen.stamp else None

    def _stamps(self) -> dict[Path, _Stamp]:
        try:
            stamps = {path: _stamp(path) for path in self._folder.iterdir()}
        except OSError as error:
            raise InstrumentFault(
                "folder_lost", f"{self._folder} cannot be listed: {error}"
            ) from error
        return {path: stamp for path, stamp in stamps.items() if stamp is not None}

    def _missed(
        self, names: str, before: dict[Path, _Stamp], seen: dict[Path, _Seen]
    ) -> InstrumentFault:
        waited = f"no finished file {names} in {self._folder} within {self._settings.deadline:g} s"
        now = self._stamps()
        unread = [s.error for s in seen.values() if s.error]
        if unread or seen:
            return InstrumentFault(
                "unreadable_file", f"{waited}; {' '.join(unread) or 'it kept growing'}"
            )
        if stale := [p.name for p, s in now.items() if before.get(p) == s and p.match(names)]:
            return InstrumentFault(
                "stale_file", f"{waited}; {', '.join(sorted(stale))} was there before the command"
            )
        if others := [p.name for p, s in now.items() if before.get(p) != s]:
            return InstrumentFault(
                "wrong_name", f"{waited}; what appeared is {', '.join(sorted(others)[:5])}"
            )
        return InstrumentFault("missing_file", waited)


def _stamp(path: Path) -> _Stamp | None:
    """Return size, time and inode of a regular file; None for a link, a folder, a vanished file."""
    try:
        state = path.lstat()
    except FileNotFoundError:
        return None  # renamed while we looked; the next look tells
    if not stat.S_ISREG(state.st_mode):
        return None
    return state.st_size, state.st_mtime_ns, state.st_ino


def instrument(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
    """Return the measuring instrument ``hot_folder``.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong; see `HotFolderSettings`.
    """
    read = HotFolderSettings.model_validate(settings)
    capabilities = Capabilities(
        role="measure",
        technique=read.technique,
        accepts=read.accepts,
        recovery="idempotent",  # waiting for a file moves nothing
        hourly_rate=read.hourly_rate,
        own_deadline=True,
        simulated=False,
    )
    device = HotFolder(name, read, folder=bench.folder / read.folder, clock=bench.clock)
    return Executor(name, capabilities, bench.clock, device)
