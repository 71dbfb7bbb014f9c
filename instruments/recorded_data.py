"""Tables of recorded experiments: where they lie, what they hold, and their distinct candidates."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from instruments.errors import UnreadableFile
from instruments.sample import Setting

DATA_VARIABLE = "SDLAB_DATA"
"""Environment variable that names the folder of published data sets."""

SHARED = "shared-data:"
"""A path that begins so lies in that folder, e.g. ``shared-data:planner/pvlab/pools/P3HT.csv``."""

_LARGEST = 200_000_000
Cell = float | str | None
"""A number, a text, or None for an empty cell."""


def data_folder() -> Path:
    """Return the folder of published data sets; it may not exist.

    The environment variable ``SDLAB_DATA`` names it; where that is unset, it is
    ``../shared/data`` beside the checkout.
    """
    named = os.environ.get(DATA_VARIABLE)
    if named:
        return Path(named)
    return Path(__file__).resolve().parents[2] / "shared" / "data"


def locate(source: str, *, folder: Path) -> Path:
    """Return the existing file or folder that `source` names.

    Parameters
    ----------
    source : a path, relative to `folder`, or ``shared-data:`` and a path in the data folder.

    Raises
    ------
    UnreadableFile
        It does not exist, or climbs out of the data folder.
    """
    if not source.startswith(SHARED):
        path = folder / source
        if not path.exists():
            raise UnreadableFile(f"{path} does not exist; correct the path of the recorded data")
        return path
    inside = source.removeprefix(SHARED)
    root = data_folder().resolve()
    path = (root / inside).resolve()
    if not path.is_relative_to(root):
        raise UnreadableFile(f"{source} leads out of the data folder {root}")
    if not path.exists():
        named = "/".join(inside.split("/")[:2])
        raise UnreadableFile(
            f"the data set {named} is not here ({path} does not exist); set {DATA_VARIABLE} to the "
            "folder that holds it"
        )
    return path


@dataclass(frozen=True, slots=True)
class Table:
    """Recorded experiments, one a row.

    Attributes
    ----------
    columns : name → its cells, all columns of one length.
    paths : the files they came from.
    """

    columns: dict[str, tuple[Cell, ...]]
    paths: tuple[Path, ...]

    @property
    def n_rows(self) -> int:
        """Number of recorded experiments."""
        return len(next(iter(self.columns.values())))

    def column(self, name: str) -> tuple[Cell, ...]:
        """Return the cells of a column.

        Raises
        ------
        UnreadableFile
            There is no such column.
        """
        if name not in self.columns:
            held = ", ".join(self.columns)
            raise UnreadableFile(f"{self._names()} has no column {name!r}; it has {held}")
        return self.columns[name]

    def settings(self, name: str) -> tuple[Setting, ...]:
        """Return the cells of a column in which none may be empty."""
        cells = self.column(name)
        for row, cell in enumerate(cells):
            if cell is None:
                raise UnreadableFile(f"{self._names()}: {name} is empty in row {row + 1}")
        return tuple(cell for cell in cells if cell is not None)

    def _names(self) -> str:
        return " + ".join(path.name for path in self.paths)


def read_tables(sources: str | Sequence[str], *, folder: Path) -> Table:
    """Return one table, joined row by row from one or several files.

    A file is comma-separated or separated by blanks. Its first row names the columns unless it
    holds numbers; then the columns are called ``<file stem>.<position from 1>``. A column is
    numeric if each of its filled cells is a finite number.

    Raises
    ------
    UnreadableFile
        A file is missing or ragged, files differ in length, or two columns share a name.
    """
    names = [sources] if isinstance(sources, str) else list(sources)
    if not names:
        raise UnreadableFile("no table of recorded data is named; name at least one file")
    columns: dict[str, tuple[Cell, ...]] = {}
    paths: list[Path] = []
    for source in names:
        path = locate(source, folder=folder)
        for name, cells in _read_table(path).items():
            if name in columns:
                raise UnreadableFile(f"{path.name} has a column {name!r}, as the file before it")
            if columns and len(cells) != len(next(iter(columns.values()))):
                raise UnreadableFile(
                    f"{path.name} has {len(cells)} rows and {paths[0].name} has "
                    f"{len(next(iter(columns.values())))}; they cannot be joined row by row"
                )
            columns[name] = cells
        paths.append(path)
    return Table(columns, tuple(paths))


def candidate_rows(
    table: str | Sequence[str], columns: Sequence[str], *, folder: Path
) -> tuple[list[str], list[list[Setting]]]:
    """Return the distinct combinations of `columns` in a table, in the order of the table.

    Numbers are exactly those that the replay instruments compare with.

    Raises
    ------
    UnreadableFile
        The table cannot be read, or a column is missing or has empty cells.
    """
    if not columns:
        raise UnreadableFile(f"no columns of {table} are named; name those that are settings")
    read = read_tables(table, folder=folder)
    rows = zip(*(read.settings(name) for name in columns), strict=True)
    return list(columns), [list(row) for row in dict.fromkeys(rows)]


def as_finite(text: str) -> float | None:
    """Return the finite number that `text` is, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _read_table(path: Path) -> dict[str, tuple[Cell, ...]]:
    rows = _rows(path)
    numbered = [f"{path.stem}.{i + 1}" for i in range(len(rows[0]))]
    has_names = not any(as_finite(cell) is not None for cell in rows[0])
    names, body = (rows[0], rows[1:]) if has_names else (numbered, rows)
    if not body:
        raise UnreadableFile(f"{path} holds names of columns and no row")
    if len(set(names)) != len(names):
        raise UnreadableFile(f"{path} names a column twice: {', '.join(names)}")
    for number, row in enumerate(body, start=1 + has_names):
        if len(row) != len(names):
            raise UnreadableFile(
                f"{path} row {number} has {len(row)} cells; {len(names)} were expected"
            )
    return {name: _typed([row[i] for row in body]) for i, name in enumerate(names)}


def _rows(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > _LARGEST:
            raise UnreadableFile(
                f"{path} is larger than {_LARGEST} bytes; it is no table for replay"
            )
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"{path} cannot be read as a table: {error}") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise UnreadableFile(f"{path} is empty; a table with a row an experiment was expected")
    if "," in lines[0]:
        try:
            return [[cell.strip() for cell in row] for row in csv.reader(lines, strict=True)]
        except csv.Error as error:
            raise UnreadableFile(f"{path} is no comma-separated table: {error}") from error
    return [line.split() for line in lines]


def _typed(cells: list[str]) -> tuple[Cell, ...]:
    numbers = {cell: as_finite(cell) for cell in cells if cell}
    if any(value is None for value in numbers.values()):
        return tuple(cell or None for cell in cells)
    return tuple(numbers[cell] if cell else None for cell in cells)


__all__ = [
    "DATA_VARIABLE",
    "SHARED",
    "Cell",
    "Table",
    "as_finite",
    "candidate_rows",
    "data_folder",
    "locate",
    "read_tables",
]
