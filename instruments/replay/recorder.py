"""A measuring instrument that returns what was recorded for a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from instruments.capabilities import Capabilities
from instruments.commands import Command, Measure
from instruments.device import Action, Device
from instruments.errors import NoRecordedData, UnreadableFile
from instruments.execution import Executor
from instruments.measurement import Measurement, Reading
from instruments.protocols import Bench, Estimated
from instruments.replay.patterns import Patterns, PatternSettings, RecordedCurve, patterns
from instruments.replay.recording import Recording, RecordingSettings, Stated
from instruments.simulated.streams import command_key, stream


class RecordedReading(Stated):
    """One column of the table that was measured.

    Attributes
    ----------
    column : its name in the table; the reading's own name if empty.
    unit : of its numbers.
    std : column with the standard deviation of a single experiment.
    count : column with the number of experiments that a row is the mean of; `std` is divided by
        its root.
    """

    column: str = ""
    unit: str = ""
    std: str = ""
    count: str = ""


class RecorderSettings(RecordingSettings):
    """What a laboratory file says about a replayed measurement.

    Attributes
    ----------
    readings : name → column.
    pattern : where the recorded curves lie, None if there are none.
    replicates : what is returned where a candidate stands in several rows: ``mean`` of all, with
        the standard deviation of the mean, or ``draw``, one of them by the laboratory's seed.
    seconds : duration of one measurement.
    hourly_rate : money per hour of use.
    """

    readings: dict[str, RecordedReading] = Field(default_factory=dict)
    pattern: PatternSettings | None = None
    replicates: Literal["mean", "draw"] = "mean"
    seconds: float = Field(default=60.0, ge=0)
    hourly_rate: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _measures_something(self) -> RecorderSettings:
        if not self.readings and self.pattern is None:
            raise ValueError("a recorder needs readings, a pattern, or both; name some")
        return self

    @property
    def technique(self) -> str:
        """What its curves are, ``table`` if it has readings alone."""
        return self.pattern.technique if self.pattern else "table"


class RecordedMeasurement(Device):
    """Looks up what was measured on a sample of that recipe."""

    def __init__(
        self, name: str, settings: RecorderSettings, bench: Bench, *, folder: Path
    ) -> None:
        self._name = name
        self._settings = settings
        self._bench = bench
        self._recording = Recording(settings, folder=folder)
        self._numbers = {
            column: self._column(column)
            for reading, r in settings.readings.items()
            for column in (r.column or reading, r.std, r.count)
            if column
        }
        self._patterns: Patterns | None = None
        if settings.pattern:
            self._patterns = patterns(settings.pattern, self._recording.table, folder=folder)
        self._source = self._recording.source

    def faults(self, command: Command) -> list[str]:
        """Return a sentence if nothing was recorded for such a sample."""
        assert isinstance(command, Measure)
        try:
            self._measured_rows(command)
        except NoRecordedData as error:
            return [str(error)]
        return []

    def estimate(self, command: Command) -> Estimated:
        """Return the stated duration."""
        del command
        return Estimated(self._settings.seconds)

    async def act(self, action: Action, command: Command) -> Measurement:
        """Return the recorded readings and curve after the stated time."""
        assert isinstance(command, Measure)
        rows = self._measured_rows(command)
        if self._settings.replicates == "draw":
            rng = stream(self._bench.seed, "replicate", command_key(action.command_id))
            rows = [rows[int(rng.integers(len(rows)))]]
        action.readback["row"] = float(rows[0] + 1)
        await self._bench.clock.sleep(self._settings.seconds)
        curve = self._patterns.curve(rows[0]) if self._patterns else RecordedCurve()
        return Measurement(
            id=command.measurement_id,
            sample_id=command.sample.id,
            technique=self._settings.technique,
            x=curve.x,
            y=curve.y,
            sigma=curve.sigma,
            x_name=curve.axis[0],
            x_unit=curve.axis[1],
            y_name=curve.y_name,
            y_unit=curve.y_unit,
            instrument=self._name,
            simulated=True,
            started=action.started,
            finished=self._bench.clock.now(),
            settings=curve.settings,
            readings={name: self._reading(name, rows) for name in self._settings.readings},
            flags=curve.flags,
            source={
                **self._source,
                "rows": ", ".join(str(row + 1) for row in rows),
                **{f"pattern_{name}": value for name, value in curve.source.items()},
            },
        )

    def _column(self, name: str) -> tuple[float | None, ...]:
        numbers: list[float | None] = []
        for cell in self._recording.table.column(name):
            if isinstance(cell, str):
                raise UnreadableFile(f"column {name!r} holds {cell!r}; numbers were expected")
            numbers.append(cell)
        return tuple(numbers)

    def _measured_rows(self, command: Measure) -> list[int]:
        """Return the rows of the sample in which every reading is filled in."""
        rows = self._recording.rows(command.sample.recipe)
        needed = [r.column or name for name, r in self._settings.readings.items()]
        filled = [row for row in rows if all(self._numbers[c][row] is not None for c in needed)]
        if not filled:
            raise NoRecordedData(
                f"the sample stands in row {rows[0] + 1}, and {', '.join(needed)} is empty there"
            )
        return filled

    def _reading(self, name: str, rows: list[int]) -> Reading:
        """Return one recorded value, or the mean of several with its standard deviation."""
        recorded = self._settings.readings[name]
        values = [
            v for row in rows if (v := self._numbers[recorded.column or name][row]) is not None
        ]
        if len(values) > 1:
            std = float(np.std(values, ddof=1)) / math.sqrt(len(values))
            return Reading(math.fsum(values) / len(values), std, recorded.unit)
        return Reading(values[0], self._recorded_std(recorded, rows[0]), recorded.unit)

    def _recorded_std(self, recorded: RecordedReading, row: int) -> float | None:
        if not recorded.std:
            return None
        std = self._numbers[recorded.std][row]
        count = self._numbers[recorded.count][row] if recorded.count else 1.0
        return std / math.sqrt(count) if std is not None and count else None


def recorder(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
    """Return the instrument ``replay.recorder``; `simulated`, since no sample is touched.

    Raises
    ------
    pydantic.ValidationError, UnreadableFile
        The settings are wrong, or the recording cannot be read.
    """
    read = RecorderSettings.model_validate(settings)
    capabilities = Capabilities(
        role="measure",
        technique=read.technique,
        reports={reading: r.unit for reading, r in read.readings.items()},
        recovery="idempotent",
        hourly_rate=read.hourly_rate,
        simulated=True,
    )
    device = RecordedMeasurement(name, read, bench, folder=bench.folder)
    return Executor(name, capabilities, bench.clock, device)
