"""A recorded campaign: which candidates were made, and in which rows each one stands."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from instruments.capabilities import Accepted
from instruments.errors import NoRecordedData, UnreadableFile
from instruments.recorded_data import Table, read_tables
from instruments.sample import Setting


class Stated(BaseModel):
    """Settings as a laboratory file states them: unknown fields and NaN are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Feature(Stated):
    """One column of the table that was set when a sample was made.

    Attributes
    ----------
    column : its name in the table; the setting's own name if empty.
    unit : of its numbers.
    """

    column: str = ""
    unit: str = ""


class RecordingSettings(Stated):
    """Where a recording lies and which of its columns make a candidate.

    Attributes
    ----------
    table : one file, or several joined row by row; see `instruments.recorded_data.read_tables`.
    features : setting → column.
    """

    table: str | tuple[str, ...]
    features: dict[str, Feature] = Field(min_length=1)


class Recording:
    """A table of recorded experiments, looked up by recipe.

    Two recipes are the same if each number agrees to 12 digits.

    Raises
    ------
    UnreadableFile
        The table cannot be read, or a feature's column is missing or has empty cells.
    """

    def __init__(self, settings: RecordingSettings, *, folder: Path) -> None:
        self.table: Table = read_tables(settings.table, folder=folder)
        self.features = dict(settings.features)
        self._columns = {
            name: self.table.settings(feature.column or name)
            for name, feature in self.features.items()
        }
        self._check_kinds()
        self._rows: dict[tuple[Setting, ...], list[int]] = {}
        for row in range(self.table.n_rows):
            key = tuple(_comparable(cells[row]) for cells in self._columns.values())
            self._rows.setdefault(key, []).append(row)

    @property
    def source(self) -> dict[str, str]:
        """Return the names of the files and the hash of their contents, in order."""
        digest = hashlib.sha256()
        for path in self.table.paths:
            digest.update(path.read_bytes())
        return {
            "recording": " + ".join(str(path) for path in self.table.paths),
            "sha256": digest.hexdigest(),
        }

    @property
    def n_candidates(self) -> int:
        """Number of distinct candidates."""
        return len(self._rows)

    def accepts(self) -> tuple[Accepted, ...]:
        """Return the settings: numbers within the recorded range, texts among the recorded."""
        return tuple(
            _accepted(name, feature.unit, self._columns[name])
            for name, feature in self.features.items()
        )

    def recipe(self, row: int) -> dict[str, Setting]:
        """Return the settings of a row, exactly as recorded."""
        return {name: cells[row] for name, cells in self._columns.items()}

    def rows(self, recipe: Mapping[str, Setting]) -> list[int]:
        """Return every row, from 0, in which this candidate was recorded.

        Raises
        ------
        NoRecordedData
            A feature is missing from the recipe, or no such candidate was recorded.
        """
        missing = [name for name in self.features if name not in recipe]
        if missing:
            raise NoRecordedData(f"the recipe lacks {', '.join(missing)}; the recording needs it")
        key = tuple(_comparable(recipe[name]) for name in self.features)
        if key not in self._rows:
            nearest = _shown(self.recipe(self._nearest(recipe)))
            raise NoRecordedData(
                f"{_shown({name: recipe[name] for name in self.features})} is none of the "
                f"{self.n_candidates} recorded candidates; the nearest is {nearest}"
            )
        return self._rows[key]

    def _nearest(self, recipe: Mapping[str, Setting]) -> int:
        """Return the row with the smallest distance, each feature scaled by its range."""

        def distance(row: int) -> float:
            parts = (_distance(recipe[n], cells[row], cells) for n, cells in self._columns.items())
            return math.hypot(*parts)

        return min((rows[0] for rows in self._rows.values()), key=distance)

    def _check_kinds(self) -> None:
        for name, cells in self._columns.items():
            if len({type(cell) for cell in cells}) > 1:
                raise UnreadableFile(f"{name} mixes numbers and text; one kind was expected")


def _comparable(value: Setting) -> Setting:
    return value if isinstance(value, str) else float(f"{value:.12g}") + 0.0


def _accepted(name: str, unit: str, cells: tuple[Setting, ...]) -> Accepted:
    numbers = [cell for cell in cells if not isinstance(cell, str)]
    if numbers:
        return Accepted(name=name, unit=unit, low=min(numbers), high=max(numbers))
    return Accepted(name=name, unit=unit, choices=tuple(dict.fromkeys(cells)))


def _distance(value: Setting, cell: Setting, cells: tuple[Setting, ...]) -> float:
    if isinstance(value, str) or isinstance(cell, str):
        return float(value != cell)
    numbers = [c for c in cells if not isinstance(c, str)]
    return (value - cell) / ((max(numbers) - min(numbers)) or 1.0)


def _shown(recipe: Mapping[str, Setting]) -> str:
    return ", ".join(
        f"{name} = {value}" if isinstance(value, str) else f"{name} = {value:g}"
        for name, value in recipe.items()
    )
