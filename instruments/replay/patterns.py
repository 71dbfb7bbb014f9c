"""The recorded curve of each row: one file a row, or one matrix for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from instruments.errors import UnreadableFile
from instruments.formats import read_measurement
from instruments.formats.axes import BY_TECHNIQUE
from instruments.formats.source import read_source
from instruments.measurement import FloatArray, check_curve
from instruments.recorded_data import Table, locate


class PatternSettings(BaseModel):
    """Where the recorded curves lie.

    Attributes
    ----------
    technique : what they are.
    matrix : a file whose first row is the axis and whose further rows are the curves, in the
        order of the table.
    folder, file : a folder with one file a row; `file` is the column of the table that holds its
        name, or a name with ``{row}``, the number of the row from 1 (``film_{row:02d}.xy``).
    x_name, x_unit, y_unit : what the axes of a matrix are; by technique if empty.
    counting : whether a matrix holds counts, whose standard deviation is √max(counts, 1).
    wavelength : in Å, where the files do not state it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    technique: Literal["xrd", "pdf", "sas", "xas", "ins"]
    matrix: str = ""
    folder: str = ""
    file: str = ""
    x_name: str = ""
    x_unit: str = ""
    y_unit: str = ""
    counting: bool = False
    wavelength: float | None = Field(default=None, gt=0)


@dataclass(frozen=True, slots=True, eq=False)
class RecordedCurve:
    """The curve of one row; all empty where only readings were recorded."""

    x: FloatArray = field(default_factory=lambda: np.empty(0))
    y: FloatArray = field(default_factory=lambda: np.empty(0))
    sigma: FloatArray | None = None
    axis: tuple[str, str] = ("", "")
    y_name: str = ""
    y_unit: str = ""
    settings: Mapping[str, float | str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict)


class Patterns(Protocol):
    """Gives the recorded curve of a row."""

    def curve(self, row: int) -> RecordedCurve:
        """Return the curve of `row`, from 0."""
        ...


def patterns(settings: PatternSettings, table: Table, *, folder: Path) -> Patterns:
    """Return the curves that the settings name.

    Raises
    ------
    UnreadableFile
        Neither or both kinds of source are named, or there is not one curve a row.
    """
    if bool(settings.matrix) == bool(settings.folder and settings.file):
        raise UnreadableFile(
            "a recorded pattern needs either `matrix`, or `folder` and `file`; name one of them"
        )
    if settings.matrix:
        return MatrixPatterns(settings, table.n_rows, folder=folder)
    return FilePatterns(settings, table, folder=folder)


class MatrixPatterns:
    """Curves in the rows of one text file, the axis in its first row."""

    def __init__(self, settings: PatternSettings, n_rows: int, *, folder: Path) -> None:
        source = read_source(locate(settings.matrix, folder=folder))
        lines = [line for line in source.text().splitlines() if line.strip()]
        try:
            rows = [np.array(line.replace(",", " ").split(), dtype=np.float64) for line in lines]
            self._x: FloatArray = rows[0]
            for number, row in enumerate(rows[1:], start=2):
                check_curve(self._x, row, None, x_name=f"axis for row {number}")
        except ValueError as error:
            raise source.unreadable(f"is no matrix of curves under one axis: {error}") from error
        if len(rows) != n_rows + 1:
            raise source.unreadable(
                f"holds {len(rows) - 1} curves under its axis; one for each of the {n_rows} rows "
                "of the table was expected"
            )
        self._curves = rows[1:]
        self._settings = settings
        self._source = {"file": str(source.path), "sha256": source.sha256}
        name, unit = BY_TECHNIQUE[settings.technique]
        self._axis = (settings.x_name or name, settings.x_unit or unit)

    def curve(self, row: int) -> RecordedCurve:
        """Return the curve of `row`."""
        y = self._curves[row].copy()
        known = self._settings.wavelength
        return RecordedCurve(
            x=self._x.copy(),
            y=y,
            sigma=np.sqrt(np.maximum(y, 1.0)) if self._settings.counting else None,
            axis=self._axis,
            y_name="intensity",
            y_unit=self._settings.y_unit or ("counts" if self._settings.counting else ""),
            settings={"wavelength": known} if known is not None else {},
            source=self._source,
        )


class FilePatterns:
    """One file a row in a folder."""

    def __init__(self, settings: PatternSettings, table: Table, *, folder: Path) -> None:
        self._settings = settings
        base = locate(settings.folder, folder=folder)
        if settings.file in table.columns:
            names = [str(cell) for cell in table.settings(settings.file)]
        elif "{row" in settings.file:
            names = [settings.file.format(row=row + 1) for row in range(table.n_rows)]
        else:
            raise UnreadableFile(
                f"{settings.file!r} is neither a column of the table nor a name with {{row}}"
            )
        self._paths = [base / name for name in names]
        missing = [path for path in self._paths if not path.is_file()]
        if missing:
            raise UnreadableFile(
                f"{len(missing)} of {len(names)} recorded patterns are missing, the first is "
                f"{missing[0]}"
            )

    def curve(self, row: int) -> RecordedCurve:
        """Return the curve in the file of `row`."""
        read = read_measurement(
            self._paths[row],
            technique=self._settings.technique,
            wavelength=self._settings.wavelength,
        )
        return RecordedCurve(
            x=read.x,
            y=read.y,
            sigma=read.sigma,
            axis=(read.x_name, read.x_unit),
            y_name=read.y_name,
            y_unit=read.y_unit,
            settings=read.settings,
            source=read.source,
            flags=read.flags,
        )
