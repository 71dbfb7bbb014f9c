"""The block of numbers in a text file, and the header above it.

A line that is neither a point nor plainly a header is an error, never skipped: a skipped line is
a silently shortened pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from instruments.formats.source import Source
from instruments.measurement import FloatArray

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_COMMENT = ("#", "!", ";", "'", '"', "%", "//", "/*", "*")
_LONGEST_HEADER = 2000
_OF_NUMBERS = re.compile(r"[\d.+\-eE\s,;]", re.ASCII)
_FOREIGN = 2
"""A header line with no more characters than this beside those of numbers is a damaged point."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Numbers of a text file.

    Attributes
    ----------
    header : the lines above the numbers, stripped, without empty ones.
    values : (n_points, n_columns).
    first_line : number of the line with the first point, from 1.
    terminated : whether the last line ends with a line break.
    """

    header: tuple[str, ...]
    values: FloatArray
    first_line: int
    terminated: bool


def fields(line: str) -> list[str]:
    """Return the fields of a line, separated by commas, semicolons, tabs or blanks."""
    for separator in (",", ";"):
        if separator in line:
            return [field.strip() for field in line.rstrip(separator + " \t").split(separator)]
    return line.split()


def is_number(text: str) -> bool:
    """Return whether `text` is a plain finite number."""
    return bool(_NUMBER.fullmatch(text)) and np.isfinite(float(text))


def is_comment(line: str) -> bool:
    """Return whether a header line is marked as a comment."""
    return line.startswith(_COMMENT)


def parse_columns(source: Source, *, free_header: bool) -> Columns:
    """Return the numbers of a text file.

    Parameters
    ----------
    free_header : whether lines of plain text may stand above the numbers; otherwise only
        comments and single numbers may.

    Raises
    ------
    UnreadableFile
        There are no numbers, or a line is neither header nor point.
    """
    text = source.text()
    lines = re.split(r"\r\n|\n|\r", text)
    first = _first_point(source, lines, free_header=free_header)
    rows = [fields(line) for line in _body(lines[first:])]
    width = len(rows[0])
    for number, row in enumerate(rows, start=first + 1):
        _check_row(source, row, width, number)
    terminated = text.endswith(("\n", "\r"))
    if not terminated:
        _check_last_row(source, rows, first + len(rows))
    header = tuple(line.strip() for line in lines[:first] if line.strip())
    _check_header(source, lines[:first], width)
    values = np.array(rows, dtype=np.float64)
    if header and _continues(header[-1], values):
        raise source.unreadable(
            f"holds {_shown(header[-1])} above its points, which ends in a point", line=first
        )
    return Columns(header, values, first + 1, terminated)


def _first_point(source: Source, lines: list[str], *, free_header: bool) -> int:
    for index, line in enumerate(lines[:_LONGEST_HEADER]):
        row = fields(line.strip())
        if len(row) >= 2 and all(map(is_number, row)):
            return index
        plain = bool(line.strip()) and not is_comment(line.strip())
        if plain and not free_header and not (len(row) == 1 and is_number(row[0])):
            raise source.unreadable(
                f"reads {_shown(line)}; a point (numbers) or a comment was expected", line=index + 1
            )
    raise source.unreadable("holds no line with two numbers; axis and signal were expected")


def _body(lines: list[str]) -> list[str]:
    """Return the lines without the empty ones and comments at the end of the file."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return [line.strip() for line in lines[:end]]


def _check_row(source: Source, row: list[str], width: int, number: int) -> None:
    for field in row:
        if not is_number(field):
            raise source.unreadable(
                f"holds {_shown(field)}; a finite number was expected", line=number
            )
    if len(row) != width:
        raise source.unreadable(
            f"has {len(row)} numbers; {width} were expected, as in the lines above", line=number
        )


def _check_last_row(source: Source, rows: list[list[str]], number: int) -> None:
    """Refuse a last number that is cut off, where all numbers above it have the same decimals."""
    for column, cell in enumerate(rows[-1]):
        above = {len(row[column].partition(".")[2]) for row in rows[:-1]}
        if len(above) == 1 and len(cell.partition(".")[2]) not in above:
            raise source.unreadable(
                f"ends in {_shown(cell)}, without a line break and with fewer decimals than the "
                "lines above: the file is truncated; copy it again",
                line=number,
            )


def _check_header(source: Source, lines: list[str], width: int) -> None:
    """Refuse a header line that looks like a point with a damaged number or separator."""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if is_comment(text) or is_number(text) or not re.search(r"\d", text):
            continue
        row = fields(text)
        damaged = [cell for cell in row if not is_number(cell)]
        if _is_damaged_point(row, width) or len(_OF_NUMBERS.sub("", text)) <= _FOREIGN:
            raise source.unreadable(
                f"holds {_shown(damaged[-1] if damaged else text)}; a finite number was expected",
                line=number,
            )


def _is_damaged_point(row: list[str], width: int) -> bool:
    """Return whether fields are a point with damaged numbers, or a label run into a point."""
    damaged = [cell for cell in row if not is_number(cell)]
    if len(row) == width and len(damaged) < width and all(map(_was_number, damaged)):
        return True
    last = row[-width:]
    return (
        len(last) == width
        and not is_number(last[0])
        and bool(re.search(r"[\d.]$", last[0]))
        and all(map(is_number, last[1:]))
    )


def _continues(comment: str, values: FloatArray) -> bool:
    """Return whether a comment ends in the point that the axis would have before its first."""
    last = fields(comment)[-values.shape[1] :]
    axis = re.search(r"[\d.]+$", last[0])
    if len(last) < values.shape[1] or len(values) < 2 or axis is None or not is_number(axis[0]):
        return False
    step = values[1, 0] - values[0, 0]
    before = values[0, 0] - step
    return all(map(is_number, last[1:])) and bool(abs(float(axis[0]) - before) < 0.01 * step)


def _was_number(text: str) -> bool:
    return len(text) <= 1 or text.lower() in ("nan", "inf", "-inf") or bool(re.search(r"\d", text))


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 40 else text[:37] + "...")
